import { Controller } from "../../vendor/stimulus-3.2.2.js"

const SECOND_MS = 1000

// How long something has lasted: a clock that runs, as long as there is a moment it began at.
export default class extends Controller {
  connect() {
    this.timer = setInterval(() => this.#show(), SECOND_MS)
    this.#show()
  }

  disconnect() {
    clearInterval(this.timer)
  }

  #show() {
    const began = this.element.dateTime
    this.element.textContent = began ? elapsed((Date.now() - new Date(began)) / SECOND_MS) : ""
  }
}

function elapsed(seconds) {
  const whole = Math.max(Math.floor(seconds), 0)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (number) => String(number).padStart(2, "0")
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
