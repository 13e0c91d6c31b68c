import { Controller } from "../../vendor/stimulus-3.2.2.js"

const KEY = "theme" // read by first_paint.js as it is

// Light, dark, or as the system: kept in this browser.
export default class extends Controller {
  static targets = ["choice"]

  connect() {
    const current = document.documentElement.dataset.theme ?? "system"
    for (const choice of this.choiceTargets) choice.checked = choice.value === current
  }

  choose({ target: { value } }) {
    if (value === "system") delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = value
    try {
      value === "system" ? localStorage.removeItem(KEY) : localStorage.setItem(KEY, value)
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
  }
}
