// The naming page: what a template would make is shown while it is written, and tokens are put in by a click.

import { debounce, htmx, onElements } from "./util.js";

const WAIT = 250;

/** Characters as the server counts them: a place is a number of code points. @param {string} text @param {number} place */
export function unitsBefore(text, place) {
  return [...text].slice(0, place).join("").length;
}

/** @param {string} id @returns {HTMLInputElement | null} */
function inputOf(id) {
  const found = document.getElementById(id);
  return found instanceof HTMLInputElement ? found : null;
}

/** Put a token where the cursor was, over what was selected. @param {HTMLInputElement} input @param {string} token */
function insert(input, token) {
  input.focus();
  const start = input.selectionStart ?? input.value.length;
  input.setRangeText(token, start, input.selectionEnd ?? start, "end");
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Show where the error is. @param {HTMLInputElement} input @param {number} place @param {number} length */
function select(input, place, length) {
  input.focus();
  input.setSelectionRange(unitsBefore(input.value, place), unitsBefore(input.value, place + Math.max(length, 1)));
}

/** @param {HTMLElement} form */
function watch(form) {
  if (!(form instanceof HTMLFormElement)) return;
  let composing = false;
  let asked = "";
  const rows = form.querySelector("[data-preview]");
  const url = rows instanceof HTMLElement ? rows.dataset.preview ?? "" : "";

  const ask = () => {
    const values = Object.fromEntries(inputs().map((input) => [input.name, input.value]));
    const question = JSON.stringify(values);
    if (composing || question === asked) return;
    asked = question;
    // A newer question takes the place of one that is under way: `source` makes htmx abort it.
    htmx().trigger(rows, "htmx:abort");
    htmx().ajax("POST", url, { source: rows, swap: "none", values }).catch(() => {});
  };
  const soon = debounce(ask, WAIT);
  const inputs = () => [...form.querySelectorAll("input[data-default]")].filter((input) => input instanceof HTMLInputElement);

  form.addEventListener("compositionstart", () => (composing = true));
  form.addEventListener("compositionend", () => {
    composing = false;
    soon();
  });
  form.addEventListener("input", () => {
    dirty();
    soon();
  });
  // What is written and not saved yet must not be wiped by somebody else's change of the project.
  const dirty = () => form.classList.toggle("is-editing", inputs().some((input) => input.value !== input.defaultValue));
  form.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = /** @type {CustomEvent} */ (event).detail;
    if (xhr.status < 400 && target.id === "naming") form.classList.remove("is-editing");
  });
  form.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!(button instanceof HTMLButtonElement)) return;
    const input = inputOf(button.dataset.into ?? "");
    if (input && button.dataset.token) insert(input, button.dataset.token);
    else if (input && button.dataset.place) select(input, Number(button.dataset.place), Number(button.dataset.length));
    else if (button.hasAttribute("data-defaults")) {
      for (const each of inputs()) each.value = each.dataset.default ?? "";
      dirty();
      ask();
    }
  });
  // Pieces that arrived say whether their field is wrong.
  form.addEventListener("htmx:oobAfterSwap", mark);
  document.addEventListener("htmx:afterSettle", mark);

  function mark() {
    let wrong = false;
    for (const input of inputs()) {
      const bad = document.getElementById(`naming-told-${input.name}`)?.hasAttribute("data-wrong") ?? false;
      wrong ||= bad;
      input.toggleAttribute("aria-invalid", bad);
      if (bad) input.setAttribute("aria-invalid", "true");
    }
    form.classList.toggle("is-wrong", wrong);
  }
}

onElements("[data-naming]", watch);
