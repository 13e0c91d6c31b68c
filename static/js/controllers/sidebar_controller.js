import { Controller } from "../../vendor/stimulus-3.2.2.js"
import { elementFrom, fragmentFrom } from "../helpers/dom.js"
import { fetchHtml, RequestFailed } from "../helpers/http.js"
import { placeBeside } from "../helpers/placement.js"
import { load, save } from "../helpers/storage.js"

const READ_KEY = "read" // the last { id, seq } that was read, for the other tabs
const UNREAD_SHOWN = 99

// The list of conversations: newest first, what is unread, which one is open.
export default class extends Controller {
  static targets = ["list", "scroller", "older"]

  connect() {
    this.visited()
  }

  disconnect() {
    this.observer?.disconnect()
    this.observer = undefined
  }

  // -- news

  touched({ detail: { id, html } }) {
    const known = this.#find(id)
    const item = elementFrom(html)
    if (known?.dataset.read) item.dataset.read = known.dataset.read
    item.dataset.unread = Number(known?.dataset.unread ?? 0) + (known?.dataset.seq === item.dataset.seq ? 0 : 1)
    if (known?.dataset.seq === item.dataset.seq) known.replaceWith(item) // renamed, say: nothing to come to the top for
    else {
      known?.remove()
      this.listTarget.prepend(item)
    }
    this.#refresh(item)
  }

  changed({ detail: { id, title } }) {
    const element = this.#find(id)?.querySelector(".conversation-title")
    if (element && title) element.textContent = title
  }

  gone({ detail: { id } }) {
    this.#find(id)?.remove()
  }

  // -- read and unread

  markRead({ detail: { id, seq } }) {
    this.#markRead(id, seq)
    save(READ_KEY, { id, seq })
  }

  syncRead({ key }) {
    if (key !== READ_KEY) return
    const { id, seq } = load(READ_KEY, {})
    this.#markRead(id, seq)
  }

  #markRead(id, seq) {
    const item = this.#find(id)
    if (!item) return
    item.dataset.read = Math.max(Number(item.dataset.read ?? 0), seq)
    if (Number(item.dataset.seq) <= Number(item.dataset.read)) item.dataset.unread = 0
    this.#refresh(item)
  }

  #refresh(item) {
    const link = item.querySelector("a")
    const open = link.pathname === location.pathname
    open ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")
    const unread = Number(item.dataset.seq) > Number(item.dataset.read ?? 0)
    const count = Number(item.dataset.unread)
    item.classList.toggle("unread", unread && !(open && document.hasFocus()))
    item.querySelector("[data-count]").textContent = count > UNREAD_SHOWN ? `${UNREAD_SHOWN}+` : count || ""
  }

  // -- going about

  visited() {
    for (const item of this.listTarget.querySelectorAll("[data-conversation]")) this.#refresh(item)
    this.listTarget.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" })
  }

  step({ detail: { by } }) {
    const links = [...this.listTarget.querySelectorAll("a[data-visit]")]
    const current = links.findIndex((link) => link.hasAttribute("aria-current"))
    links[current < 0 ? 0 : current + by]?.click()
  }

  openMenu({ currentTarget }) {
    const menu = document.getElementById("conversation-menu")
    const item = currentTarget.closest("[data-conversation]")
    menu.dataset.conversation = item.dataset.conversation
    menu.dataset.title = item.querySelector(".conversation-title").textContent
    const { user, staff } = document.body.dataset
    const mine = item.dataset.creator === user
    menu.querySelector("[data-leave]").hidden = mine
    menu.querySelector("[data-delete]").hidden = !mine && staff === undefined
    for (const link of menu.querySelectorAll("[data-export]")) link.href = `/c/${item.dataset.conversation}/export.${link.dataset.export}`
    placeBeside(menu, currentTarget, "below")
    menu.showPopover({ source: currentTarget })
  }

  // -- older conversations

  olderTargetConnected(item) {
    this.observer ??= new IntersectionObserver((entries) => this.#reachedEnd(entries), {
      root: this.scrollerTarget,
      rootMargin: "0px 0px 400px 0px",
    })
    this.observer.observe(item)
  }

  async #reachedEnd(entries) {
    const item = entries.find(({ isIntersecting }) => isIntersecting)?.target
    if (!item) return
    this.observer.unobserve(item)
    try {
      const older = fragmentFrom(await fetchHtml(item.querySelector("a").href))
      for (const entry of older.querySelectorAll("[data-conversation]")) if (this.#find(entry.dataset.conversation)) entry.remove()
      item.replaceWith(older)
      this.visited()
    } catch (failure) {
      if (!(failure instanceof RequestFailed)) throw failure
    }
  }

  #find(id) {
    return document.getElementById(`conversation-item-${id}`)
  }
}
