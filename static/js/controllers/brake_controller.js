import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { tell } from "../helpers/dom.js"

// The budget of a request is used up: says how it goes on. The card that shows what was chosen comes from the server.
export default class extends Controller {
  static targets = ["button", "title"]
  static values = { task: String }

  connect() {
    tell("announce", { text: this.titleTarget.textContent })
  }

  decide({ params: { choice } }) {
    for (const button of this.buttonTargets) button.disabled = true
    tell("frame:send", { type: "task.decide", task: this.taskValue, choice })
    document.getElementById("composer-text")?.focus() // this card goes, and the focus would go with it
  }

  refused({ detail: { frame } }) {
    if (frame === "task.decide") this.enable()
  }

  // What was sent may have been lost with the connection.
  enable() {
    for (const button of this.buttonTargets) button.disabled = false
  }
}
