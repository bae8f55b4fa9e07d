// Input methods: a syllable that is being composed belongs to the input method, not to the page.

import { debounce, isComposing } from "./util.js";

const OWNED_KEYS = new Set(["Enter", "Escape", "Tab", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Process", "Unidentified"]);
const SEARCH_WAIT = 220;

/**
 * Searching while typing: `aip:search` is fired on the box when its text rested, never per jamo.
 * Use hx-trigger="aip:search" on the box or its form (the event bubbles).
 * @param {HTMLInputElement} box
 */
function watchSearch(box) {
  let last = box.value;
  let composing = false;
  const fire = debounce(() => {
    if (composing || box.value === last) return;
    last = box.value;
    box.dispatchEvent(new CustomEvent("aip:search", { bubbles: true }));
  }, SEARCH_WAIT);
  box.addEventListener("compositionstart", () => (composing = true));
  box.addEventListener("compositionend", () => {
    composing = false;
    fire();
  });
  box.addEventListener("input", fire);
}

export function startIme() {
  // Capture on window: no shortcut, editor or menu of ours sees a key that the input method uses.
  // The default action stays, the input method needs it.
  for (const type of ["keydown", "keyup"]) {
    window.addEventListener(
      type,
      (event) => {
        const key = /** @type {KeyboardEvent} */ (event);
        if (isComposing(key) && OWNED_KEYS.has(key.key)) event.stopImmediatePropagation();
      },
      true,
    );
  }
  const watched = new WeakSet();
  const arm = (/** @type {Event} */ event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.matches("[data-live-search]") || watched.has(box)) return;
    watched.add(box);
    watchSearch(box);
  };
  document.addEventListener("focusin", arm);
}
