import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { fragmentFrom, tell } from "../helpers/dom.js"
import { fetchHtml, RequestFailed } from "../helpers/http.js"

const PAUSE_MS = 200 // in writing, before the server is asked

// The search field above the list of conversations: while there are words in it, what was found takes the list's place.
export default class extends Controller {
  static targets = ["field", "list", "results", "older"]
  static values = { url: String }

  #search = 0

  disconnect() {
    clearTimeout(this.timer)
  }

  write() {
    clearTimeout(this.timer)
    if (this.#words) this.timer = setTimeout(() => this.#find(), PAUSE_MS)
    else this.#close()
  }

  focus() {
    this.fieldTarget.focus()
    this.fieldTarget.select()
  }

  // Enter finds at once, and opens the newest when it is found already.
  submit(event) {
    event.preventDefault()
    clearTimeout(this.timer)
    if (this.#words && this.shown === this.#words) this.#links[0]?.click()
    else this.write()
  }

  clear(event) {
    if (!this.fieldTarget.value) return
    event.preventDefault()
    event.stopPropagation()
    this.fieldTarget.value = ""
    this.#close()
  }

  // The arrow keys go from the field through what was found, and back.
  step(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!by || event.altKey || this.resultsTarget.hidden) return
    event.preventDefault()
    const stops = [this.fieldTarget, ...this.#links]
    stops[stops.indexOf(document.activeElement) + by]?.focus()
  }

  async more(event) {
    event.preventDefault()
    const link = event.currentTarget
    const search = this.#search
    const html = await this.#fetch(link.href)
    if (html !== null && search === this.#search) link.closest("li").replaceWith(fragmentFrom(html))
  }

  async #find() {
    const search = ++this.#search
    const words = this.#words
    const html = await this.#fetch(`${this.urlValue}?${new URLSearchParams({ q: words })}`)
    if (html === null || search !== this.#search) return
    this.resultsTarget.replaceChildren(fragmentFrom(html))
    this.resultsTarget.scrollTop = 0
    this.#show(true)
    this.shown = words
    const count = this.#links.length
    tell("announce", { text: count ? `${count} messages found` : "Nothing found" })
  }

  async #fetch(url) {
    try {
      return await fetchHtml(url)
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      tell("toast", { text: failure.message })
      return null
    }
  }

  #close() {
    this.#search++
    this.shown = ""
    this.#show(false)
    this.resultsTarget.replaceChildren()
  }

  #show(results) {
    this.resultsTarget.hidden = !results
    this.listTarget.hidden = results
  }

  get #words() {
    return this.fieldTarget.value.trim()
  }

  get #links() {
    return [...this.resultsTarget.querySelectorAll("a[data-visit]")]
  }
}
