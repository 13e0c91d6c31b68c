import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { cloneTemplate } from "../helpers/dom.js"
import { request, RequestFailed } from "../helpers/http.js"

const UNITS = ["B", "KB", "MB", "GB"]

// Files that go with the next message: chosen, dropped or pasted, uploaded at once, shown as chips. Without a
// conversation there is nowhere to upload to yet; then they wait until the message is sent.
export default class extends Controller {
  static targets = ["list", "input"]
  static values = { conversation: String, maxBytes: Number }

  initialize() {
    this.files = new WeakMap() // chip → File that waits for a conversation
  }

  browse() {
    this.inputTarget.click()
  }

  choose() {
    this.#add(this.inputTarget.files)
    this.inputTarget.value = ""
  }

  paste(event) {
    if (!event.clipboardData.files.length) return
    event.preventDefault()
    this.#add(event.clipboardData.files)
  }

  dragOver(event) {
    if (!event.dataTransfer.types.includes("Files")) return
    event.preventDefault()
    this.element.classList.add("is-dropping")
  }

  dragLeave({ relatedTarget }) {
    if (!relatedTarget) this.element.classList.remove("is-dropping")
  }

  drop(event) {
    this.element.classList.remove("is-dropping")
    if (!event.dataTransfer.files.length) return
    event.preventDefault()
    this.#add(event.dataTransfer.files)
  }

  remove({ currentTarget }) {
    currentTarget.closest(".chip").remove()
    this.#changed()
  }

  clear() {
    this.listTarget.replaceChildren()
    this.#changed()
  }

  collect({ detail }) {
    detail.attachments = this.#collected(detail.conversation)
  }

  async #collected(conversation) {
    const chips = [...this.listTarget.children].filter((chip) => !chip.classList.contains("is-failed"))
    for (const chip of chips) if (this.files.has(chip)) await this.#upload(chip, this.files.get(chip), conversation)
    if (chips.some((chip) => chip.classList.contains("is-failed"))) throw new RequestFailed("A file could not be sent.")
    return chips.map(({ dataset }) => ({ id: dataset.attachment, filename: dataset.filename }))
  }

  #add(files) {
    for (const file of files) this.#addFile(file)
    this.#changed()
  }

  #addFile(file) {
    const chip = cloneTemplate("chip-template")
    chip.dataset.filename = file.name
    chip.querySelector(".chip-name").textContent = file.name
    chip.querySelector(".chip-size").textContent = spelledSize(file.size)
    chip.querySelector("button").setAttribute("aria-label", `Remove ${file.name}`)
    this.listTarget.append(chip)
    if (file.size > this.maxBytesValue) fail(chip, `larger than ${spelledSize(this.maxBytesValue)}`)
    else if (this.conversationValue) this.#upload(chip, file, this.conversationValue)
    else this.files.set(chip, file)
  }

  async #upload(chip, file, conversation) {
    chip.classList.add("is-uploading")
    const form = new FormData()
    form.append("file", file, file.name)
    try {
      const { id } = await request("POST", `/api/v1/conversations/${conversation}/attachments`, form)
      chip.dataset.attachment = id
      this.files.delete(chip)
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      fail(chip, failure.message)
    } finally {
      chip.classList.remove("is-uploading")
      this.#changed()
    }
  }

  #changed() {
    this.listTarget.hidden = !this.listTarget.children.length
    this.dispatch("changed")
  }
}

function fail(chip, reason) {
  chip.classList.add("is-failed")
  chip.title = reason
  chip.querySelector(".chip-size").textContent = reason
}

function spelledSize(bytes) {
  const power = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1000)), UNITS.length - 1)
  return `${(bytes / 1000 ** power).toFixed(power && bytes / 1000 ** power < 10 ? 1 : 0)} ${UNITS[power]}`
}
