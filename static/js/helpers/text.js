// The server counts characters (Unicode code points), JavaScript counts UTF-16 units: they differ outside the BMP.
const SURROGATE = /[\ud800-\udfff]/

export function lengthOf(text) {
  if (!SURROGATE.test(text)) return text.length
  let length = 0
  for (const _ of text) length++
  return length
}

// The text without its first `count` characters.
export function dropStart(text, count) {
  if (count <= 0) return text
  if (!SURROGATE.test(text)) return text.slice(count)
  let units = 0
  for (const character of text) {
    if (count-- === 0) break
    units += character.length
  }
  return text.slice(units)
}
