const FIRST_MS = 500
const LONGEST_MS = 20_000

// How long to wait before the next attempt: twice as long each time, and never the same in two browsers at once,
// for a server that comes back must not be met by everybody in the same moment.
export class Backoff {
  #attempts = 0

  constructor(random = Math.random) {
    this.random = random
  }

  next() {
    const longest = Math.min(FIRST_MS * 2 ** this.#attempts++, LONGEST_MS)
    return longest / 2 + this.random() * (longest / 2)
  }

  reset() {
    this.#attempts = 0
  }
}
