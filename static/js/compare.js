// Tick two versions of a list and compare them.

/** @returns {HTMLInputElement[]} the boxes that are ticked, as they stand in the list */
function picked() {
  return [...document.querySelectorAll("[data-compare-pick]")].filter((box) => box instanceof HTMLInputElement && box.checked);
}

/** Exactly two can be compared. */
function show() {
  const ready = picked().length === 2;
  for (const button of document.querySelectorAll("[data-compare]")) {
    if (button instanceof HTMLButtonElement) button.disabled = !ready;
  }
}

document.addEventListener("change", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-compare-pick]")) show();
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-compare]") : null;
  const [first, second] = picked();
  if (!(button instanceof HTMLButtonElement) || !first || !second) return;
  // The older one is on the left: the list begins with the newest.
  const address = button.dataset.compare ?? "";
  location.assign(address.replace("1111111111", second.value).replace("2222222222", first.value));
});

// A refresh of the page writes the button anew.
document.addEventListener("htmx:afterSettle", show);
