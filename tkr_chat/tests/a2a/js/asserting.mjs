import assert from "node:assert/strict"

export const NEVER = "01a20891-c371-706c-ba8c-560939f9374d" // an id that no task has

export async function all(events) {
  const seen = []
  for await (const event of events) seen.push(event)
  return seen
}

/** The object has at least these fields, with these values. */
export function has(object, fields) {
  for (const [name, value] of Object.entries(fields)) assert.deepEqual(object[name], value, name)
}

/** An error whose class begins like this. */
export const named = beginning => error => {
  const name = error.name === "Error" ? error.constructor.name : error.name
  assert.ok(name.startsWith(beginning) || error.constructor.name.startsWith(beginning), `${name}: ${error.message}`)
  return true
}
