import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { tell } from "../helpers/dom.js"
import { fetchHtml, RequestFailed } from "../helpers/http.js"

// Goes to another conversation without leaving the page: the server's page is fetched and its main part takes the place
// of ours, while the list and the WebSocket stay. When that fails, the browser goes there by itself.
export default class extends Controller {
  static targets = ["main"]

  #visit = 0

  click(event) {
    const link = event.target.closest("a[data-visit]")
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    this.#go(link.href)
  }

  go({ detail: { path } }) {
    this.#go(new URL(path, location.href).href)
  }

  back() {
    this.#show(location.href)
  }

  reload() {
    this.#show(location.href)
  }

  async #go(url) {
    if (url !== location.href) history.pushState(null, "", url)
    await this.#show(url)
  }

  async #show(url) {
    const visit = ++this.#visit
    try {
      const page = new DOMParser().parseFromString(await fetchHtml(url), "text/html")
      if (visit === this.#visit) this.#swap(page)
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
      if (navigator.onLine) location.assign(url)
      else tell("toast", { text: "You are offline: this opens when the connection is back." })
    }
  }

  #swap(page) {
    document.title = page.title
    this.mainTarget.replaceChildren(...page.getElementById("main").childNodes)
    tell("navigation:visited", { path: location.pathname })
  }
}
