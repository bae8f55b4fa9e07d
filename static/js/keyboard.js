// Shortcuts of every page. Single letters act only while nobody types.

import { openDialog } from "./dialogs.js";
import { refreshAll } from "./refresh.js";
import { htmx, isComposing, isTextField, keyName } from "./util.js";

const GO_WAIT = 1200;
let goUntil = 0;
const MOST_WAITING = 50;
let waiting = 0;
/** @type {Promise<void>} */
let turn = Promise.resolve();
/** @type {Set<() => Promise<void>>} */
const unsaved = new Set();

/** Undo waits for what a page still has to save. @param {() => Promise<void>} flush resolves when nothing waits */
export function beforeUndo(flush) {
  unsaved.add(flush);
}

/**
 * Undo or redo this tab's newest action. The answer brings its own message; the change arrives by the live events.
 * A press while another is under way waits for its turn: a held key goes back step by step.
 * @param {"undo" | "redo"} which @returns {Promise<void>}
 */
export function undoRedo(which) {
  const url = which === "undo" ? document.body.dataset.undoUrl : document.body.dataset.redoUrl;
  if (!url || waiting >= MOST_WAITING) return turn;
  waiting += 1;
  const done = turn.then(() => replay(which, url));
  turn = done.catch(() => {}).finally(() => (waiting -= 1)); // one that failed does not hold up the next
  return done;
}

/** @param {"undo" | "redo"} which @param {string} url */
async function replay(which, url) {
  const source = document.querySelector(`[data-${which}]`) ?? document.body;
  for (const flush of unsaved) await flush();
  await htmx().ajax("POST", url, { source, swap: "none" });
  document.dispatchEvent(new CustomEvent("aip:changed", { detail: { by: which } }));
  refreshAll();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.defaultPrevented || isComposing(event)) return;
  const typing = isTextField(document.activeElement) && !document.activeElement?.hasAttribute("data-idle");
  const control = event.ctrlKey || event.metaKey;
  const key = keyName(event);
  if (control && !event.altKey && (key === "z" || key === "y")) {
    if (typing || document.querySelector("dialog[open]") || !document.body.dataset.undoUrl) return;
    event.preventDefault();
    undoRedo(key === "y" || event.shiftKey ? "redo" : "undo");
    return;
  }
  if (typing || control || event.altKey || document.querySelector("dialog[open]")) return;
  if (document.activeElement?.hasAttribute("data-idle")) return; // the grid takes letters as text
  if (event.key === "?") {
    event.preventDefault();
    openDialog("shortcuts");
  } else if (event.key === "/") {
    const box = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-search-box]"));
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  } else if (key === "g" && !event.repeat) {
    goUntil = Date.now() + GO_WAIT;
  } else if (Date.now() < goUntil) {
    goUntil = 0;
    const link = document.querySelector(`a[data-go="${CSS.escape(key)}"]`);
    if (!(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    link.click();
  }
}

function toggleSide() {
  const root = document.documentElement;
  const narrowNow = root.dataset.side ? root.dataset.side === "narrow" : innerWidth < 1100;
  root.dataset.side = narrowNow ? "wide" : "narrow";
  try {
    localStorage.setItem("aip.side", root.dataset.side);
  } catch {
    root.dataset.storage = "none"; // private mode: the choice lasts until the page is left
  }
}

export function startKeyboard() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-undo]")) undoRedo("undo");
    if (target?.closest("[data-redo]")) undoRedo("redo");
    if (target?.closest("[data-side-toggle]")) toggleSide();
  });
}
