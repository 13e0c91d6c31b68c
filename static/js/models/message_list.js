import { dayKey, dayName } from "../helpers/time.js"

const GROUPED_WITHIN_MS = 5 * 60 * 1000

// The messages of a thread, in the order of the journal, with a day above the first of each day and the author's name
// above the first of several in a row.
export class MessageList {
  constructor(element, end) {
    this.element = element
    this.end = end // what stays behind the last message
  }

  find(id) {
    return document.getElementById(`message-${id}`)
  }

  get first() {
    return this.element.querySelector(":scope > .message[data-seq]")
  }

  get last() {
    return [...this.element.querySelectorAll(":scope > .message[data-seq]")].at(-1)
  }

  // Puts a message in its place, whether it is new or there already.
  put(article) {
    const known = document.getElementById(article.id)
    if (known) known.replaceWith(article)
    else this.element.insertBefore(article, this.#follower(article))
    this.arrange(article)
    const next = neighbour(article, "nextElementSibling")
    if (next) this.arrange(next)
  }

  // Mostly messages arrive at the end, so the search begins there.
  #follower(article) {
    let follower = this.end
    while (true) {
      const before = follower.previousElementSibling
      if (!before?.matches(".message[data-seq]") || Number(before.dataset.seq) < Number(article.dataset.seq)) return follower
      follower = before
    }
  }

  arrangeAll() {
    let before = null
    for (const article of this.element.querySelectorAll(":scope > .message[data-seq]")) {
      arrange(article, before)
      before = article
    }
  }

  arrange(article) {
    arrange(article, neighbour(article, "previousElementSibling"))
  }
}

function neighbour(article, direction) {
  const found = article[direction]
  return found?.matches(".message[data-seq]") ? found : null
}

function arrange(article, before) {
  const now = said(article)
  const previous = before && said(before)
  const newDay = !previous || dayKey(previous) !== dayKey(now)
  const day = newDay ? dayName(now) : undefined
  const grouped = !newDay && before.dataset.author === article.dataset.author && now - previous < GROUPED_WITHIN_MS
  // Writing an attribute that has not changed would still cost a style recalculation.
  if (article.dataset.day !== day) newDay ? (article.dataset.day = day) : delete article.dataset.day
  if ("grouped" in article.dataset !== grouped) article.toggleAttribute("data-grouped", grouped)
}

function said(article) {
  return new Date(article.querySelector("time").dateTime)
}
