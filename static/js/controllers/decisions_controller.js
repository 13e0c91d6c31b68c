import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { tell } from "../helpers/dom.js"
import { Decisions } from "../models/decisions.js"

const AGAIN_MS = 3_000
const LATER = ["unavailable", "too-many"] // refusals that are over in a moment

// Keeps what was chosen on a card of the brake until the server has it, and sends it again after every reconnect.
export default class extends Controller {
  connect() {
    this.decisions = new Decisions(document.body.dataset.user)
  }

  make({ detail: { task, choice } }) {
    this.decisions.add(task, choice)
    this.#send({ task, choice })
  }

  sendAll() {
    this.decisions.waiting.forEach((decision) => this.#send(decision))
  }

  made({ detail: { task } }) {
    this.decisions.remove(task)
  }

  refused({ detail: { frame, task, code } }) {
    if (frame !== "task.decide") return
    if (LATER.includes(code)) setTimeout(() => this.sendAll(), AGAIN_MS)
    else this.decisions.remove(task)
  }

  #send({ task, choice }) {
    tell("frame:send", { type: "task.decide", task, choice })
  }
}
