import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { tell } from "../helpers/dom.js"
import { request, RequestFailed } from "../helpers/http.js"

// The start page: who shall take part, and what one could ask them.
export default class extends Controller {
  static targets = ["agent"]

  fill({ params: { text, agent } }) {
    this.agentTargets.find((box) => box.value === agent).checked = true
    const several = this.#chosen.length > 1
    tell("composer:fill", { text: several ? `@${agent} ${text}` : text })
  }

  begin({ detail }) {
    detail.conversation = this.#begin()
  }

  async #begin() {
    if (!this.#chosen.length) throw new RequestFailed("Choose at least one agent.")
    const { id } = await request("POST", "/api/v1/conversations", { agents: this.#chosen })
    return id
  }

  get #chosen() {
    return this.agentTargets.filter((box) => box.checked).map((box) => box.value)
  }
}
