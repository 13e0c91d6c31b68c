import { load, save } from "../helpers/storage.js"

// What was typed and not sent, for each conversation; "new" is the start page.
export class Drafts {
  constructor(user) {
    this.user = user
  }

  read(conversation) {
    return load(this.#key(conversation), "")
  }

  write(conversation, text) {
    save(this.#key(conversation), text || undefined)
  }

  #key(conversation) {
    return `draft:${this.user}:${conversation || "new"}`
  }
}
