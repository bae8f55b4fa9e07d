// Lines of a list that are moved by their grip: with the mouse, a finger, or the arrow keys.

/**
 * @param {HTMLElement} list whose movable children have [data-index] and a .gp-grip button
 * @param {(from: number, to: number) => void} moved
 */
export function draggable(list, moved) {
  const lines = () => /** @type {HTMLElement[]} */ ([...list.children].filter((child) => child instanceof HTMLElement && child.dataset.index !== undefined));

  list.addEventListener("pointerdown", (event) => {
    const grip = event.target instanceof Element ? event.target.closest(".gp-grip") : null;
    const held = grip?.closest("[data-index]");
    if (!(held instanceof HTMLElement) || event.button !== 0) return;
    event.preventDefault();
    held.classList.add("is-held");
    const move = (/** @type {PointerEvent} */ now) => {
      for (const line of lines()) {
        if (line === held) continue;
        const box = line.getBoundingClientRect();
        if (now.clientY < box.top || now.clientY > box.bottom) continue;
        const over = now.clientY < box.top + box.height / 2;
        if (over && line.previousElementSibling !== held) line.before(held);
        else if (!over && line.nextElementSibling !== held) line.after(held);
      }
    };
    const stop = () => {
      // On the document: the grip itself moves in the tree, which would end its pointer capture.
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", stop);
      document.removeEventListener("pointercancel", stop);
      held.classList.remove("is-held");
      const from = Number(held.dataset.index);
      const to = lines().indexOf(held);
      if (to >= 0 && to !== from) moved(from, to);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", stop);
    document.addEventListener("pointercancel", stop);
  });
  list.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    const grip = event.target instanceof Element ? event.target.closest(".gp-grip") : null;
    const line = grip?.closest("[data-index]");
    if (!step || !(line instanceof HTMLElement)) return;
    event.preventDefault();
    const from = lines().indexOf(line);
    const to = from + step;
    if (to >= 0 && to < lines().length) moved(from, to);
  });
}
