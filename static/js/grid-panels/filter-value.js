// The field for a condition's value: a list, a number, a length, a date, a text, yes or no.

import { gettext } from "../i18n.js";
import { parseLength } from "../timecode.js";
import { debounce, isComposing } from "../util.js";
import { combo } from "./combo.js";
import { h, select } from "./dom.js";
import { takesNothing, takesSeveral } from "./filter-words.js";

/** @typedef {import("../grid/stream.js").Column} Column */

const WAIT = 250;
const LISTS = new Set(["choice", "status", "person", "reference", "references"]);

/**
 * @param {import("./index.js").Panels} panels @param {Column} column @param {string} op @param {any} value
 * @param {(value: any) => void} change @param {string} key @returns {HTMLElement | null}
 */
export function valueField(panels, column, op, value, change, key) {
  const label = gettext("Value");
  if (takesNothing(op)) return null;
  if (column.type === "tick") {
    return select(label, [["true", gettext("Yes")], ["false", gettext("No")]], String(value !== false), (text) => change(text === "true"), { "data-key": key });
  }
  if (LISTS.has(column.type)) {
    const several = takesSeveral(op);
    const held = Array.isArray(value) ? value : value === null || value === undefined ? [] : [value];
    return combo({ label, options: panels.grid.options(column.options), value: held, several, key, change: (ids) => change(several ? ids : ids[0] ?? null) });
  }
  if (column.type === "date") {
    return h("input", { class: "input s", type: "date", "aria-label": label, value: value ?? "", "data-key": key, onchange: (/** @type {Event} */ event) => change(/** @type {HTMLInputElement} */ (event.target).value || null) });
  }
  if (column.type === "duration" || column.type === "number") return numberField(panels, column, value, change, key, label);
  return typed(label, value ?? "", key, (input) => change(input.value));
}

/** @param {import("./index.js").Panels} panels @param {Column} column @param {any} value @param {(value: any) => void} change @param {string} key @param {string} label */
function numberField(panels, column, value, change, key, label) {
  const { values } = panels.grid;
  const text = typeof value === "number" ? (column.type === "duration" ? values.length(value) : String(value)) : "";
  const read = (/** @type {string} */ typedText) => {
    if (column.type === "duration") return parseLength(typedText, values.rate);
    const number = Number(typedText.replace(/[,\s]/g, ""));
    return typedText.trim() && Number.isFinite(number) ? number : null;
  };
  return typed(
    label,
    text,
    key,
    (input) => {
      const number = read(input.value);
      const wrong = Boolean(input.value.trim()) && number === null;
      input.setAttribute("aria-invalid", String(wrong));
      input.title = wrong ? (column.type === "duration" ? gettext("Write 4s, 96 (frames) or 00:00:04:00.") : gettext("Write a number.")) : "";
      change(number);
    },
    column.type === "duration" ? "4s, 96, 00:00:04:00" : "0",
  );
}

/** A text that counts when it rests, whole syllables only. @param {string} label @param {string} value @param {string} key @param {(input: HTMLInputElement) => void} done @param {string} [placeholder] */
function typed(label, value, key, done, placeholder = "") {
  const input = /** @type {HTMLInputElement} */ (h("input", { class: "input s", type: "text", maxlength: 500, "aria-label": label, value, placeholder, "data-key": key, autocomplete: "off" }));
  let composing = false;
  let last = value;
  const rest = debounce(() => {
    if (composing || input.value === last) return;
    last = input.value;
    done(input);
  }, WAIT);
  input.addEventListener("compositionstart", () => (composing = true));
  input.addEventListener("compositionend", () => {
    composing = false;
    rest();
  });
  input.addEventListener("input", rest);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || isComposing(event)) return;
    event.preventDefault();
    last = input.value;
    done(input);
  });
  return input;
}
