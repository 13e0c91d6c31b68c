// The element that a piece of the server's HTML stands for.
export function elementFrom(html) {
  const template = document.createElement("template")
  template.innerHTML = html.trim()
  return template.content.firstElementChild
}

export function fragmentFrom(html) {
  const template = document.createElement("template")
  template.innerHTML = html
  return template.content
}

export function cloneTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true)
}

export function tell(name, detail) {
  window.dispatchEvent(new CustomEvent(name, { detail }))
}

export function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") != null
}
