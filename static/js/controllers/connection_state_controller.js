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
    const state = document.documentElement.dataset.connection ?? "connecting"
    clearTimeout(this.timer)
    if (state === "open") this.#set(state)
    else this.timer = setTimeout(() => this.#set(state), PATIENCE_MS)
  }

  #set(state) {
    if (this.element.dataset.state === state && this.textTarget.textContent === WORDS[state]) return
    this.element.dataset.state = state
    this.element.title = state === "open" ? WORDS.open : "What you write is sent as soon as the server can be reached."
    this.textTarget.textContent = WORDS[state]
  }
}
