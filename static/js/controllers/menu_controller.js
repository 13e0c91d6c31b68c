import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { placeBeside } from "../helpers/placement.js"

// A button with a popover: puts it beside the button and says whether it is open.
export default class extends Controller {
  static values = { place: { type: String, default: "below" } }

  connect() {
    this.popover = document.getElementById(this.element.getAttribute("popovertarget"))
    this.toggled = (event) => this.#toggled(event)
    this.popover.addEventListener("beforetoggle", this.toggled)
  }

  disconnect() {
    this.popover.removeEventListener("beforetoggle", this.toggled)
  }

  #toggled({ newState }) {
    this.element.setAttribute("aria-expanded", newState === "open")
    if (newState === "open") placeBeside(this.popover, this.element, this.placeValue)
  }
}
