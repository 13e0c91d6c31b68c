import { load, save } from "../helpers/storage.js"

const KEPT_DAYS_MS = 7 * 24 * 3600 * 1000

// What was chosen on cards of the brake and is not confirmed yet: shared by all tabs of one person, and there after a
// reload. One for each task: { task, choice, created_at }.
export class Decisions {
  constructor(user, storage = { load, save }) {
    this.key = `decisions:${user}`
    this.storage = storage
  }

  get waiting() {
    return this.storage.load(this.key, []).filter((one) => Date.now() - one.created_at < KEPT_DAYS_MS)
  }

  find(task) {
    return this.waiting.find((one) => one.task === task)
  }

  add(task, choice) {
    this.#write([...this.#without(task), { task, choice, created_at: Date.now() }])
  }

  remove(task) {
    this.#write(this.#without(task))
  }

  #without(task) {
    return this.waiting.filter((one) => one.task !== task)
  }

  #write(decisions) {
    this.storage.save(this.key, decisions.length ? decisions : undefined)
  }
}
