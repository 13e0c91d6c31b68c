const FENCE = /^ {0,3}(`{3,}|~{3,})/
const TOKENS = /(`[^`]+`)|(\*\*[^*\s](?:[^*]*[^*\s])?\*\*)|(\*[^*\s](?:[^*]*[^*\s])?\*)/

// Shows the open end of a text that streams. Only its last line ever changes, so only that is written again. The most
// common marks are dressed up, for they would jump otherwise when the server's HTML takes their place.
export class Tail {
  #shown = []

  constructor(element) {
    this.element = element
    element.textContent = ""
  }

  show(text) {
    const lines = text.replace(/^\s*\n/, "").split("\n")
    const fence = FENCE.test(lines[0])
    this.element.classList.toggle("tail-code", fence)
    if (fence) lines.shift()
    if (lines.length === 1 && !lines[0]) lines.pop()
    lines.forEach((line, index) => this.#showLine(line, index, fence))
    while (this.#shown.length > lines.length) {
      this.#shown.pop()
      this.element.lastElementChild.remove()
    }
  }

  #showLine(line, index, fence) {
    if (this.#shown[index] === line) return
    this.#shown[index] = line
    const element = this.element.children[index] ?? this.#newLine()
    element.replaceChildren(...(fence ? [line] : dressed(line)))
  }

  #newLine() {
    const element = document.createElement("span")
    element.className = "tail-line"
    this.element.append(element)
    return element
  }
}

function dressed(line) {
  const plain = line.replace(/^(\s*)[-*+] (?=\S)/, "$1•  ").replace(/^#{1,6} (.*)$/, "**$1**")
  return plain.split(TOKENS).filter(Boolean).map(dress)
}

function dress(token) {
  if (/^`.+`$/.test(token)) return wrapped("code", token.slice(1, -1))
  if (/^\*\*.+\*\*$/.test(token)) return wrapped("strong", token.slice(2, -2))
  if (/^\*.+\*$/.test(token)) return wrapped("em", token.slice(1, -1))
  return token
}

function wrapped(tag, text) {
  const element = document.createElement(tag)
  element.textContent = text
  return element
}
