import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { agentOnPage, paintAvatar } from "../helpers/agents.js"
import { cloneTemplate, tell } from "../helpers/dom.js"

const OVER = ["completed", "failed", "canceled", "rejected"]

// Which agents are working here, what they report, and how to stop them.
export default class extends Controller {
  static values = { conversation: String }

  connect() {
    this.doubtful = new Set()
  }

  changed({ detail: { conversation, task, agent, state, text, waiting_since: since } }) {
    if (conversation !== this.conversationValue) return
    this.doubtful.delete(task)
    const item = this.#find(task)
    if (OVER.includes(state)) item?.remove()
    else this.#show(item ?? this.#add(task, agent), state, text, since)
  }

  stop({ currentTarget }) {
    this.#stopItem(currentTarget.closest("[data-task]"))
  }

  stopAll() {
    for (const item of this.element.children) this.#stopItem(item)
  }

  // While we were away tasks may have ended without our hearing of it.
  doubt() {
    this.doubtful = new Set(Array.from(this.element.children, (item) => item.dataset.task))
  }

  reconcile({ detail: { id } }) {
    if (id !== this.conversationValue) return
    for (const task of this.doubtful) this.#find(task)?.remove()
    this.doubtful.clear()
  }

  #stopItem(item) {
    item.querySelector("button").disabled = true
    tell("frame:send", { type: "task.cancel", task: item.dataset.task })
  }

  #find(task) {
    return this.element.querySelector(`[data-task="${task}"]`)
  }

  #add(task, agentId) {
    const item = cloneTemplate("work-template")
    const agent = agentOnPage(agentId)
    item.dataset.task = task
    item.dataset.agent = agentId
    paintAvatar(item.querySelector(".avatar"), agent)
    item.querySelector("strong").textContent = agent.name
    this.element.append(item)
    return item
  }

  #show(item, state, text, since = "") {
    item.dataset.state = state
    item.toggleAttribute("data-waiting", since !== "")
    item.querySelector(".work-clock").dateTime = since
    item.querySelector(".work-report").textContent = text ?? ""
  }
}
