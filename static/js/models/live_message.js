import { dropStart, lengthOf } from "../helpers/text.js"

export const GAP = "gap" // pieces are missing: ask the server for the conversation's present

// What is known of a message that streams: the open tail, from character `start` to character `end`.
export class LiveMessage {
  constructor(start, tail) {
    this.start = start
    this.tail = tail
    this.end = start + lengthOf(tail)
  }

  // A piece that begins at character `offset`. Returns the text that is new, or GAP.
  append(offset, text) {
    if (offset > this.end) return GAP
    const fresh = offset === this.end ? text : dropStart(text, this.end - offset)
    this.tail += fresh
    this.end += lengthOf(fresh)
    return fresh
  }

  // The text before character `upto` is rendered now. Returns whether it was not before, or GAP.
  settle(upto) {
    if (upto <= this.start) return false
    if (upto > this.end) return GAP
    this.tail = dropStart(this.tail, upto - this.start)
    this.start = upto
    return true
  }
}
