import { Controller } from "../../vendor/stimulus-3.2.2.js"

const WORDS = { open: "Connected", connecting: "Connecting…", offline: "Offline" }
const PATIENCE_MS = 1_500

// Shows how the connection is. A short interruption is not worth a word.
export default class extends Controller {
  static targets = ["text"]

  connect() {
    this.show()
  }

  disconnect() {
    clearTimeout(this.timer)
  }

  show() {
    if (this.#state === "open") this.#now()
    else this.timer ??= setTimeout(() => this.#now(), PATIENCE_MS) // it may flip between two states meanwhile
  }

  get #state() {
    return document.documentElement.dataset.connection ?? "connecting"
  }

  #now() {
    clearTimeout(this.timer)
    this.timer = undefined
    this.#set(this.#state)
  }

  #set(state) {
    if (this.element.dataset.state === state && this.textTarget.textContent === WORDS[state]) return
    this.element.dataset.state = state
    this.element.title = state === "open" ? WORDS.open : "What you write is sent as soon as the server can be reached."
    this.textTarget.textContent = WORDS[state]
  }
}
