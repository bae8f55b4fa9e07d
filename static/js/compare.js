// Tick two versions of a list and compare them.

/** @type {Set<string>} what is ticked: a refresh of the page brings the boxes anew */
const chosen = new Set();

/** @returns {HTMLInputElement[]} */
function boxes() {
  return [...document.querySelectorAll("[data-compare-pick]")].filter((box) => box instanceof HTMLInputElement);
}

/** Exactly two can be compared. */
function show() {
  const there = boxes();
  for (const value of chosen) if (!there.some((box) => box.value === value)) chosen.delete(value);
  for (const box of there) box.checked = chosen.has(box.value);
  for (const button of document.querySelectorAll("[data-compare]")) {
    if (button instanceof HTMLButtonElement) button.disabled = chosen.size !== 2;
  }
}

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || !box.matches("[data-compare-pick]")) return;
  if (box.checked) chosen.add(box.value);
  else chosen.delete(box.value);
  show();
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-compare]") : null;
  if (!(button instanceof HTMLButtonElement) || chosen.size !== 2) return;
  // The older one is on the left.
  const [older, newer] = [...chosen].sort((a, b) => Number(a) - Number(b));
  const address = button.dataset.compare ?? "";
  location.assign(address.replace("1111111111", older).replace("2222222222", newer));
});

document.addEventListener("htmx:afterSettle", show);
show();
