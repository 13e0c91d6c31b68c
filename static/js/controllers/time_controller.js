import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { clock, clockWithSeconds, dayName, inFull, inShort, sinceWhen } from "../helpers/time.js"

const STYLES = {
  day: (moment) => `${dayName(moment)}, ${clock(moment)}`,
  seconds: clockWithSeconds,
  short: (moment) => inShort(moment),
  since: (moment) => sinceWhen(moment),
}

// A moment, as the clock shows it where the reader is.
export default class extends Controller {
  static values = { style: { type: String, default: "day" } }

  connect() {
    const moment = new Date(this.element.dateTime)
    this.element.textContent = STYLES[this.styleValue](moment)
    this.element.title = inFull(moment)
  }
}
