import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { request, RequestFailed } from "../helpers/http.js"

// Adds and removes who takes part. The server's answer comes as a frame to everybody, so nothing is changed here.
export default class extends Controller {
  static targets = ["error", "person"]
  static values = { conversation: String }

  // The list is the same for everybody; which entry is the reader is known only here.
  personTargetConnected(item) {
    if (item.dataset.person !== document.body.dataset.user) return
    item.dataset.me = ""
    item.querySelector("button").setAttribute("aria-label", "Leave this conversation")
  }

  addAgent({ params: { agent } }) {
    this.#act("POST", "", { agent })
  }

  addPerson(event) {
    event.preventDefault()
    this.#act("POST", "", { username: new FormData(event.currentTarget).get("username").trim() })
  }

  remove({ params: { id } }) {
    this.#act("DELETE", `/${id}`)
  }

  async #act(method, path, body) {
    this.errorTarget.hidden = true
    try {
      await request(method, `/api/v1/conversations/${this.conversationValue}/participants${path}`, body)
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      this.errorTarget.textContent = failure.message
      this.errorTarget.hidden = false
    }
  }
}
