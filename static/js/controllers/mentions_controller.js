import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { markAgent, mentionableAgents, paintAvatar } from "../helpers/agents.js"
import { cloneTemplate } from "../helpers/dom.js"
import { sinceWhen } from "../helpers/time.js"
import { completed, matching, mentionAt } from "../models/mention_query.js"

const ALL = { id: "all", name: "Everybody", description: "Every agent in this conversation answers", initials: "@" }

// The list that opens behind an "@". The text field keeps the focus and points to the chosen option.
export default class extends Controller {
  static targets = ["text", "list"]

  update() {
    const { value, selectionStart, selectionEnd } = this.textTarget
    this.query = selectionStart === selectionEnd ? mentionAt(value, selectionStart) : null
    const options = this.query ? matching(this.#options, this.query.word) : []
    options.length ? this.#open(options) : this.close()
  }

  press(event) {
    if (this.listTarget.hidden || event.isComposing) return
    const action = { ArrowDown: () => this.#move(1), ArrowUp: () => this.#move(-1), Enter: () => this.#accept(), Tab: () => this.#accept(), Escape: () => this.close() }[event.key]
    if (!action || (event.shiftKey && event.key !== "Tab")) return
    event.preventDefault()
    action()
  }

  // A press must not take the focus from the text field, or the list would close first.
  hold(event) {
    event.preventDefault()
  }

  pick({ target }) {
    const option = target.closest("[role=option]")
    if (option) this.#insert(option.dataset.id)
  }

  insertAt() {
    const { value, selectionStart } = this.textTarget
    const space = selectionStart && !/\s$/.test(value.slice(0, selectionStart)) ? " " : ""
    this.textTarget.focus()
    this.textTarget.setRangeText(`${space}@`, selectionStart, this.textTarget.selectionEnd, "end")
    this.#edited()
  }

  agentChanged({ detail }) {
    markAgent(detail.id, detail)
    if (!this.listTarget.hidden) this.update()
  }

  close() {
    this.listTarget.hidden = true
    for (const name of ["role", "aria-controls", "aria-expanded", "aria-autocomplete", "aria-activedescendant"]) this.textTarget.removeAttribute(name)
  }

  get #options() {
    const agents = mentionableAgents()
    return agents.length > 1 ? [...agents, ALL] : agents
  }

  #open(options) {
    const chosen = this.#chosen?.dataset.id
    this.listTarget.replaceChildren(...options.map(optionElement))
    this.listTarget.hidden = false
    this.textTarget.setAttribute("role", "combobox")
    this.textTarget.setAttribute("aria-autocomplete", "list")
    this.textTarget.setAttribute("aria-expanded", "true")
    this.textTarget.setAttribute("aria-controls", this.listTarget.id)
    this.#choose(this.listTarget.querySelector(`[data-id="${chosen}"]`) ?? this.listTarget.firstElementChild)
  }

  get #chosen() {
    return this.listTarget.hidden ? null : this.listTarget.querySelector("[aria-selected=true]")
  }

  #choose(option) {
    for (const other of this.listTarget.children) other.setAttribute("aria-selected", other === option)
    this.textTarget.setAttribute("aria-activedescendant", option.id)
    option.scrollIntoView({ block: "nearest" })
  }

  #move(step) {
    const options = [...this.listTarget.children]
    this.#choose(options[(options.indexOf(this.#chosen) + step + options.length) % options.length])
  }

  #accept() {
    this.#insert(this.#chosen.dataset.id)
  }

  #insert(id) {
    const { text, caret } = completed(this.textTarget.value, this.textTarget.selectionStart, this.query.start, id)
    this.textTarget.value = text
    this.textTarget.setSelectionRange(caret, caret)
    this.#edited()
  }

  #edited() {
    this.textTarget.dispatchEvent(new Event("input", { bubbles: true }))
  }
}

function optionElement(agent) {
  const option = cloneTemplate("mention-template")
  option.id = `mention-${agent.id}`
  option.dataset.id = agent.id
  paintAvatar(option.querySelector(".avatar"), agent)
  option.querySelector("strong").textContent = agent.name
  option.querySelector(".mention-id").textContent = `@${agent.id}`
  option.querySelector("small").textContent = agent.description
  const trouble = troubleOf(agent)
  option.classList.toggle("is-down", trouble !== "")
  option.querySelector(".mention-down").hidden = !trouble
  option.querySelector(".mention-down").textContent = trouble
  return option
}

function troubleOf({ downSince, onHold }) {
  if (onHold) return "On hold: its card has changed"
  return downSince ? `No answer since ${sinceWhen(new Date(downSince))}. Your message will wait.` : ""
}
