import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { fragmentFrom, tell } from "../helpers/dom.js"

const AGAIN_MS = 2_000

// One open conversation: says on the wire what is looked at, from which journal number on, and what has been read.
export default class extends Controller {
  static targets = ["title", "participants"]
  static values = { id: String, seq: Number }

  connect() {
    this.open()
  }

  disconnect() {
    tell("frame:send", { type: "conversation.close", id: this.idValue })
  }

  open() {
    tell("frame:send", { type: "conversation.open", id: this.idValue, after: this.seqValue })
  }

  opened({ detail: { id, reset } }) {
    if (id !== this.idValue) return
    if (reset) tell("navigation:reload")
    else this.read()
  }

  // Every frame that carries a journal number moves the cursor.
  note({ detail: frame }) {
    if ((frame.conversation ?? frame.id) === this.idValue && frame.seq > this.seqValue) this.seqValue = frame.seq
  }

  noticed({ detail: frame }) {
    if (frame.conversation === this.idValue) this.read()
  }

  read() {
    if (document.hidden || !document.hasFocus()) return
    const seen = { id: this.idValue, seq: this.seqValue }
    if (seen.seq === this.readSeq) return
    this.readSeq = seen.seq
    tell("frame:send", { type: "conversation.read", ...seen })
    tell("conversation:read", seen)
  }

  changed({ detail: { id, title, participants_html } }) {
    if (id !== this.idValue) return
    if (title) {
      this.titleTarget.textContent = title
      document.title = document.title.replace(/^.*( · )/, `${title.replaceAll("$", "$$$$")}$1`)
    }
    if (participants_html) this.#replaceParticipants(participants_html)
  }

  gone({ detail: { id } }) {
    if (id !== this.idValue) return
    if (!this.leaving) tell("toast", { text: "This conversation was deleted, or you no longer take part in it." })
    tell("navigation:go", { path: "/new/" })
  }

  // It is gone, or was gone already when the connection came back.
  refused({ detail: { code, frame } }) {
    if (frame !== "conversation.open") return
    if (code === "not-found") this.gone({ detail: { id: this.idValue } })
    else if (code === "unavailable") setTimeout(() => this.open(), AGAIN_MS)
  }

  // The reader is deleting it: its going is no news.
  leave({ detail: { id } }) {
    this.leaving = id === this.idValue
  }

  #replaceParticipants(html) {
    const panel = () => document.getElementById("participants-panel")
    const wasOpen = panel()?.matches(":popover-open")
    this.participantsTarget.replaceChildren(fragmentFrom(html))
    if (wasOpen) requestAnimationFrame(() => panel()?.showPopover({ source: this.participantsTarget.querySelector("button") }))
  }
}
