import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { fragmentFrom, tell } from "../helpers/dom.js"
import { fetchHtml, request, RequestFailed } from "../helpers/http.js"

const GATHER_MS = 400
const AFTERWARDS_MS = 2000 // the last answer on the wire is kept a moment after the task has ended
const TEXT = ["message.streamed", "message.settled"]

// One task: follows its conversation while it runs, and stops it.
export default class extends Controller {
  static targets = ["page", "error"]
  static values = { id: String, conversation: String }

  disconnect() {
    clearTimeout(this.timer)
  }

  watch() {
    tell("frame:send", { type: "conversation.open", id: this.conversationValue, after: null })
    this.#refreshSoon(GATHER_MS)
  }

  note({ detail: frame }) {
    if (frame.conversation !== this.conversationValue || TEXT.includes(frame.type)) return
    this.#refreshSoon(GATHER_MS)
    if (frame.type === "task.changed") setTimeout(() => this.#refreshSoon(0), AFTERWARDS_MS)
  }

  async cancel({ currentTarget }) {
    currentTarget.disabled = true
    try {
      await request("POST", `/api/v1/tasks/${this.idValue}/cancel`)
      await this.#refresh()
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      currentTarget.disabled = false
      this.#show(failure.message)
    }
  }

  #refreshSoon(wait) {
    this.timer ??= setTimeout(() => this.#refreshNow(), wait)
  }

  async #refreshNow() {
    try {
      await this.#refresh()
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      this.#show(failure.message)
    } finally {
      this.timer = undefined
    }
  }

  // What was opened stays open, and where the diagram was scrolled to is kept.
  async #refresh() {
    const fresh = fragmentFrom(await fetchHtml(location.href)).querySelector("[data-task-target=page]")
    for (const { id } of this.pageTarget.querySelectorAll("details[open]")) {
      const same = fresh.querySelector(`#${CSS.escape(id)}`)
      if (same) same.open = true
    }
    const left = this.pageTarget.querySelector(".sequence")?.scrollLeft ?? 0
    this.pageTarget.replaceChildren(...fresh.childNodes)
    const diagram = this.pageTarget.querySelector(".sequence")
    if (diagram) diagram.scrollLeft = left
  }

  #show(text) {
    this.errorTarget.textContent = text
    this.errorTarget.hidden = false
  }
}
