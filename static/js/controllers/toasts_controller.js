import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { cloneTemplate } from "../helpers/dom.js"

const SHOWN_MS = 7_000

export default class extends Controller {
  static targets = ["list"]

  show({ detail: { text } }) {
    const toast = cloneTemplate("toast-template")
    toast.querySelector("span").textContent = text
    this.listTarget.replaceChildren(toast)
    setTimeout(() => toast.remove(), SHOWN_MS)
  }

  refused({ detail: { error, code } }) {
    if (code !== "not-found") this.show({ detail: { text: error } })
  }

  dismiss({ currentTarget }) {
    currentTarget.closest(".toast").remove()
  }
}
