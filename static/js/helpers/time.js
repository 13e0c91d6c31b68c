const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" })
const SECONDS = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" })
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" })
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" })
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" })
const SHORT = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" })
const SHORT_WITH_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" })
const DAY_MS = 24 * 3600 * 1000

export const clock = (date) => CLOCK.format(date)
export const clockWithSeconds = (date) => SECONDS.format(date)
export const inFull = (date) => FULL.format(date)

// The same for all moments of one day, where the reader is.
export function dayKey(date) {
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`
}

// Where there is little room: the day, and today the clock.
export function inShort(date, now = new Date()) {
  if (dayKey(date) === dayKey(now)) return clock(date)
  return (date.getFullYear() === now.getFullYear() ? SHORT : SHORT_WITH_YEAR).format(date)
}

// Behind the word "since".
export function sinceWhen(date, now = new Date()) {
  const day = dayName(date, now).replace("Yesterday", "yesterday")
  return dayKey(date) === dayKey(now) ? clock(date) : `${day}, ${clock(date)}`
}

export function dayName(date, now = new Date()) {
  if (dayKey(date) === dayKey(now)) return "Today"
  if (dayKey(date) === dayKey(new Date(now - DAY_MS))) return "Yesterday"
  return date.getFullYear() === now.getFullYear() ? WEEKDAY.format(date) : DATE.format(date)
}
