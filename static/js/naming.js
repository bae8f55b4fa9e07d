// The naming page: what a template would make is shown while it is written, and tokens are put in by a click.

import { debounce, htmx, isComposing, onElements } from "./util.js";

const WAIT = 250;

/**
 * Where a place that the server named lies in the field: the server counts characters, the browser halves of some.
 * @param {string} text @param {number} place @returns {number}
 */
export function unitsBefore(text, place) {
  return [...text].slice(0, place).join("").length;
}

/** @param {string | undefined} id @returns {HTMLTextAreaElement | null} */
function fieldOf(id) {
  const found = id ? document.getElementById(id) : null;
  return found instanceof HTMLTextAreaElement ? found : null;
}

/** Put a token where the cursor was, over what was selected. @param {HTMLTextAreaElement} field @param {string} token */
function insert(field, token) {
  field.focus();
  field.setRangeText(token, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Show where the error is. @param {HTMLTextAreaElement} field @param {number} place @param {number} length */
function select(field, place, length) {
  field.focus();
  field.setSelectionRange(unitsBefore(field.value, place), unitsBefore(field.value, place + Math.max(length, 1)));
}

/** @param {HTMLElement} form */
function watch(form) {
  if (!(form instanceof HTMLFormElement)) return;
  let composing = false;
  let asked = "";
  const rows = form.querySelector("[data-preview]");
  const url = rows instanceof HTMLElement ? (rows.dataset.preview ?? "") : "";

  /** @returns {HTMLTextAreaElement[]} */
  const fields = () => /** @type {HTMLTextAreaElement[]} */ ([...form.querySelectorAll("textarea[data-template]")]);

  const ask = () => {
    const values = Object.fromEntries(fields().map((field) => [field.name, field.value]));
    const question = JSON.stringify(values);
    if (composing || question === asked) return;
    asked = question;
    // Only the answer to the newest question counts.
    htmx().trigger(rows, "htmx:abort");
    htmx().ajax("POST", url, { source: rows, swap: "none", values }).catch(() => {});
  };
  const soon = debounce(ask, WAIT);

  // What is written and not saved yet must not be wiped by somebody else's change of the project.
  const dirty = () => form.classList.toggle("is-editing", fields().some((field) => field.value !== field.defaultValue));

  const mark = () => {
    for (const field of fields()) {
      if (document.getElementById(`naming-told-${field.name}`)?.hasAttribute("data-wrong")) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  };

  form.addEventListener("compositionstart", () => (composing = true));
  form.addEventListener("compositionend", () => {
    composing = false;
    dirty();
    soon();
  });
  form.addEventListener("input", (event) => {
    const field = event.target;
    // A template is one line; what is pasted from elsewhere may end with a line break.
    if (field instanceof HTMLTextAreaElement && !composing && /[\r\n]/.test(field.value)) field.value = field.value.replace(/[\r\n]+/g, "");
    dirty();
    soon();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || isComposing(event) || !(event.target instanceof HTMLTextAreaElement)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!(button instanceof HTMLButtonElement)) return;
    const field = fieldOf(button.dataset.into);
    if (field && button.dataset.token) insert(field, button.dataset.token);
    else if (field && button.dataset.place) select(field, Number(button.dataset.place), Number(button.dataset.length));
    else if (button.hasAttribute("data-defaults")) {
      for (const each of fields()) each.value = each.dataset.default ?? "";
      dirty();
      ask();
    }
  });
  form.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, elt } = /** @type {CustomEvent} */ (event).detail;
    if (elt === form && xhr.status < 400) form.classList.remove("is-editing");
  });
  // The answer's pieces stand in their places: the fields say whether they are wrong.
  rows?.addEventListener("htmx:afterRequest", () => setTimeout(mark));
}

onElements("[data-naming]", watch);
