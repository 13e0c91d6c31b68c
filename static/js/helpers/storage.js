// localStorage as JSON. It may be full or switched off; then things last as long as the page.
const kept = new Map()

export function load(key, otherwise) {
  try {
    const text = localStorage.getItem(key)
    return text === null ? (kept.get(key) ?? otherwise) : JSON.parse(text)
  } catch {
    return kept.get(key) ?? otherwise
  }
}

export function save(key, value) {
  try {
    if (value === undefined) localStorage.removeItem(key)
    else localStorage.setItem(key, JSON.stringify(value))
    kept.delete(key)
  } catch {
    kept.set(key, value)
  }
}
