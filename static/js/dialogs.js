// Native dialogs and popovers: open by id, confirm before a request, menus beside their button.

import { gettext } from "./i18n.js";

/**
 * Ask with the native dialog.
 * @param {string} text
 * @param {{title?: string, yes?: string, danger?: boolean}} [options]
 * @returns {Promise<boolean>}
 */
export function confirmDialog(text, { title, yes, danger = false } = {}) {
  const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("confirm-dialog"));
  if (!dialog) return Promise.resolve(false);
  const set = (/** @type {string} */ selector, /** @type {string} */ value) => {
    const element = dialog.querySelector(selector);
    if (element) element.textContent = value;
  };
  set("[data-confirm-title]", title || gettext("Are you sure?"));
  set("[data-confirm-text]", text);
  set("[data-confirm-yes]", yes || gettext("Continue"));
  const button = dialog.querySelector("[data-confirm-yes]");
  button?.classList.toggle("danger", danger);
  button?.classList.toggle("primary", !danger);
  dialog.returnValue = "cancel";
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok"), { once: true });
    dialog.showModal();
  });
}

/** @param {string} id */
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement && !dialog.open) {
    dialog.showModal();
    dialog.dispatchEvent(new CustomEvent("aip:open", { bubbles: true }));
  }
}

/** @param {HTMLElement} element @returns {Promise<boolean>} */
function askFor(element) {
  return confirmDialog(element.dataset.confirm ?? "", {
    title: element.dataset.confirmTitle,
    yes: element.dataset.confirmYes,
    danger: "confirmDanger" in element.dataset,
  });
}

/** Put a popover under its button, inside the window. @param {HTMLElement} menu @param {Element} button */
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const width = menu.offsetWidth;
  const height = menu.offsetHeight;
  const left = menu.dataset.menu === "end" ? at.right - width : at.left;
  const below = at.bottom + 4;
  const top = below + height > innerHeight - 8 && at.top - height - 4 > 8 ? at.top - height - 4 : below;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, top)}px`;
}

/** Arrow keys inside a menu. @param {KeyboardEvent} event */
function menuKeys(event) {
  const menu = event.target instanceof Element ? event.target.closest(".menu") : null;
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  const items = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("a.menu-item, button.menu-item:not(:disabled)")]);
  if (!items.length) return;
  event.preventDefault();
  const now = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next = { ArrowDown: now + 1, ArrowUp: now < 0 ? items.length - 1 : now - 1, Home: 0, End: items.length - 1 }[event.key] ?? 0;
  items[(next + items.length) % items.length].focus();
}

export function startDialogs() {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const opener = target?.closest("[data-open-dialog]");
    if (opener instanceof HTMLElement) {
      const popover = opener.closest("[popover]");
      if (popover instanceof HTMLElement && popover.matches(":popover-open")) popover.hidePopover();
      openDialog(opener.dataset.openDialog ?? "");
    }
    if (target?.closest("[data-close-dialog]")) target.closest("dialog")?.close();
    if (target instanceof HTMLDialogElement && target.open && !("modalOnly" in target.dataset)) {
      const box = target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside && event.detail) target.close(); // detail is 0 for a click made by a key
    }
  });

  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!(menu instanceof HTMLElement) || !menu.matches("[popover].menu")) return;
      const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
      const open = /** @type {ToggleEvent} */ (event).newState === "open";
      button?.setAttribute("aria-expanded", String(open));
      if (open && button) place(menu, button);
    },
    true,
  );
  document.addEventListener("keydown", menuKeys);

  // htmx asks for every request; only what declares data-confirm is held back.
  document.addEventListener("htmx:confirm", (event) => {
    const detail = /** @type {CustomEvent} */ (event).detail;
    const holder = detail.elt instanceof HTMLElement ? detail.elt : null;
    if (!holder?.dataset.confirm) return;
    event.preventDefault();
    askFor(holder).then((yes) => {
      if (yes) detail.issueRequest(true);
    });
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.dataset.confirm || form.matches("[hx-post],[hx-delete],[hx-put],[hx-patch]")) return;
    if (form.dataset.confirmed === "yes") return;
    event.preventDefault();
    const submitter = /** @type {SubmitEvent} */ (event).submitter;
    askFor(form).then((yes) => {
      if (!yes) return;
      form.dataset.confirmed = "yes";
      form.requestSubmit(submitter);
    });
  });

  // A dialog that a request fills opens with its new content, never with that of the last time.
  document.addEventListener("htmx:afterSwap", (event) => {
    const { target } = /** @type {CustomEvent} */ (event).detail;
    if (target instanceof HTMLDialogElement && "openOnLoad" in target.dataset) openDialog(target.id);
  });

  // A dialog whose form succeeded has done its work.
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful } = /** @type {CustomEvent} */ (event).detail;
    const dialog = elt instanceof HTMLElement && elt.isConnected ? elt.closest("dialog[data-close-on-success]") : null;
    if (successful && dialog instanceof HTMLDialogElement && elt.matches("form")) dialog.close();
  });
}
