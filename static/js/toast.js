// Short messages in the corner. Errors stay until they are closed; the rest leaves by itself.

import { gettext } from "./i18n.js";
import { icon } from "./util.js";

const STAY = { success: 4000, info: 5000, warning: 9000, error: 0 };
const ICONS = { success: "success", info: "info", warning: "warning", error: "error" };
const MAX_SHOWN = 5;

/** @returns {HTMLElement | null} */
function region() {
  return document.getElementById("toasts");
}

/** Lift the region over a dialog that was opened after it. @param {HTMLElement} holder */
function raise(holder) {
  if (!holder.popover) return;
  if (holder.matches(":popover-open")) holder.hidePopover();
  holder.showPopover();
}

/** @param {HTMLElement} element */
function leave(element) {
  element.dataset.leaving = "";
  setTimeout(() => element.remove(), 180);
}

/** @param {HTMLElement} element */
function arm(element) {
  const level = /** @type {keyof typeof STAY} */ (element.dataset.level ?? "info");
  element.querySelector("[data-toast-close]")?.addEventListener("click", () => leave(element));
  const stay = element.querySelector("a") ? STAY.warning : (STAY[level] ?? STAY.info); // time to reach its link
  if (!stay) return;
  let timer = setTimeout(() => leave(element), stay);
  element.addEventListener("pointerenter", () => clearTimeout(timer));
  element.addEventListener("pointerleave", () => (timer = setTimeout(() => leave(element), 1500)));
}

/** @param {HTMLElement} element */
function undoButton(element) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn s";
  button.dataset.undo = ""; // keyboard.js does it
  button.textContent = gettext("Undo");
  button.addEventListener("click", () => leave(element));
  return button;
}

/** @param {{href: string, text: string}} link @returns {HTMLElement} */
function linkTo({ href, text }) {
  const link = document.createElement("a");
  link.className = "btn s";
  link.href = href;
  link.textContent = text;
  return link;
}

/**
 * @param {string} message text, not markup
 * @param {"success" | "info" | "warning" | "error"} [level]
 * @param {{undo?: boolean, link?: {href: string, text: string}}} [options] `undo` offers to take the newest action of
 * this tab back; `link`: where what is told of can be seen
 */
export function toast(message, level = "info", { undo = false, link } = {}) {
  const holder = region();
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("toast-template"));
  if (!holder || !template || !message) return;
  for (const shown of holder.querySelectorAll(".toast:not([data-leaving])")) {
    if (shown.querySelector("span")?.textContent === message) shown.remove();
  }
  const element = /** @type {HTMLElement} */ (template.content.querySelector(".toast")?.cloneNode(true));
  element.dataset.level = level;
  element.setAttribute("role", level === "error" ? "alert" : "status");
  element.querySelector("svg")?.replaceWith(icon(ICONS[level] ?? "info"));
  const text = element.querySelector("span");
  if (text) text.textContent = message;
  if (undo) text?.after(undoButton(element));
  if (link) text?.after(linkTo(link));
  raise(holder);
  holder.append(element);
  while (holder.children.length > MAX_SHOWN) holder.firstElementChild?.remove();
  arm(element);
}

/** Show what the server put into the page, and what it sends with later responses. */
export function startToasts() {
  const holder = region();
  if (holder?.children.length) {
    raise(holder);
    for (const element of holder.children) arm(/** @type {HTMLElement} */ (element));
  }
  document.addEventListener("aip:toast", (event) => {
    const { message, level, undo, link } = /** @type {CustomEvent} */ (event).detail ?? {};
    toast(String(message ?? ""), level, { undo, link });
  });
}
