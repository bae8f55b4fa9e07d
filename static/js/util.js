// Small helpers that every module uses.

/** @returns {any} htmx, which is loaded as a classic script before the modules run */
export function htmx() {
  return globalThis.htmx;
}

/** @param {() => void} work @param {number} wait milliseconds */
export function debounce(work, wait) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, wait);
  };
}

/**
 * Run `init` for every element that matches, now and whenever htmx brings new ones; once per element.
 * @param {string} selector @param {(element: HTMLElement) => void} init
 */
export function onElements(selector, init) {
  const seen = new WeakSet();
  const scan = (/** @type {ParentNode} */ root) => {
    const found = [...root.querySelectorAll(selector)];
    if (root instanceof Element && root.matches(selector)) found.unshift(root);
    for (const element of found) {
      if (seen.has(element)) continue;
      seen.add(element);
      init(/** @type {HTMLElement} */ (element));
    }
  };
  scan(document);
  document.addEventListener("htmx:load", (event) => scan(/** @type {Element} */ (event.target)));
}

/** An id of this browser tab: undo works per tab. @returns {string} */
export function tabId() {
  const key = "aip.tab";
  let id = sessionStorage.getItem(key);
  if (!id) {
    id = randomId();
    sessionStorage.setItem(key, id);
  }
  return id;
}

/** @returns {string} also where crypto.randomUUID is missing (plain http on a local network) */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @returns {string} */
export function csrfToken() {
  const headers = document.body.getAttribute("hx-headers");
  return headers ? JSON.parse(headers)["X-CSRFToken"] ?? "" : "";
}

/**
 * A request to our own server with the headers that it expects.
 * @param {string} url @param {{method?: string, json?: unknown, accept?: string, fragment?: boolean, keepalive?: boolean}} [options] keepalive: also sent when the page closes
 * @returns {Promise<Response>}
 */
export function request(url, { method = "GET", json, accept = "application/json", fragment = false, keepalive = false } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: accept, "X-AIP-Tab": tabId() };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (fragment) headers["HX-Request"] = "true";
  const body = json === undefined ? undefined : JSON.stringify(json);
  return fetch(url, { method, headers, body, keepalive, credentials: "same-origin" });
}

/** The JSON of a data block. @param {string} id @returns {any} null when there is none */
export function readData(id) {
  const block = document.getElementById(id);
  return block?.textContent ? JSON.parse(block.textContent) : null;
}

/** @param {Element | null | undefined} element true for what takes typed text */
export function isTextField(element) {
  if (!(element instanceof HTMLElement)) return false;
  if (element.isContentEditable || element instanceof HTMLTextAreaElement) return true;
  return element instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "range", "file"].includes(element.type);
}

/** True while an input method (Korean, Japanese, Chinese) owns the key. @param {KeyboardEvent} event */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

/**
 * The Latin letter of a key, also while the keyboard is set to Hangul; other keys as they are.
 * @param {KeyboardEvent} event @returns {string}
 */
export function keyName(event) {
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  const physical = /^Key([A-Z])$/.exec(event.code);
  return physical && event.key.length === 1 ? physical[1].toLowerCase() : event.key;
}

/** @param {string} name @param {string} [size] @returns {SVGSVGElement} an icon of the sprite */
export function icon(name, size = "") {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("class", size ? `icon ${size}` : "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(ns, "use");
  const sprite = document.querySelector(".icon use")?.getAttribute("href")?.split("#")[0] ?? "/static/img/icons.svg";
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}
