import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { tell } from "../helpers/dom.js"
import { request, RequestFailed } from "../helpers/http.js"

// The dialogs of the chat page. Which conversation one is about is told by where it was opened.
export default class extends Controller {
  static targets = ["dialog", "title", "subject"]

  open({ params, detail }) {
    this.#show(params?.name ?? detail.name)
  }

  close({ currentTarget }) {
    currentTarget.closest("dialog").close()
  }

  renameConversation(event) {
    this.#about(event.currentTarget)
    this.titleTarget.value = this.title
    this.#show("rename")
    this.titleTarget.select()
  }

  leaveConversation(event) {
    this.#ask(event, "leave")
  }

  deleteConversation(event) {
    this.#ask(event, "delete")
  }

  async rename(event) {
    const title = this.titleTarget.value.trim()
    const done = await this.#submit(event, () => request("PATCH", this.#path, { title }))
    if (done) tell("frame:conversation-changed", { id: this.conversation, title })
  }

  async delete(event) {
    tell("conversation:leaving", { id: this.conversation })
    const done = await this.#submit(event, () => request("DELETE", this.#path))
    if (done) tell("frame:conversation-deleted", { id: this.conversation })
  }

  async leave(event) {
    tell("conversation:leaving", { id: this.conversation })
    const done = await this.#submit(event, () => request("POST", `${this.#path}/leave`))
    if (done) tell("frame:conversation-left", { id: this.conversation })
  }

  // Closes the dialog when the server has done it; else says why not. Returns whether it is done.
  async #submit(event, act) {
    event.preventDefault()
    const dialog = event.currentTarget.closest("dialog")
    const error = dialog.querySelector("[data-error]")
    try {
      await act()
      dialog.close()
      return true
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      error.textContent = failure.message
      error.hidden = false
      return false
    }
  }

  #show(name) {
    const dialog = this.dialogTargets.find((one) => one.dataset.name === name)
    const error = dialog.querySelector("[data-error]")
    if (error) error.hidden = true
    for (const menu of document.querySelectorAll(":popover-open")) menu.hidePopover()
    if (!dialog.open) dialog.showModal()
  }

  #ask(event, name) {
    this.#about(event.currentTarget)
    for (const subject of this.subjectTargets) subject.textContent = this.title
    this.#show(name)
  }

  #about(element) {
    const menu = element.closest("[data-conversation]")
    const open = document.getElementById("conversation")
    this.conversation = menu?.dataset.conversation ?? open.dataset.conversationIdValue
    this.title = menu?.dataset.title ?? open.querySelector("[data-conversation-target=title]").textContent
  }

  get #path() {
    return `/api/v1/conversations/${this.conversation}`
  }
}
