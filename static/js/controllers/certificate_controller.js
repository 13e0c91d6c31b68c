import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { fragmentFrom, tell } from "../helpers/dom.js"
import { fetchHtml, RequestFailed } from "../helpers/http.js"

const LOOK_MS = 1500

// While an agent is being tested, looks how far it is.
export default class extends Controller {
  static targets = ["page", "running"]

  disconnect() {
    clearTimeout(this.timer)
  }

  runningTargetConnected() {
    this.#lookSoon()
  }

  wake() {
    if (!document.hidden && this.hasRunningTarget) this.#lookSoon()
  }

  #lookSoon() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.#look(), LOOK_MS)
  }

  async #look() {
    try {
      this.#show(fragmentFrom(await fetchHtml(location.href)).querySelector("[data-certificate-target=page]"))
      if (!this.hasRunningTarget) tell("announce", { text: "The test is over." })
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      this.#lookSoon()
    }
  }

  // What was opened stays open.
  #show(fresh) {
    for (const { id } of this.pageTarget.querySelectorAll("details[open]")) {
      const same = fresh.querySelector(`#${CSS.escape(id)}`)
      if (same) same.open = true
    }
    this.pageTarget.replaceChildren(...fresh.childNodes)
  }
}
