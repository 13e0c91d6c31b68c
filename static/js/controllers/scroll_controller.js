import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { ScrollManager } from "../models/scroll_manager.js"

// Follows the end of the thread while the reader is there, and offers the way back when not.
export default class extends Controller {
  static targets = ["jump"]

  connect() {
    this.manager = new ScrollManager(this.element)
    this.manager.toEnd()
    this.observer = new ResizeObserver(() => this.#resized())
    this.observer.observe(this.element)
    this.observer.observe(this.element.querySelector(".thread"))
  }

  disconnect() {
    this.observer.disconnect()
  }

  note() {
    this.manager.note()
    this.#offerJump()
  }

  // Whoever opens something wants to see it, not the end of it.
  release({ target }) {
    if (target.closest("summary")) this.manager.atEnd = false
  }

  jump() {
    this.manager.toEnd(matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth")
    this.#offerJump()
  }

  end() {
    this.manager.toEnd()
    this.#offerJump()
  }

  #resized() {
    this.manager.follow()
    this.#offerJump()
  }

  #offerJump() {
    this.jumpTarget.hidden = this.manager.atEnd || this.manager.distance < this.element.clientHeight / 2
  }
}
