// W3C Trace Context: the browser's part of a message's way, by whose number the server's parts find it.
export function newTraceparent() {
  return `00-${hex(16)}-${hex(8)}-01`
}

function hex(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
