// A classic script in the head: what it does must be done before the first paint.
(() => {
  try {
    const theme = localStorage.getItem("theme")
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
  } catch {
    // Storage is switched off: the system's theme it is.
  }

  // A conversation opens at its end, also while the page is still arriving.
  const keepAtEnd = () => {
    const scroller = document.getElementById("scroller")
    if (scroller) scroller.scrollTop = scroller.scrollHeight
  }
  const observer = new MutationObserver(keepAtEnd)
  observer.observe(document, { childList: true, subtree: true })
  document.addEventListener("DOMContentLoaded", () => {
    observer.disconnect()
    keepAtEnd()
  })
})()
