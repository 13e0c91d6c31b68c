import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { copyText } from "../helpers/clipboard.js"
import { tell } from "../helpers/dom.js"
import { clock, inFull } from "../helpers/time.js"

// One message: whose it is here, its time where the reader is, its task, copying it, trying again.
export default class extends Controller {
  static targets = ["time", "body", "task"]

  connect() {
    const author = `user:${document.body.dataset.user}`
    if (this.element.dataset.author === author) this.element.classList.add("message-mine")
    const said = new Date(this.timeTarget.dateTime)
    this.timeTarget.textContent = clock(said)
    this.timeTarget.title = inFull(said)
  }

  // A task's page is for whom it was begun.
  taskTargetConnected(link) {
    link.hidden = link.dataset.owner !== document.body.dataset.user
  }

  async copy({ currentTarget }) {
    await copyText(this.#text)
    currentTarget.classList.add("is-done")
    setTimeout(() => currentTarget.classList.remove("is-done"), 1600)
    tell("announce", { text: "Message copied" })
  }

  retry({ currentTarget }) {
    currentTarget.disabled = true
    tell("frame:send", { type: "message.retry", message: this.element.id.replace("message-", "") })
  }

  // As it reads, without the labels of code blocks and without what the agents did on the way.
  get #text() {
    this.element.classList.add("is-copying")
    const proses = this.bodyTarget.querySelectorAll(":scope > .prose, :scope > .tail")
    const text = Array.from(proses, (prose) => prose.innerText.trim()).join("\n\n")
    this.element.classList.remove("is-copying")
    return text
  }
}
