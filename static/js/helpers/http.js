// Words for the person when there is no answer to quote.
const UNREACHABLE = "The server cannot be reached. Check your connection and try again."

export class RequestFailed extends Error {}

// Calls the REST API; returns the parsed answer, or raises `RequestFailed` with words for the person.
export async function request(method, path, body) {
  const form = body instanceof FormData
  const headers = { "X-CSRFToken": csrfToken(), Accept: "application/json" }
  if (body && !form) headers["Content-Type"] = "application/json"
  const response = await answered(path, { method, headers, body: form ? body : body && JSON.stringify(body) })
  const answer = await response.json().catch(() => null)
  if (!response.ok) throw new RequestFailed(answer?.error?.message ?? `The server answered ${response.status}.`)
  return answer
}

// A page or fragment as text.
export async function fetchHtml(path) {
  const response = await answered(path, { headers: { Accept: "text/html" } })
  if (!response.ok || response.redirected) throw new RequestFailed(`The server answered ${response.status}.`)
  return response.text()
}

async function answered(path, options) {
  try {
    return await fetch(path, { credentials: "same-origin", ...options })
  } catch {
    throw new RequestFailed(UNREACHABLE)
  }
}

function csrfToken() {
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? ""
}
