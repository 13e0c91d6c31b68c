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

// Before newer HTML takes the place of an element: gives the focus back to the same control, if it was on one inside.
export function keepFocus(old) {
  const control = document.activeElement
  if (!control || !old.contains(control)) return () => {}
  const number = controlsLike(control, old).indexOf(control)
  return (fresh) => controlsLike(control, fresh)[number]?.focus({ preventScroll: true })
}

function controlsLike(control, element) {
  const name = (one) => one.getAttribute("aria-label") ?? one.textContent
  return [...element.querySelectorAll(control.tagName)].filter((one) => name(one) === name(control))
}

export function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") != null
}
