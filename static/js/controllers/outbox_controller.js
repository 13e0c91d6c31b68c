import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { tell } from "../helpers/dom.js"
import { newTraceparent } from "../helpers/trace.js"
import { newUuid } from "../helpers/uuid.js"
import { Outbox } from "../models/outbox.js"

const AGAIN_MS = 3_000

// Takes what was written, keeps it until the server has it, and sends it again after every reconnect.
export default class extends Controller {
  connect() {
    this.outbox = new Outbox(document.body.dataset.user)
    this.traces = false // until the server says so
  }

  post({ detail: { conversation, text, attachments } }) {
    const entry = { client_id: newUuid(), conversation, text, attachments, created_at: Date.now() }
    if (this.traces) entry.traceparent = newTraceparent()
    this.outbox.add(entry)
    this.#changed()
    this.#send(entry)
  }

  opened({ detail: { traces } }) {
    this.traces = traces
    this.sendAll()
  }

  sendAll() {
    this.outbox.waiting.forEach((entry) => this.#send(entry))
  }

  retry({ detail: { clientId } }) {
    this.outbox.retry(clientId)
    this.#changed()
    this.#send(this.outbox.find(clientId))
  }

  discard({ detail: { clientId } }) {
    if (this.outbox.remove(clientId)) this.#changed()
  }

  saved({ detail: { client_id } }) {
    this.#time(this.outbox.find(client_id))
    if (this.outbox.markSaved(client_id)) this.#changed()
  }

  created({ detail: { client_id } }) {
    this.#time(this.outbox.find(client_id))
    if (client_id && this.outbox.remove(client_id)) this.#changed()
  }

  refused({ detail: { client_id, error, retry } }) {
    if (retry) setTimeout(() => this.sendAll(), AGAIN_MS)
    else if (this.outbox.fail(client_id, error)) this.#changed()
  }

  // Another tab wrote.
  share({ key }) {
    if (key === this.outbox.key) this.#changed()
  }

  #send(entry) {
    if (!entry) return
    const { client_id, conversation, text, attachments, traceparent } = entry
    tell("frame:send", { type: "message.post", client_id, conversation, text, attachments: attachments.map(({ id }) => id), traceparent })
  }

  // How long it took from Send until it was saved, which nobody but the browser knows.
  #time(entry) {
    if (!entry?.traceparent || entry.saved) return
    const milliseconds = Math.max(0, Date.now() - entry.created_at)
    tell("frame:send", { type: "message.time", traceparent: entry.traceparent, milliseconds })
  }

  #changed() {
    tell("outbox:changed")
  }
}
