import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { tell } from "../helpers/dom.js"
import { Decisions } from "../models/decisions.js"

// The budget of a request is used up: says how it goes on. The card that shows what was chosen comes from the server.
export default class extends Controller {
  static targets = ["button", "title"]
  static values = { task: String }

  connect() {
    tell("announce", { text: this.titleTarget.textContent })
    const decided = new Decisions(document.body.dataset.user).find(this.taskValue)
    if (decided) this.#wait(decided.choice)
  }

  decide({ params: { choice } }) {
    this.#wait(choice)
    tell("decision:made", { task: this.taskValue, choice })
    document.getElementById("composer-text")?.focus() // this card goes, and the focus would go with it
  }

  refused({ detail: { frame, task, code } }) {
    if (frame !== "task.decide" || task !== this.taskValue || code === "unavailable" || code === "too-many") return
    for (const button of this.buttonTargets) {
      button.disabled = false
      button.removeAttribute("aria-pressed")
    }
  }

  #wait(choice) {
    for (const button of this.buttonTargets) {
      button.disabled = true
      button.setAttribute("aria-pressed", button.dataset.brakeChoiceParam === choice)
    }
  }
}
