// The render dialog: find a workflow while typing; Enter in the search takes the first that is left, elsewhere it starts.

import { isComposing } from "./util.js";

/** @param {HTMLInputElement} box */
function narrow(box) {
  const wanted = box.value.normalize("NFC").toLowerCase().trim();
  const form = box.closest("[data-render-form]");
  for (const group of form?.querySelectorAll("[data-render-group]") ?? []) {
    let left = 0;
    for (const row of group.querySelectorAll("[data-render-choice]")) {
      const fits = (row.textContent ?? "").normalize("NFC").toLowerCase().includes(wanted);
      /** @type {HTMLElement} */ (row).hidden = !fits;
      left += Number(fits);
    }
    /** @type {HTMLElement} */ (group).hidden = left === 0;
  }
}

/** @param {Element} form choose the first that the search leaves */
function takeFirst(form) {
  const compare = form.querySelector('[name="mode"][value="compare"]:checked') !== null;
  const kind = compare ? '[name="compare"]' : '[name="choice"]';
  const first = form.querySelector(`[data-render-choice]:not([hidden]) ${kind}:not(:disabled)`);
  if (!(first instanceof HTMLInputElement)) return;
  first.focus();
  if (compare || !first.checked) first.click();
}

document.addEventListener("input", (event) => {
  const box = event.target;
  if (box instanceof HTMLInputElement && "renderSearch" in box.dataset) narrow(box);
});
document.addEventListener("change", (event) => {
  // Searching changes nothing that the server would have to answer.
  if (event.target instanceof HTMLElement && "renderSearch" in event.target.dataset) event.stopPropagation();
}, true);
document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || event.key !== "Enter" || isComposing(event)) return;
  const form = box.closest("[data-render-form]");
  if (!form) return;
  if ("renderSearch" in box.dataset) {
    event.preventDefault();
    takeFirst(form);
  } else if ("presetName" in box.dataset) {
    event.preventDefault();
    form.querySelector("[data-preset-save]")?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  }
});
