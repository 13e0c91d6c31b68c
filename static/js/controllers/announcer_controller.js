import { Controller } from "../../vendor/stimulus-3.2.2.js"

const SPOKEN_CHARS = 400

// Reads to screen readers what others said, once it is whole: text that streams would be read in shreds.
export default class extends Controller {
  initialize() {
    this.spoken = new Set()
  }

  arrived({ detail: { id, inner, client_id } }) {
    if (!inner && !client_id) requestAnimationFrame(() => this.#speak(id))
  }

  say({ detail: { text } }) {
    this.element.textContent = text
  }

  visited() {
    this.element.textContent = document.title
  }

  #speak(id) {
    const article = document.getElementById(`message-${id}`)
    if (!article || article.dataset.state === "streaming" || this.spoken.has(id)) return
    this.spoken.add(id)
    const prose = Array.from(article.querySelectorAll(":scope > .message-body > .prose, :scope > .message-end > span"), (part) => part.innerText)
    this.element.textContent = `${article.getAttribute("aria-label")}: ${prose.join(" ").slice(0, SPOKEN_CHARS)}`
  }
}
