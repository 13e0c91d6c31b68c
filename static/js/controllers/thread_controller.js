import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { confirmCopy, copyText } from "../helpers/clipboard.js"
import { elementFrom, fragmentFrom, keepFocus, tell } from "../helpers/dom.js"
import { fetchHtml, RequestFailed } from "../helpers/http.js"
import { FrameWriter } from "../models/frame_writer.js"
import { GAP, LiveMessage } from "../models/live_message.js"
import { MessageList } from "../models/message_list.js"
import { ScrollManager } from "../models/scroll_manager.js"
import { Tail } from "../models/tail.js"

const AHEAD = "1200px 0px 1200px 0px" // more messages are fetched before the reader reaches the top or the end

// Puts what the server says about messages on the page.
export default class extends Controller {
  static targets = ["older", "newer"]
  static values = { conversation: String }

  initialize() {
    this.writer = new FrameWriter()
    this.live = new Map() // id → { message: LiveMessage, element, tail: Tail }
  }

  connect() {
    this.scroller = new ScrollManager(this.element.parentElement)
    this.list = new MessageList(this.element, this.element.querySelector(":scope > .thread-empty"))
    this.list.arrangeAll()
    for (const tail of this.element.querySelectorAll(".tail")) this.#dressTail(tail.closest(".message"))
  }

  // -- history

  olderTargetConnected(link) {
    this.#observe(link)
  }

  newerTargetConnected(link) {
    this.#observe(link)
  }

  #observe(link) {
    this.observer ??= new IntersectionObserver((entries) => this.#reached(entries), {
      root: this.element.parentElement,
      rootMargin: AHEAD,
    })
    this.observer.observe(link)
  }

  disconnect() {
    this.observer?.disconnect()
    this.observer = undefined
  }

  load(event) {
    event.preventDefault()
    this.#load(event.currentTarget)
  }

  #reached(entries) {
    for (const { isIntersecting, target } of entries) if (isIntersecting) this.#load(target)
  }

  async #load(link) {
    this.observer.unobserve(link)
    try {
      const more = fragmentFrom(await fetchHtml(link.href))
      const change = () => {
        link.replaceWith(more)
        this.list.arrangeAll()
      }
      link.matches(".older") ? this.scroller.keepPlace(this.element, change) : change()
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      link.textContent = "These messages could not be loaded. Try again."
    }
  }

  // -- messages

  messageCreated({ detail: frame }) {
    if (this.#isOurs(frame)) this.#put(frame, true)
  }

  messageChanged({ detail: frame }) {
    if (this.#isOurs(frame)) this.#put(frame, false)
  }

  #put(frame, isNew) {
    const known = this.list.find(frame.id)
    const article = elementFrom(frame.html)
    this.live.delete(frame.id)
    const focus = known && keepFocus(known)
    if (known) keepOpened(known, article)
    if (frame.inner) this.#putInner(frame, known, article)
    else if (known || !this.#isElsewhere(article)) {
      article.classList.toggle("arrived", isNew && !known && !frame.client_id)
      this.list.put(article)
    }
    if (article.isConnected) this.#dressTail(article)
    focus?.(article)
  }

  #putInner(frame, known, article) {
    if (known) known.replaceWith(article)
    else document.querySelector(`#step-${frame.parent_step} .exchange`)?.append(article)
  }

  // Its place is among messages that are not loaded yet: further up, or behind the place that the reader looked for.
  #isElsewhere(article) {
    const seq = Number(article.dataset.seq)
    return (
      (this.hasOlderTarget && seq < Number(this.list.first?.dataset.seq ?? 0)) ||
      (this.hasNewerTarget && seq > Number(this.list.last?.dataset.seq ?? 0))
    )
  }

  // -- text that streams

  messageStreamed({ detail: { message, offset, text } }) {
    const live = this.#liveMessage(message)
    if (!live) return
    if (live.message.append(offset, text) === GAP) this.#catchUp()
    else this.#showTail(message, live)
  }

  messageSettled({ detail: { message, upto, html } }) {
    const live = this.#liveMessage(message)
    const settled = live?.message.settle(upto)
    if (settled === GAP) this.#catchUp()
    if (settled !== true) return
    proseBefore(live.element).append(fragmentFrom(html))
    this.#showTail(message, live)
  }

  #showTail(id, live) {
    this.writer.write(id, () => live.tail.show(live.message.tail))
  }

  #dressTail(article) {
    const id = article.id.replace("message-", "")
    const live = this.#liveMessage(id)
    live?.tail.show(live.message.tail)
  }

  #liveMessage(id) {
    const known = this.live.get(id)
    if (known?.element.isConnected) return known
    const element = this.list.find(id)?.querySelector(":scope > .message-body > .tail")
    if (!element) return null
    const live = { element, message: new LiveMessage(Number(element.dataset.offset), element.textContent), tail: new Tail(element) }
    this.live.set(id, live)
    return live
  }

  #catchUp() {
    if (this.catchingUp) return
    this.catchingUp = true
    this.dispatch("gap")
  }

  caughtUp() {
    this.catchingUp = false
  }

  // -- steps

  toolStarted({ detail: frame }) {
    if (!this.#isOurs(frame)) return
    const body = this.list.find(frame.message)?.querySelector(":scope > .message-body")
    if (this.#replaceStep(frame) || !body) return
    const step = elementFrom(frame.html)
    const tail = body.querySelector(":scope > .tail")
    tail ? tail.before(step) : body.append(step)
  }

  toolFinished({ detail: frame }) {
    if (this.#isOurs(frame)) this.#replaceStep(frame)
  }

  #replaceStep(frame) {
    const known = document.getElementById(`step-${frame.step}`)
    if (!known) return false
    const step = elementFrom(frame.html)
    const focus = keepFocus(known)
    keepOpened(known, step)
    known.replaceWith(step)
    focus(step)
    return true
  }

  // -- code blocks: one listener for all of them

  async copyCode({ target }) {
    const button = target.closest(".code-copy")
    if (!button) return
    await copyText(button.closest(".code").querySelector("code").textContent)
    confirmCopy(button)
    tell("announce", { text: "Code copied" })
  }

  #isOurs(frame) {
    return frame.conversation === this.conversationValue
  }
}

// What the reader had opened stays open when newer HTML takes its place.
function keepOpened(old, fresh) {
  for (const details of [old, ...old.querySelectorAll("details[open]")]) {
    if (!details.open) continue
    const same = fresh.id === details.id ? fresh : fresh.querySelector(`#${details.id}`)
    if (same) same.open = true
  }
}

function proseBefore(tail) {
  const before = tail.previousElementSibling
  if (before?.classList.contains("prose")) return before
  const prose = document.createElement("div")
  prose.className = "prose"
  tail.before(prose)
  return prose
}
