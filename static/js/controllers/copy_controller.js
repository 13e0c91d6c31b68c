import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { confirmCopy, copyText } from "../helpers/clipboard.js"

export default class extends Controller {
  static targets = ["source"]

  async copy({ currentTarget }) {
    await copyText(this.sourceTarget.textContent.trim())
    confirmCopy(currentTarget)
  }
}
