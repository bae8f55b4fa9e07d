// Colours of pills and tags, mixed once. A colour that a style rule mixes is mixed anew for every element that it
// matches: with a few hundred cells in sight that was half of the time of a scrolled frame.

/** @type {Map<string, {background: string, color: string}>} */
const mixed = new Map();

/**
 * Give an element the colours that its own rules give, as plain values.
 * @param {HTMLElement} element not in the page yet @param {string} key what its colours depend on
 */
export function tint(element, key) {
  let found = mixed.get(key);
  if (!found) {
    const probe = /** @type {HTMLElement} */ (element.cloneNode(false));
    probe.classList.add("sr");
    document.body.append(probe);
    const style = getComputedStyle(probe);
    found = { background: style.backgroundColor, color: style.color };
    probe.remove();
    mixed.set(key, found);
  }
  element.style.backgroundColor = found.background;
  element.style.color = found.color;
}
