const GAP_PX = 6
const EDGE_PX = 8

// Puts a popover at its button, held by the edges that are known before it has a size.
export function placeBeside(popover, button, place) {
  const box = button.getBoundingClientRect()
  const above = place.startsWith("above") || box.bottom > innerHeight * 0.66
  const atEnd = place.endsWith("end")
  popover.style.top = above ? "auto" : `${box.bottom + GAP_PX}px`
  popover.style.bottom = above ? `${innerHeight - box.top + GAP_PX}px` : "auto"
  popover.style.left = atEnd ? "auto" : `${Math.max(box.left, EDGE_PX)}px`
  popover.style.right = atEnd ? `${Math.max(innerWidth - box.right, EDGE_PX)}px` : "auto"
}
