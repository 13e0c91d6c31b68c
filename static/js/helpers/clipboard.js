// The modern way needs TLS or this machine; the old one works on a server in the local network too.
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement("textarea")
  area.value = text
  area.className = "visually-hidden"
  document.body.append(area)
  area.select()
  document.execCommand("copy")
  area.remove()
}

// Says "Copied" on a button for a moment.
export function confirmCopy(button, word = "Copied") {
  const before = button.textContent
  button.textContent = word
  setTimeout(() => { button.textContent = before }, 1600)
}
