import { Backoff } from "./backoff.js"

const SIGNED_OUT = 4401
const CONNECT_TIMEOUT_MS = 10_000
const ANSWER_TIMEOUT_MS = 10_000
const LONGEST_ANSWER_MS = 40_000
const STEADY_MS = 20_000 // a connection that held so long was a good one, even if nothing came over it
const ANSWERED = ["conversation.open", "message.post"] // frames the server always answers

// One WebSocket that comes back. `on` receives `state(name)`, `frame(object)` and `signedOut()`.
export class Connection {
  #socket = null
  #timer = null
  #answer = null
  #backoff = new Backoff()
  #patience = ANSWER_TIMEOUT_MS
  #openedAt = Infinity
  #closed = false

  constructor(url, on) {
    this.url = url
    this.on = on
    this.state = "connecting"
  }

  get isOpen() {
    return this.state === "open"
  }

  open() {
    this.#closed = false
    this.#connect()
  }

  close() {
    this.#closed = true
    this.#forgetSocket()
    clearTimeout(this.#timer)
  }

  // False: not connected; whoever sends must send again on the next `session.opened`.
  send(frame) {
    if (!this.isOpen) return false
    this.#socket.send(JSON.stringify(frame))
    // A connection that died while the machine slept looks open for minutes; a missing answer tells sooner.
    if (ANSWERED.includes(frame.type)) this.#answer ??= setTimeout(() => this.#loseSilent(), this.#patience)
    return true
  }

  // The browser says the network is back, or the page was asleep: do not wait for the timer.
  retryNow() {
    if (this.isOpen || this.#closed || this.#socket) return
    this.#backoff.reset()
    this.#connect()
  }

  networkLost() {
    if (this.#closed) return
    this.#forgetSocket()
    this.#changeState("offline")
    this.#retryLater()
  }

  #connect() {
    clearTimeout(this.#timer)
    this.#forgetSocket()
    this.#changeState("connecting")
    const socket = new WebSocket(this.url)
    this.#socket = socket
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data))
    socket.onclose = ({ code }) => this.#lost(code)
    this.#timer = setTimeout(() => this.#lost(), CONNECT_TIMEOUT_MS)
  }

  #receive(frame) {
    this.#stopWaiting()
    if (frame.type === "session.opened") {
      clearTimeout(this.#timer)
      this.#openedAt = performance.now()
      this.#changeState("open")
    } else {
      this.#backoff.reset()
      this.#patience = ANSWER_TIMEOUT_MS
    }
    this.on.frame(frame)
  }

  // A server that many pages come back to at once answers late. Who asks it anew too soon only makes it later.
  #loseSilent() {
    this.#patience = Math.min(2 * this.#patience, LONGEST_ANSWER_MS)
    this.#lost()
  }

  #lost(code) {
    this.#forgetSocket()
    if (this.#closed) return
    if (code === SIGNED_OUT) return this.on.signedOut()
    this.#changeState("offline")
    this.#retryLater()
  }

  #retryLater() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#connect(), this.#backoff.next())
  }

  #stopWaiting() {
    clearTimeout(this.#answer)
    this.#answer = null
  }

  #forgetSocket() {
    this.#stopWaiting()
    if (performance.now() - this.#openedAt > STEADY_MS) this.#backoff.reset()
    this.#openedAt = Infinity
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onmessage = socket.onclose = null
    socket.close()
  }

  #changeState(state) {
    if (state === this.state) return
    this.state = state
    this.on.state(state)
  }
}
