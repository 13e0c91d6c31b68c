import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { isTyping, tell } from "../helpers/dom.js"
import { matches, spelled } from "../helpers/keys.js"

// The keys of the page; the dialog behind "?" lists them.
const SHORTCUTS = {
  "Mod+K": () => tell("navigation:go", { path: "/new/" }),
  "Mod+Shift+F": () => tell("shortcut:search"),
  "Mod+.": () => tell("shortcut:stop"),
  "Alt+ArrowDown": () => tell("shortcut:step", { by: 1 }),
  "Alt+ArrowUp": () => tell("shortcut:step", { by: -1 }),
  "Alt+End": () => tell("shortcut:end"),
}
const WHEN_NOT_TYPING = {
  "/": () => document.getElementById("composer-text")?.focus(),
  "?": () => tell("shortcut:help", { name: "help" }),
}

export default class extends Controller {
  connect() {
    for (const key of document.querySelectorAll("[data-shortcut]")) key.textContent = spelled(key.dataset.shortcut)
  }

  press(event) {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return
    const act = this.#find(SHORTCUTS, event) ?? (isTyping(event.target) ? null : this.#find(WHEN_NOT_TYPING, event))
    if (!act) return
    event.preventDefault()
    act()
  }

  #find(shortcuts, event) {
    return Object.entries(shortcuts).find(([shortcut]) => matches(event, shortcut))?.[1]
  }
}
