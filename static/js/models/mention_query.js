// The "@wor" a caret stands behind, or null: { start, word }.
export function mentionAt(text, caret) {
  const found = /(?<![\w@./+-])@([\w-]*)$/u.exec(text.slice(0, caret))
  return found && { start: found.index, word: found[1].toLowerCase() }
}

// Options whose id or name begins with the word, then those that contain it.
export function matching(options, word) {
  const begins = options.filter((option) => names(option).some((name) => name.startsWith(word)))
  const contains = options.filter((option) => !begins.includes(option) && names(option).some((name) => name.includes(word)))
  return [...begins, ...contains]
}

// The text with the mention written out, and where the caret belongs.
export function completed(text, caret, start, id) {
  const after = text.slice(caret).replace(/^[\w-]*/, "")
  const mention = `@${id}${/^\s/.test(after) ? "" : " "}`
  const before = text.slice(0, start) + mention
  return { text: before + after, caret: before.length + (/^\s/.test(after) ? 1 : 0) }
}

function names({ id, name }) {
  const words = name.toLowerCase().split(/\s+/)
  return [id.toLowerCase(), ...words]
}
