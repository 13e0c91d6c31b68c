import { Controller } from "../../vendor/stimulus-3.2.2.js"

// A person's name in HTML that is the same for every reader: to themselves they are "You".
export default class extends Controller {
  static values = { id: String }

  connect() {
    if (this.idValue === document.body.dataset.user) this.element.textContent = "You"
  }
}
