const NEAR_PX = 64
const END_PX = 4

// Stays at the end while the reader is there, and never moves a reader who is not.
export class ScrollManager {
  constructor(scroller) {
    this.scroller = scroller
    this.atEnd = true
    this.top = 0
  }

  // Call on every scroll. Going up by a little means "stop here", also close to the end. Where `toEnd` went is no news:
  // its event comes late, when the thread may have grown already.
  note() {
    const { scrollTop } = this.scroller
    if (scrollTop === this.top) return
    this.atEnd = scrollTop < this.top ? this.distance < END_PX : this.atEnd || this.distance < NEAR_PX
    this.top = scrollTop
  }

  get distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller
    return scrollHeight - scrollTop - clientHeight
  }

  follow() {
    if (this.atEnd) this.toEnd()
  }

  toEnd(behavior = "instant") {
    this.atEnd = true
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior })
    this.top = this.scroller.scrollTop
  }

  // What is on the screen stays where it is while `change` adds something above it.
  keepPlace(thread, change) {
    const before = this.distance
    thread.classList.add("is-prepending") // the browser's own anchoring would correct a second time
    change()
    this.scroller.scrollTop += this.distance - before
    this.top = this.scroller.scrollTop
    thread.classList.remove("is-prepending")
  }
}
