// How htmx behaves here: morphing swaps, our headers, and where a refused request's message goes.

import { gettext } from "./i18n.js";
import { refreshAll } from "./refresh.js";
import { toast } from "./toast.js";
import { htmx, tabId } from "./util.js";

const KEPT_ATTRIBUTES = new Set(["open", "data-live-state", "popover"]);

/**
 * A form that holds what somebody wrote and has not saved: an answer that is not its own leaves it as it is, with the
 * revision that the person saw.
 * @param {Element} old @param {Node} fresh
 */
function isUnsaved(old, fresh) {
  if (!(old instanceof HTMLFormElement) || !("holdUnsaved" in old.dataset) || old.classList.contains("htmx-request")) return false;
  const about = (/** @type {ParentNode} */ form) => form.querySelector(`[name="${old.dataset.holdUnsaved}"]`)?.getAttribute("value");
  if (!(fresh instanceof Element) || about(fresh) !== about(old)) return false;
  return [...old.querySelectorAll("textarea")].some((text) => text.value !== text.defaultValue);
}

/** What a refresh must not touch: open dialogs, cells that are edited, players, what is not saved yet. */
const morphing = {
  beforeNodeMorphed(/** @type {Node} */ old, /** @type {Node} */ fresh) {
    if (!(old instanceof Element)) return true;
    return !(old.hasAttribute("data-keep") || old.classList.contains("is-editing") || isUnsaved(old, fresh));
  },
  beforeAttributeUpdated(/** @type {string} */ name, /** @type {Element} */ node) {
    if (name === "open") return !(node instanceof HTMLDialogElement || node instanceof HTMLDetailsElement);
    return !KEPT_ATTRIBUTES.has(name);
  },
};

/** The "morph" swap, without the evaluated configuration of the stock extension (the CSP forbids it). */
function defineMorph() {
  const Idiomorph = globalThis.Idiomorph;
  if (!Idiomorph) return;
  Idiomorph.defaults.ignoreActiveValue = true; // else a refresh wipes the syllable that is being composed
  Object.assign(Idiomorph.defaults.callbacks, morphing);
  const style = (/** @type {string} */ swap) =>
    swap === "morph" || swap === "morph:outerHTML" ? "outerHTML" : swap === "morph:innerHTML" ? "innerHTML" : null;
  htmx().defineExtension("morph", {
    isInlineSwap: (/** @type {string} */ swap) => style(swap) === "outerHTML",
    handleSwap(/** @type {string} */ swap, /** @type {Element} */ target, /** @type {DocumentFragment} */ fragment) {
      const morphStyle = style(swap);
      if (!morphStyle) return false;
      // Of the element with the focus nothing inside is changed: right for what is typed into, not for a button's words.
      const ignoreActiveValue = !document.activeElement?.matches("button, a, summary");
      const news = morphStyle === "outerHTML" ? fragment.firstElementChild : fragment.childNodes;
      return Idiomorph.morph(target, news, { morphStyle, ignoreActiveValue });
    },
  });
}

/**
 * An error fragment goes into the form's own place for errors, else into a toast.
 * @param {CustomEvent} event htmx:beforeSwap
 */
function placeError(event) {
  const { xhr, requestConfig } = event.detail;
  if (xhr.status < 400) return;
  const code = xhr.getResponseHeader("X-AIP-Error");
  const holder = findHolder(requestConfig?.elt);
  if (code && holder) {
    event.detail.shouldSwap = true;
    event.detail.target = holder;
    event.detail.swapOverride = "innerHTML";
  } else if (code || !event.detail.shouldSwap) {
    event.detail.shouldSwap = false;
    toast(errorText(xhr), xhr.status === 409 ? "warning" : "error");
  }
}

/** @param {unknown} element */
function findHolder(element) {
  if (!(element instanceof Element)) return null;
  const scope = element.closest("form, dialog, [data-errors-here]");
  return scope?.querySelector("[data-form-errors]") ?? null;
}

/** A refusal names fields as the address does; people know them by their labels. @param {Element} holder */
function nameFields(holder) {
  const form = holder.closest("form");
  for (const name of form ? holder.querySelectorAll("li > b") : []) {
    const field = form?.elements.namedItem(name.textContent ?? "");
    if (!(field instanceof HTMLElement)) continue;
    const label = field.getAttribute("aria-label") || field.closest("form")?.querySelector(`label[for="${CSS.escape(field.id)}"]`)?.textContent;
    if (label) name.textContent = label.trim();
  }
}

/** The message of a refused request. @param {XMLHttpRequest} xhr @returns {string} */
export function errorText(xhr) {
  if (xhr.getResponseHeader("X-AIP-Error")) {
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const text = page.querySelector("[data-error-message]")?.textContent?.trim();
    const fields = [...page.querySelectorAll("li")].map((item) => item.textContent?.trim()).join("\n");
    if (text) return fields ? `${text}\n${fields}` : text;
  }
  if (xhr.status === 403) return gettext("You may not do this.");
  if (xhr.status === 404) return gettext("This is not there any more.");
  if (xhr.status >= 500) return gettext("The server could not do this. The log has the details.");
  return gettext("That did not work.");
}

/** A page that arrives by HX-Location swaps the body's content: its attributes must follow. @param {CustomEvent} event */
function syncBody(event) {
  if (event.detail.target !== document.body || !event.detail.shouldSwap) return;
  const page = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
  for (const { name } of [...document.body.attributes]) {
    if (name.startsWith("data-")) document.body.removeAttribute(name);
  }
  for (const { name, value } of [...page.body.attributes]) document.body.setAttribute(name, value);
  document.documentElement.lang = page.documentElement.lang;
}

export function startHtmx() {
  if (!htmx()) return;
  defineMorph();
  document.addEventListener("htmx:configRequest", (event) => {
    /** @type {CustomEvent} */ (event).detail.headers["X-AIP-Tab"] = tabId();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    placeError(/** @type {CustomEvent} */ (event));
    syncBody(/** @type {CustomEvent} */ (event));
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const holder = /** @type {CustomEvent} */ (event).detail.target;
    if (holder instanceof Element && holder.matches("[data-form-errors]")) nameFields(holder);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    // An answer without content has no settling: its after-settle event would be lost.
    const { xhr } = /** @type {CustomEvent} */ (event).detail;
    const later = xhr?.status === 204 && xhr.getResponseHeader("HX-Trigger-After-Settle");
    if (later && later.includes("aip:refresh")) refreshAll();
  });
  document.addEventListener("aip:refresh", () => refreshAll());
  document.addEventListener("htmx:sendError", () => {
    toast(gettext("The server did not answer. Check the connection and try again."), "error");
  });
  // A login that ran out answers with a redirect to the login page: go there instead of swapping it in.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr } = /** @type {CustomEvent} */ (event).detail;
    if (xhr.responseURL && new URL(xhr.responseURL).pathname.endsWith("/login/") && !location.pathname.endsWith("/login/")) {
      event.preventDefault();
      location.reload();
    }
  });
}
