import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { tell } from "../helpers/dom.js"
import { ScrollManager } from "../models/scroll_manager.js"

// Follows the end of the thread while the reader is there, and offers the way back when not. Whoever came for one message, named
// behind the "#" of the address, begins there; the end may then be further than what is loaded.
export default class extends Controller {
  static targets = ["jump"]

  connect() {
    this.manager = new ScrollManager(this.element)
    this.#begin()
    this.observer = new ResizeObserver(() => this.#resized())
    this.observer.observe(this.element)
    this.observer.observe(this.element.querySelector(".thread"))
  }

  disconnect() {
    this.observer.disconnect()
  }

  #begin() {
    const sought = location.hash.startsWith("#message-") ? document.getElementById(location.hash.slice(1)) : null
    if (!sought) return this.manager.toEnd()
    sought.scrollIntoView({ block: "center" })
    sought.classList.add("is-found")
    this.manager.note()
    this.manager.atEnd = false
  }

  note() {
    this.manager.note()
    if (this.#isCut) this.manager.atEnd = false
    this.#offerJump()
  }

  // Whoever opens something wants to see it, not the end of it.
  release({ target }) {
    if (target.closest("summary")) this.manager.atEnd = false
  }

  jump() {
    if (this.#isCut) return this.#reopen()
    this.manager.toEnd(matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth")
    this.#offerJump()
  }

  end() {
    if (this.#isCut) return this.#reopen()
    this.manager.toEnd()
    this.#offerJump()
  }

  #resized() {
    this.manager.follow()
    this.#offerJump()
  }

  #reopen() {
    tell("navigation:go", { path: location.pathname })
  }

  // There is more behind what is loaded.
  get #isCut() {
    return this.element.querySelector(".newer") !== null
  }

  #offerJump() {
    const isNear = this.manager.atEnd || this.manager.distance < this.element.clientHeight / 2
    this.jumpTarget.hidden = isNear && !this.#isCut
  }
}
