// Gathers changes to the page and makes them together, once before the next paint.
export class FrameWriter {
  #jobs = new Map()
  #requested = false

  constructor(after = () => {}) {
    this.after = after
  }

  // A later job of the same key replaces an earlier one.
  write(key, job) {
    this.#jobs.set(key, job)
    if (this.#requested) return
    this.#requested = true
    if (document.hidden) setTimeout(() => this.flush(), 200) // a hidden page gets no animation frames
    else requestAnimationFrame(() => this.flush())
  }

  flush() {
    this.#requested = false
    const jobs = [...this.#jobs.values()]
    this.#jobs.clear()
    for (const job of jobs) job()
    if (jobs.length) this.after()
  }
}
