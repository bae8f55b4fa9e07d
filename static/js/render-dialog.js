// The render dialog: find a workflow while typing; Enter in the search takes the first that is left, elsewhere it starts.
// The estimate follows what is typed, and a file that is brought for an input shows how far it is.

import { debounce, isComposing } from "./util.js";

const REST = 350; // milliseconds without a key before the estimate is asked for

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

/** Only the estimate comes anew: what is typed, and where, stays as it is. */
const askTime = debounce(() => {
  document.querySelector("[data-render-estimate]")?.dispatchEvent(new CustomEvent("aip:typed"));
}, REST);

document.addEventListener("input", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement)) return;
  if ("renderSearch" in box.dataset) narrow(box);
  else if (box.closest("[data-render-form]") && (box.name.startsWith("p.") || box.name === "variants")) askTime();
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
  } else if ("pickerSearch" in box.dataset) {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (form.querySelector(".render-tiles h4 ~ label > input"))?.focus();
  } else if ("presetName" in box.dataset) {
    event.preventDefault();
    form.querySelector("[data-preset-save]")?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  }
});
document.addEventListener("htmx:afterSwap", (event) => {
  // What was refused before may be mended now; the next start says it anew.
  const changed = /** @type {CustomEvent} */ (event).detail.target;
  if (!(changed instanceof HTMLElement) || !["render-params", "render-inputs"].includes(changed.id)) return;
  changed.closest("[data-render-form]")?.querySelector("[data-form-errors]")?.replaceChildren();
});
document.addEventListener("click", (event) => {
  // It goes away with what it clears: the focus goes to its neighbour before.
  const button = event.target instanceof Element ? event.target.closest("[data-input-clear]") : null;
  const opener = button?.parentElement?.querySelector(".render-opener");
  if (opener instanceof HTMLElement) opener.focus();
});
document.addEventListener("htmx:xhr:progress", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !("inputUpload" in input.dataset)) return;
  const bar = input.closest(".render-picker")?.querySelector(".render-upload-bar");
  if (!(bar instanceof HTMLProgressElement)) return;
  const { loaded, total, lengthComputable } = /** @type {CustomEvent} */ (event).detail;
  bar.hidden = !lengthComputable || loaded >= total;
  if (lengthComputable) bar.value = loaded / total;
});
