import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { tell } from "../helpers/dom.js"
import { Connection } from "../models/connection.js"

const RELOADED_KEY = "reloaded-for-version"

// Between the WebSocket and the page: each frame becomes an event `frame:<noun>-<past>`, `frame:send` goes out.
export default class extends Controller {
  static values = { url: String, version: Number }

  connect() {
    const url = new URL(this.urlValue, location.href)
    url.protocol = url.protocol.replace("http", "ws")
    this.connection = new Connection(url.href, {
      frame: (frame) => this.#receive(frame),
      state: (state) => this.#changeState(state),
      signedOut: () => location.reload(),
    })
    this.connection.open()
  }

  disconnect() {
    this.connection.close()
  }

  send({ detail }) {
    this.connection.send(detail)
  }

  online() {
    this.connection.retryNow()
  }

  offline() {
    this.connection.networkLost()
  }

  wake() {
    if (!document.hidden) this.connection.retryNow()
  }

  // A page that the browser kept for "back" comes alive again.
  sleep() {
    this.connection.close()
  }

  revive({ persisted }) {
    if (persisted) this.connection.open()
  }

  #receive(frame) {
    if (frame.type === "session.opened") this.#opened(frame)
    tell("frame:any", frame)
    tell(`frame:${frame.type.replace(".", "-")}`, frame)
  }

  #opened({ user, version, traces }) {
    if (user !== document.body.dataset.user || (version !== this.versionValue && this.#mayReload(version))) location.reload()
    else tell("connection:opened", { traces: Boolean(traces) })
  }

  #mayReload(version) {
    if (sessionStorage.getItem(RELOADED_KEY) === String(version)) return false
    sessionStorage.setItem(RELOADED_KEY, version)
    return true
  }

  #changeState(state) {
    document.documentElement.dataset.connection = state
    tell("connection:changed", state)
  }
}
