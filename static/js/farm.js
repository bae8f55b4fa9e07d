// The farm page: filters in the address, rows chosen for an action on all of them, keys, pauses.
//
// Keys: j/k or the arrows go through the rows, Space chooses, Enter opens, a chooses all, Esc none.

import { openDialog } from "./dialogs.js";
import { startPreviews } from "./farm-preview.js";
import { fill, ngettext } from "./i18n.js";
import { isTextField, keyName } from "./util.js";

/** @type {Set<string>} */
const chosen = new Set();
let current = "";
let last = "";

/** @returns {HTMLTableRowElement[]} */
function rows() {
  return [...document.querySelectorAll("[data-farm-table] tbody tr[data-job]")].map((row) => /** @type {HTMLTableRowElement} */ (row));
}

/** @param {HTMLElement} row @returns {string} */
const idOf = (row) => row.dataset.job ?? "";

/** Show what is chosen: the rows come anew from the server while people choose among them. */
function paint() {
  const present = new Set(rows().map(idOf));
  for (const id of [...chosen]) if (!present.has(id)) chosen.delete(id);
  if (!present.has(current)) current = "";
  for (const row of rows()) {
    const picked = chosen.has(idOf(row));
    const box = row.querySelector("[data-farm-pick]");
    if (box instanceof HTMLInputElement) box.checked = picked;
    row.setAttribute("aria-selected", String(picked));
    row.toggleAttribute("data-current", idOf(row) === current);
  }
  const all = document.querySelector("[data-farm-all]");
  if (all instanceof HTMLInputElement) {
    all.checked = present.size > 0 && chosen.size === present.size;
    all.indeterminate = chosen.size > 0 && chosen.size < present.size;
  }
  const bar = document.querySelector("[data-farm-bulk]");
  if (!(bar instanceof HTMLElement)) return;
  bar.hidden = chosen.size === 0;
  const output = bar.querySelector("output");
  if (output) output.textContent = fill(ngettext("%(n)s job chosen", "%(n)s jobs chosen", chosen.size), { n: chosen.size });
}

/** @param {string} id @param {boolean} on @param {boolean} range from the row that was chosen last */
function choose(id, on, range) {
  const ids = rows().map(idOf);
  const [from, to] = [ids.indexOf(last), ids.indexOf(id)];
  const span = range && from >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
  for (const one of span) on ? chosen.add(one) : chosen.delete(one);
  last = id;
  paint();
}

/** @param {number} step */
function move(step) {
  const list = rows();
  if (!list.length) return;
  const at = list.findIndex((row) => idOf(row) === current);
  const next = at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, at + step));
  current = idOf(list[next]);
  paint();
  list[next].scrollIntoView({ block: "nearest" });
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const active = document.activeElement;
  if (isTextField(active) || active instanceof HTMLSelectElement || document.querySelector("dialog[open], [popover]:popover-open")) return;
  const key = keyName(event);
  const acts = active instanceof HTMLButtonElement || active instanceof HTMLAnchorElement || active?.tagName === "SUMMARY";
  const row = rows().find((one) => idOf(one) === current);
  if (key === "j" || key === "ArrowDown") move(1);
  else if (key === "k" || key === "ArrowUp") move(-1);
  else if (key === "a") {
    for (const one of rows()) chosen.add(idOf(one));
    paint();
  } else if (key === "Escape" && (chosen.size || current)) {
    chosen.clear();
    current = "";
    paint();
  } else if (key === " " && row && !acts && !(active instanceof HTMLInputElement)) choose(current, !chosen.has(current), event.shiftKey);
  else if (key === "Enter" && row && !acts) row.querySelector("a")?.click();
  else return;
  event.preventDefault();
}

/** @returns {HTMLFormElement | null} */
function filters() {
  return document.querySelector("[data-farm-filters]");
}

/** Ask anew with one part of the filter changed. @param {string} name @param {string} value */
function setFilter(name, value) {
  const field = filters()?.elements.namedItem(name);
  if (!(field instanceof HTMLInputElement)) return;
  field.value = value;
  filters()?.dispatchEvent(new CustomEvent("aip:search", { bubbles: true }));
}

/** What is empty does not belong into the address. @param {CustomEvent} event htmx:configRequest */
function onRequest(event) {
  const { elt, parameters } = event.detail;
  if (!(elt instanceof Element)) return;
  if (elt.closest("[data-farm-bulk]")) parameters.ids = [...chosen].join(",");
  const form = elt.closest("[data-farm-filters]");
  if (!form) return;
  let any = false;
  for (const name of [...new FormData(/** @type {HTMLFormElement} */ (form)).keys()]) {
    if (!parameters[name] || (name === "sort" && parameters[name] === "-created")) delete parameters[name];
    else if (name !== "sort") any = true;
  }
  const reset = form.querySelector("[data-farm-reset]");
  if (reset instanceof HTMLElement) reset.hidden = !any;
}

/** @param {MouseEvent} event */
function onClick(event) {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  const pick = target.closest("[data-farm-pick]");
  if (pick instanceof HTMLInputElement) {
    current = pick.value;
    choose(pick.value, pick.checked, event.shiftKey);
  }
  const all = target.closest("[data-farm-all]");
  if (all instanceof HTMLInputElement) {
    for (const row of rows()) all.checked ? chosen.add(idOf(row)) : chosen.delete(idOf(row));
    paint();
  }
  if (target.closest("[data-farm-none]")) {
    chosen.clear();
    paint();
  }
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  const link = target.closest("[data-farm-state], [data-farm-sort]");
  if (plain && link instanceof HTMLElement && filters()) {
    event.preventDefault();
    if (link.dataset.farmSort !== undefined) setFilter("sort", link.dataset.farmSort);
    else setFilter("state", link.dataset.farmState ?? "");
  }
  const pause = target.closest("[data-pause]");
  if (pause instanceof HTMLElement) {
    openDialog("pause-dialog");
    for (const box of pauseBoxes("#pause-dialog")) box.checked = box.value === pause.dataset.pause;
  }
}

/** @param {string | Element} within @returns {HTMLInputElement[]} */
function pauseBoxes(within) {
  const scope = typeof within === "string" ? document.querySelector(within) : within;
  return [...(scope?.querySelectorAll('input[name="what"]') ?? [])].map((box) => /** @type {HTMLInputElement} */ (box));
}

/** A family's box stands for all of its workflows. @param {Event} event */
function onPauseChoice(event) {
  const box = event.target;
  const family = box instanceof HTMLInputElement ? box.closest("[data-pause-family]") : null;
  const all = family?.querySelector("[data-pause-all]");
  if (!(box instanceof HTMLInputElement) || !family || !(all instanceof HTMLInputElement)) return;
  const mine = pauseBoxes(family);
  if (box === all) for (const one of mine) one.checked = all.checked;
  const count = mine.filter((one) => one.checked).length;
  all.checked = count === mine.length;
  all.indeterminate = count > 0 && count < mine.length;
}

document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("change", onPauseChoice);
document.addEventListener("aip:open", (event) => {
  if (!(event.target instanceof HTMLDialogElement) || event.target.id !== "pause-dialog") return;
  event.target.querySelector("form")?.reset();
  for (const all of event.target.querySelectorAll("[data-pause-all]")) /** @type {HTMLInputElement} */ (all).indeterminate = false;
});
document.addEventListener("htmx:configRequest", (event) => onRequest(/** @type {CustomEvent} */ (event)));
document.addEventListener("htmx:afterSwap", paint); // before the browser draws the rows without their marks
startPreviews();
paint();
