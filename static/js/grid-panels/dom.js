// What all panels are made of: elements, popovers beside a button, menus, a text dialog.

import { gettext } from "../i18n.js";
import { icon } from "../util.js";

/** @typedef {Record<string, any>} Attributes */
/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element. "on…" functions are listeners, "style" sets properties, true and false set and leave out attributes.
 * @param {string} tag @param {Attributes} [attributes] @param {...(Child | Child[])} children @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "style") for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "indeterminate") /** @type {any} */ (element)[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

/** @param {string} glyph @param {string} label @param {() => void} act @param {Attributes} [more] @returns {HTMLButtonElement} a button with an icon only */
export function iconButton(glyph, label, act, more = {}) {
  return /** @type {HTMLButtonElement} */ (h("button", { type: "button", class: "btn quiet s icon-only", "aria-label": label, title: label, onclick: act, ...more }, icon(glyph, "s")));
}

/** @param {string} label @param {[any, string][]} pairs @param {any} value @param {(value: string) => void} act @param {Attributes} [more] @returns {HTMLSelectElement} */
export function select(label, pairs, value, act, more = {}) {
  const box = /** @type {HTMLSelectElement} */ (h("select", { class: "select s", "aria-label": label, ...more }, pairs.map(([key, text]) => h("option", { value: key }, text))));
  box.value = String(value);
  box.addEventListener("change", () => act(box.value));
  return box;
}

/** @param {HTMLElement} element @param {DOMRect | {left: number, right: number, top: number, bottom: number}} at @param {boolean} [end] */
export function placeAt(element, at, end = false) {
  const { offsetWidth: width, offsetHeight: height } = element;
  const left = end ? at.right - width : at.left;
  const below = at.bottom + 4;
  const top = below + height > innerHeight - 8 && at.top - height - 4 > 8 ? at.top - height - 4 : Math.min(below, innerHeight - height - 8);
  element.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  element.style.top = `${Math.max(8, top)}px`;
}

/**
 * A panel under a button; it closes with Escape, a click outside, or the button. One per button.
 * @param {HTMLElement} button @param {string} label @param {(panel: HTMLElement, redraw: () => void) => Child[]} draw
 * @param {{className?: string, end?: boolean}} [options] @returns {{open: () => void, redraw: () => void, close: () => void, element: HTMLElement}}
 */
export function panelFor(button, label, draw, { className = "", end = false } = {}) {
  const panel = h("div", { class: `gp-panel ${className}`, role: "dialog", "aria-label": label, popover: "auto" });
  const place = () => placeAt(panel, button.getBoundingClientRect(), end);
  const redraw = () => {
    if (!panel.matches(":popover-open")) return;
    const key = document.activeElement?.closest("[data-key]")?.getAttribute("data-key");
    panel.replaceChildren(...draw(panel, redraw).filter((child) => child !== null && child !== undefined && child !== false).map((child) => /** @type {Node | string} */ (child)));
    if (key && panel.contains(document.activeElement) === false) focusOn(panel.querySelector(`[data-key="${CSS.escape(key)}"]`));
    place();
  };
  const open = () => {
    panel.showPopover();
    redraw();
    focusOn(panel.querySelector("[autofocus], input, select, button"));
  };
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", "false");
  button.after(panel);
  // A press on the button closes an open panel before the click: remember that, so that the click does not open it again.
  let wasOpen = false;
  button.addEventListener("pointerdown", () => (wasOpen = panel.matches(":popover-open")));
  button.addEventListener("click", (event) => {
    const stay = event.detail > 0 && wasOpen;
    wasOpen = false;
    if (panel.matches(":popover-open")) panel.hidePopover();
    else if (!stay) open();
  });
  panel.addEventListener("toggle", (event) => {
    if (event.target !== panel) return;
    button.setAttribute("aria-expanded", String(/** @type {ToggleEvent} */ (event).newState === "open"));
  });
  return { open, redraw, close: () => panel.matches(":popover-open") && panel.hidePopover(), element: panel };
}

/** @param {Element | null} element */
export function focusOn(element) {
  if (element instanceof HTMLElement) element.focus();
}

/**
 * @typedef {{label: string, act: () => void, icon?: string, key?: string, danger?: boolean, disabled?: boolean,
 *   current?: boolean, node?: Node} | {title: string} | null} Entry  null is a line
 */

let present = /** @type {HTMLElement | null} */ (null);
let byKey = true; // what the person used last
addEventListener("keydown", () => (byKey = true), true);
addEventListener("pointerdown", () => (byKey = false), true);

/**
 * A menu at a place or under a button. Arrow keys move, Enter chooses, Escape closes; letters jump.
 * @param {HTMLElement | {x: number, y: number}} at @param {string} label @param {Entry[]} entries
 * @param {{end?: boolean, closed?: () => void, inside?: HTMLElement}} [options] closed: when nothing was chosen
 */
export function openMenu(at, label, entries, { end = false, closed, inside } = {}) {
  present?.remove();
  const before = document.activeElement;
  let chosen = false;
  const menu = h("div", { class: "menu gp-menu", role: "menu", tabindex: -1, "aria-label": label, popover: "auto" });
  for (const entry of entries) {
    if (!entry) menu.append(h("hr", { role: "separator" }));
    else if ("title" in entry) menu.append(h("div", { class: "menu-title", role: "presentation" }, entry.title));
    else {
      const run = () => {
        chosen = true;
        menu.hidePopover();
        entry.act();
      };
      const mark = entry.current === undefined ? {} : { role: "menuitemradio", "aria-checked": String(entry.current) };
      menu.append(
        h(
          "button",
          { type: "button", class: `menu-item${entry.danger ? " danger" : ""}`, role: "menuitem", tabindex: -1, disabled: entry.disabled, onclick: run, ...mark },
          entry.icon ? icon(entry.icon, "s") : h("span", { class: "gp-noicon" }),
          entry.node ?? h("span", {}, entry.label),
          entry.current ? icon("check", "s") : null,
          entry.key ? h("kbd", {}, entry.key) : null,
        ),
      );
    }
  }
  menu.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    menu.remove();
    // This event comes late: whoever has gone on meanwhile, to another menu or a button, keeps the focus.
    const here = document.activeElement;
    if (!chosen && present === menu && (!here || here === document.body || here === before)) closed?.();
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Tab") {
      event.preventDefault();
      menu.hidePopover();
    } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
      const items = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("button:not(:disabled)")]);
      const from = items.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + 1;
      const next = [...items.slice(from), ...items.slice(0, from)].find((item) => item.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()));
      next?.focus();
    }
  });
  (inside ?? document.body).append(menu);
  present = menu;
  menu.showPopover();
  placeAt(menu, at instanceof HTMLElement ? at.getBoundingClientRect() : { left: at.x, right: at.x, top: at.y, bottom: at.y - 4 }, end);
  // Opened by the mouse nothing is chosen yet; the first arrow key goes into the menu.
  focusOn(byKey ? menu.querySelector("[aria-checked=true]") ?? menu.querySelector("button:not(:disabled)") : menu);
  return menu;
}

/**
 * A dialog with a form; it is taken away when it closes.
 * @param {string} title @param {Child[]} body @param {string} yes what the button says
 * @param {(dialog: HTMLDialogElement) => Promise<string | null> | string | null} act answers null when done, else what is wrong
 * @param {{wide?: boolean, danger?: boolean, closed?: () => void}} [options] @returns {HTMLDialogElement}
 */
export function formDialog(title, body, yes, act, { wide = false, danger = false, closed } = {}) {
  const wrong = h("p", { class: "errors", role: "alert", hidden: true });
  const send = /** @type {HTMLButtonElement} */ (h("button", { class: danger ? "btn danger" : "btn primary" }, yes));
  const form = h(
    "form",
    { method: "dialog", novalidate: true },
    h("header", {}, h("h2", {}, title), h("button", { type: "button", class: "btn quiet icon-only close", "data-close-dialog": true, "aria-label": gettext("Close") }, icon("x"))),
    h("div", { class: "body plain stack" }, ...body, wrong),
    h("footer", {}, h("button", { type: "button", class: "btn", "data-close-dialog": true }, gettext("Cancel")), send),
  );
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: `dialog gp-dialog${wide ? " wide" : ""}`, "aria-label": title }, form));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send.disabled) return;
    send.disabled = true;
    const problem = await act(dialog);
    send.disabled = false;
    wrong.hidden = problem === null;
    wrong.textContent = problem ?? "";
    if (problem === null) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  focusOn(dialog.querySelector("[autofocus]") ?? dialog.querySelector(".body input, .body select, .body textarea"));
  return dialog;
}
