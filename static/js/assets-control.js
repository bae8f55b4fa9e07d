// One field of a row that saves itself: its control read and written as the value that the API takes.

import { gettext } from "./i18n.js";
import { outfitsControl } from "./assets-outfits.js";

/**
 * @typedef {object} Control
 * @property {() => any} read the value for the API; undefined while what is typed is no value yet
 * @property {(value: any) => void} write
 * @property {boolean} immediate saved at a change, not after a pause
 */

/** @param {HTMLElement} holder a [data-field] @returns {Control | null} */
export function controlOf(holder) {
  if ("outfits" in holder.dataset) return outfitsControl(holder);
  const element = holder.querySelector("[data-control]");
  if (element instanceof HTMLInputElement && element.type === "checkbox") {
    return { read: () => element.checked, write: (value) => (element.checked = Boolean(value)), immediate: true };
  }
  if (element instanceof HTMLInputElement && element.type === "number") return numberControl(element);
  if (element instanceof HTMLSelectElement) return selectControl(element);
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) {
    return { read: () => element.value, write: (value) => (element.value = String(value ?? "")), immediate: false };
  }
  return null;
}

/** @param {HTMLInputElement} element @returns {Control} */
function numberControl(element) {
  return {
    read: () => {
      if (element.validity.badInput) return undefined;
      if (element.value === "") return element.required ? undefined : null;
      return Number(element.value);
    },
    write: (value) => (element.value = value === null || value === undefined ? "" : String(value)),
    immediate: false,
  };
}

const TRUTH = /** @type {Record<string, boolean | null>} */ ({ true: true, false: false, unknown: null, "": null });

/** @param {HTMLSelectElement} element @returns {Control} */
function selectControl(element) {
  // Yes, no and "as it is elsewhere"; a number of a row; a word.
  const tristate = [...element.options].some((option) => option.value === "true");
  return {
    read: () => {
      if (tristate) return TRUTH[element.value] ?? null;
      if (element.value === "") return null;
      return /^\d+$/.test(element.value) ? Number(element.value) : element.value;
    },
    write: (value) => {
      const none = [...element.options].some((option) => option.value === "unknown") ? "unknown" : "";
      element.value = value === null || value === undefined ? none : String(value);
    },
    immediate: true,
  };
}

/** A value as people read it, for the choice between two. @param {HTMLElement} holder @param {any} value @returns {string} */
export function wordsOf(holder, value) {
  if (value === true) return gettext("Yes");
  if (value === false) return gettext("No");
  if (Array.isArray(value)) {
    return value.map((row) => (row.description ? `${row.name}: ${row.description}` : row.name)).join("\n");
  }
  const element = holder.querySelector("select[data-control]");
  if (element instanceof HTMLSelectElement) {
    const option = [...element.options].find((one) => one.value === String(value ?? ""));
    return option?.textContent ?? "";
  }
  return String(value ?? "");
}
