import { Controller } from "../../vendor/stimulus-3.2.2.js"

// On a narrow screen the list of conversations is a drawer over the page.
export default class extends Controller {
  static targets = ["drawer", "main"]

  toggle(event) {
    this.#isOpen ? this.close() : this.#open(event.currentTarget)
  }

  close() {
    if (!this.#isOpen) return
    delete this.element.dataset.drawer
    this.mainTarget.inert = false
    if (this.opener?.isConnected) this.opener.focus()
  }

  escape({ key, defaultPrevented }) {
    if (key === "Escape" && !defaultPrevented) this.close()
  }

  #open(opener) {
    this.opener = opener
    this.element.dataset.drawer = "open"
    this.mainTarget.inert = true
    this.drawerTarget.querySelector("a, button")?.focus()
  }

  get #isOpen() {
    return this.element.dataset.drawer === "open"
  }
}
