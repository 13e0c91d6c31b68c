import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { isTyping, tell } from "../helpers/dom.js"
import { RequestFailed } from "../helpers/http.js"
import { lengthOf } from "../helpers/text.js"
import { Drafts } from "../models/drafts.js"

const GROWS_BY_ITSELF = CSS.supports("field-sizing", "content")

// Where messages are written. What is sent goes to the outbox; without a conversation, one is begun first.
export default class extends Controller {
  static targets = ["text", "send", "note"]
  static values = { conversation: String, max: Number }

  connect() {
    this.drafts = new Drafts(document.body.dataset.user)
    if (!this.textTarget.value) this.textTarget.value = this.drafts.read(this.conversationValue)
    this.refresh()
    if (matchMedia("(hover: hover)").matches && !isTyping(document.activeElement)) this.focus()
  }

  focus() {
    this.textTarget.focus()
    this.textTarget.setSelectionRange(this.#text.length, this.#text.length)
  }

  refresh() {
    this.drafts.write(this.conversationValue, this.#text)
    const excess = lengthOf(this.#text) - this.maxValue
    this.noteTarget.textContent = excess > 0 ? `${excess.toLocaleString()} characters too long` : ""
    this.sendTarget.disabled = excess > 0 || this.busy || this.#isUploading || !(this.#text.trim() || this.#hasFiles)
    if (!GROWS_BY_ITSELF) this.#grow()
  }

  press(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.defaultPrevented) return
    event.preventDefault()
    this.element.requestSubmit()
  }

  async submit(event) {
    event.preventDefault()
    if (this.sendTarget.disabled) return
    this.#setBusy(true)
    try {
      await this.#send()
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      this.#setBusy(false)
      this.noteTarget.textContent = failure.message
    }
  }

  fill({ detail: { text } }) {
    this.textTarget.value = text
    this.refresh()
    this.focus()
  }

  async #send() {
    const text = this.#text.trim()
    const conversation = this.conversationValue || (await this.#ask("begin").conversation)
    if (!conversation) throw new RequestFailed("The page is still loading. Press Send once more.")
    const attachments = (await this.#ask("collect", { conversation }).attachments) ?? []
    tell("outbox:post", { conversation, text, attachments })
    this.textTarget.value = ""
    this.dispatch("sent")
    this.#setBusy(false)
    if (!this.conversationValue) tell("navigation:go", { path: `/c/${conversation}/` })
  }

  // Other controllers answer by putting a promise into the event's detail.
  #ask(name, detail = {}) {
    this.dispatch(name, { detail })
    return detail
  }

  #setBusy(busy) {
    this.busy = busy
    this.refresh()
  }

  #grow() {
    this.textTarget.style.height = "auto"
    this.textTarget.style.height = `${this.textTarget.scrollHeight}px`
  }

  get #text() {
    return this.textTarget.value
  }

  get #isUploading() {
    return this.element.querySelector(".chip.is-uploading") !== null
  }

  get #hasFiles() {
    return this.element.querySelector(".chip:not(.is-failed)") !== null
  }
}
