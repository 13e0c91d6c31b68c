import { load, save } from "../helpers/storage.js"

const KEPT_DAYS_MS = 7 * 24 * 3600 * 1000

// Messages the server has not confirmed yet: shared by all tabs of one person, and there after a reload.
// An entry: { client_id, conversation, text, attachments: [{id, filename}], created_at, error, saved }. A saved one stays
// until the message itself is on the page, so that nothing flickers in between.
export class Outbox {
  constructor(user, storage = { load, save }) {
    this.key = `outbox:${user}`
    this.storage = storage
  }

  get entries() {
    return this.storage.load(this.key, []).map((entry) => ({ ...entry, attachments: entry.attachments ?? [] }))
  }

  in(conversation) {
    return this.entries.filter((entry) => entry.conversation === conversation)
  }

  get waiting() {
    return this.entries.filter((entry) => !entry.error && !entry.saved)
  }

  add(entry) {
    this.#write([...this.#recent(), entry])
  }

  remove(clientId) {
    return this.#change((entries) => entries.filter((entry) => entry.client_id !== clientId))
  }

  forgetSaved(conversation) {
    return this.#change((entries) => entries.filter((entry) => !(entry.saved && entry.conversation === conversation)))
  }

  fail(clientId, error) {
    return this.#mark(clientId, { error })
  }

  retry(clientId) {
    return this.#mark(clientId, { error: undefined })
  }

  markSaved(clientId) {
    return this.#mark(clientId, { saved: true, error: undefined })
  }

  find(clientId) {
    return this.entries.find((entry) => entry.client_id === clientId)
  }

  #mark(clientId, marks) {
    return this.#change((entries) => entries.map((entry) => (entry.client_id === clientId ? { ...entry, ...marks } : entry)))
  }

  // Returns whether anything changed. Read and written in one go: other tabs write the same list.
  #change(change) {
    const entries = this.entries
    const changed = change(entries)
    const differs = JSON.stringify(changed) !== JSON.stringify(entries)
    if (differs) this.#write(changed)
    return differs
  }

  #recent() {
    return this.entries.filter((entry) => Date.now() - entry.created_at < KEPT_DAYS_MS)
  }

  #write(entries) {
    this.storage.save(this.key, entries.length ? entries : undefined)
  }
}
