const MAC = /Mac|iPhone|iPad/.test(navigator.platform)

// "Mod" is ⌘ on a Mac and Ctrl elsewhere.
export function matches(event, shortcut) {
  const keys = shortcut.toLowerCase().split("+")
  const key = keys.pop()
  const mod = keys.includes("mod")
  return event.key.toLowerCase() === key
    && (!keys.includes("shift") || event.shiftKey)
    && event.altKey === keys.includes("alt")
    && event.metaKey === (mod && MAC)
    && event.ctrlKey === (mod && !MAC)
}

export function spelled(shortcut) {
  return shortcut.replace("Mod+", MAC ? "⌘" : "Ctrl ").replace("Shift+", MAC ? "⇧" : "Shift ")
}
