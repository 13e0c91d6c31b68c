import { Controller } from "../../vendor/stimulus-3.2.2.js"

// Keeps the composer above a phone's keyboard where the browser does not resize the page for it.
export default class extends Controller {
  connect() {
    this.resized = () => this.#fit()
    window.visualViewport?.addEventListener("resize", this.resized)
  }

  disconnect() {
    window.visualViewport?.removeEventListener("resize", this.resized)
  }

  #fit() {
    const { height, scale } = window.visualViewport
    const covered = scale === 1 && window.innerHeight - height > 1
    const style = document.documentElement.style
    covered ? style.setProperty("--visible-height", `${height}px`) : style.removeProperty("--visible-height")
    if (covered) window.scrollTo(0, 0)
  }
}
