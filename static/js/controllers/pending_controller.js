import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { cloneTemplate, tell } from "../helpers/dom.js"
import { Outbox } from "../models/outbox.js"

// Shows what the outbox holds for this conversation, below the messages the server has.
export default class extends Controller {
  static values = { conversation: String }

  connect() {
    this.outbox = new Outbox(document.body.dataset.user)
    this.bubbles = new Map()
    this.#forgetArrived()
    this.show()
  }

  show() {
    const entries = this.outbox.in(this.conversationValue)
    const kept = new Set(entries.map((entry) => entry.client_id))
    for (const [clientId, bubble] of this.bubbles) {
      if (kept.has(clientId)) continue
      bubble.remove()
      this.bubbles.delete(clientId)
    }
    entries.forEach((entry) => this.#showEntry(entry))
  }

  retry(event) {
    tell("outbox:retry", { clientId: clientIdAt(event) })
  }

  discard(event) {
    tell("outbox:discard", { clientId: clientIdAt(event) })
  }

  // Stored before this page was made: it is on the page, or further up than the page goes.
  #forgetArrived() {
    for (const { client_id } of this.outbox.in(this.conversationValue)) {
      if (document.querySelector(`[data-seq][data-client-id="${client_id}"]`)) this.outbox.remove(client_id)
    }
    this.outbox.forgetSaved(this.conversationValue)
  }

  #showEntry(entry) {
    const bubble = this.bubbles.get(entry.client_id) ?? this.#newBubble(entry)
    bubble.classList.toggle("is-failed", Boolean(entry.error))
    bubble.querySelector(".message-end").hidden = Boolean(entry.saved)
    bubble.querySelector(".pending-state").textContent = entry.error ?? (isConnected() ? "Sending…" : "Waits for the connection")
    for (const button of bubble.querySelectorAll("button")) button.hidden = !entry.error
  }

  #newBubble(entry) {
    const bubble = cloneTemplate("pending-template")
    bubble.dataset.clientId = entry.client_id
    bubble.querySelector(".pending-text").textContent = entry.text
    bubble.querySelector(".message-body").hidden = !entry.text
    const files = bubble.querySelector(".files")
    files.hidden = !entry.attachments.length
    files.append(...entry.attachments.map(({ filename }) => fileElement(filename)))
    this.bubbles.set(entry.client_id, bubble)
    this.element.append(bubble)
    return bubble
  }
}

function isConnected() {
  return document.documentElement.dataset.connection === "open"
}

function clientIdAt(event) {
  return event.currentTarget.closest("[data-client-id]").dataset.clientId
}

function fileElement(filename) {
  const item = document.createElement("li")
  item.className = "file"
  item.textContent = filename
  return item
}
