// What the page knows of an agent, wherever it stands.
export function agentOnPage(id) {
  const known = document.querySelector(`[data-mention="${CSS.escape(id)}"]`)
  const avatar = document.querySelector(`.avatar[data-agent="${CSS.escape(id)}"]`)
  const author = document.querySelector(`.message[data-author="agent:${CSS.escape(id)}"] > .message-header > .message-author`)
  const name = known?.dataset.name ?? author?.textContent ?? id
  return { id, name, initials: avatar?.textContent ?? name[0].toUpperCase() }
}

// Those a message written here can call.
export function mentionableAgents() {
  const chosen = [...document.querySelectorAll("#main [data-mention]")].filter(takesPart)
  return chosen.map(({ dataset }) => ({ ...agentOnPage(dataset.mention), name: dataset.name, description: dataset.description, downSince: dataset.downSince, onHold: "onHold" in dataset }))
}

// A remote agent went down, came back, or is held back because its card changed.
export function markAgent(id, { down_since: since, on_hold: onHold }) {
  for (const { dataset } of document.querySelectorAll(`[data-mention="${CSS.escape(id)}"]`)) {
    since ? (dataset.downSince = since) : delete dataset.downSince
    onHold ? (dataset.onHold = "") : delete dataset.onHold
  }
}

export function paintAvatar(element, agent) {
  element.dataset.agent = agent.id
  element.textContent = agent.initials
}

function takesPart(element) {
  return element.querySelector("[role=switch]")?.checked ?? true
}
