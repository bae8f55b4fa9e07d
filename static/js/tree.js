// The production tree: folders open where they are, one item has the focus, and the pane beside shows what it is.

import { copyPath } from "./copy-path.js";
import { match } from "./grid/hangul.js";
import { gettext } from "./i18n.js";
import { toast } from "./toast.js";
import { debounce, htmx, isComposing, isTextField, keyName, request } from "./util.js";

const TYPE_WAIT = 800;
const DETAILS_WAIT = 90;
const MERGE_WAIT = 1200;
const MOST_MERGED = 12;

class Tree {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.detail = /** @type {HTMLElement} */ (document.getElementById("tree-detail"));
    /** @type {WeakMap<Element, Promise<void>>} */
    this.loading = new WeakMap();
    this.typed = "";
    this.typedAt = 0;
    this.showSoon = debounce(() => this.show(), DETAILS_WAIT);
    this.mergeSoon = debounce(() => this.mergeOpen(), MERGE_WAIT);
    const first = this.selected ?? root.querySelector(".tree-item");
    if (first instanceof HTMLElement) this.select(first, { show: false, focus: false });
    root.addEventListener("click", (event) => this.onClick(event));
    root.addEventListener("dblclick", (event) => this.onDouble(event));
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("error", (event) => event.target instanceof HTMLImageElement && event.target.remove(), true);
    document.addEventListener("aip:live-event", (event) => this.onLive(/** @type {CustomEvent} */ (event).detail));
    document.getElementById("tree-reload")?.addEventListener("click", () => this.mergeOpen(true));
  }

  /** @returns {HTMLElement | null} */
  get selected() {
    return this.root.querySelector('.tree-item[aria-selected="true"]');
  }

  /** Every item that can be seen, from top to bottom. @returns {HTMLElement[]} */
  get visible() {
    const items = /** @type {HTMLElement[]} */ ([...this.root.querySelectorAll('.tree-item[role="treeitem"]')]);
    return items.filter((item) => !item.parentElement?.closest('.tree-item[aria-expanded="false"]'));
  }

  /** @param {HTMLElement} item @param {{show?: boolean, focus?: boolean}} [options] */
  select(item, { show = true, focus = true } = {}) {
    for (const other of this.root.querySelectorAll('[tabindex="0"], [aria-selected="true"]')) {
      if (other === item || !other.classList.contains("tree-item")) continue;
      other.setAttribute("aria-selected", "false");
      /** @type {HTMLElement} */ (other).tabIndex = -1;
    }
    item.setAttribute("aria-selected", "true");
    item.tabIndex = 0;
    if (focus) item.focus({ preventScroll: true });
    item.querySelector(".tree-row")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (show && item.dataset.path !== undefined) this.showSoon();
  }

  /** The pane of the selected item. */
  show() {
    const path = this.selected?.dataset.path;
    if (path === undefined) return;
    const query = new URLSearchParams({ path });
    history.replaceState(history.state, "", path ? `?${query}` : location.pathname);
    htmx()
      .ajax("GET", `${this.root.dataset.detailsUrl}?${query}`, { source: this.detail, target: this.detail, swap: "innerHTML" })
      .then(() => (this.detail.scrollTop = 0))
      .catch(() => {}); // a later choice took its place, or the toast has said why
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    const item = target?.closest(".tree-item");
    if (!(item instanceof HTMLElement) || item.getAttribute("role") !== "treeitem") return;
    if (item.dataset.cursor) this.more(item);
    else {
      if (target?.closest(".tree-toggle")) this.toggle(item);
      this.select(item);
    }
  }

  /** @param {MouseEvent} event */
  onDouble(event) {
    const target = event.target instanceof Element ? event.target : null;
    const item = target?.closest(".tree-item");
    if (item instanceof HTMLElement && !target?.closest(".tree-toggle")) this.toggle(item);
  }

  /** @param {HTMLElement} item @returns {Promise<void>} */
  toggle(item) {
    return item.getAttribute("aria-expanded") === "true" ? Promise.resolve(this.close(item)) : this.open(item);
  }

  /** @param {HTMLElement} item */
  close(item) {
    if (!item.hasAttribute("aria-expanded")) return;
    item.setAttribute("aria-expanded", "false");
    const inside = this.selected;
    if (inside && inside !== item && item.contains(inside)) this.select(item);
  }

  /** @param {HTMLElement} item @returns {Promise<void>} when its entries are there */
  async open(item) {
    const group = item.querySelector(":scope > [role=group]");
    if (!group || !item.hasAttribute("aria-expanded")) return;
    if (!group.hasAttribute("data-loaded")) {
      let work = this.loading.get(item);
      if (!work) {
        item.setAttribute("aria-busy", "true");
        work = this.load(item, group).finally(() => {
          item.removeAttribute("aria-busy");
          this.loading.delete(item);
        });
        this.loading.set(item, work);
      }
      await work;
      if (!group.hasAttribute("data-loaded")) return;
    }
    item.setAttribute("aria-expanded", "true");
  }

  /** @param {HTMLElement} item @param {Element} group */
  async load(item, group) {
    const html = await this.fetch(item.dataset.path ?? "");
    if (html === null) return;
    group.replaceChildren(...itemsOf(html));
    group.setAttribute("data-loaded", "");
  }

  /** The entries of a folder as markup; null when that did not work, which is then said. @param {string} path @param {string} [cursor] */
  async fetch(path, cursor = "") {
    const query = new URLSearchParams(cursor ? { path, cursor } : { path });
    try {
      const answer = await request(`${this.root.dataset.folderUrl}?${query}`, { accept: "text/html", fragment: true });
      const text = await answer.text();
      if (answer.ok && !answer.redirected) return text;
      const page = new DOMParser().parseFromString(text, "text/html");
      toast(page.querySelector("[data-error-message]")?.textContent?.trim() || gettext("That did not work."), "error");
    } catch {
      toast(gettext("The server did not answer. Check the connection and try again."), "error");
    }
    return null;
  }

  /** The page before or after, in place of the line that stood for it. @param {HTMLElement} line */
  async more(line) {
    if (line.hasAttribute("aria-busy")) return;
    line.setAttribute("aria-busy", "true");
    const html = await this.fetch(line.dataset.folder ?? "", line.dataset.cursor ?? "");
    line.removeAttribute("aria-busy");
    if (html === null) return;
    const before = (line.dataset.cursor ?? "").startsWith("before/");
    // The other end of the new page meets what is here already.
    const items = itemsOf(html).filter((item) => !item.dataset.cursor?.startsWith(before ? "after/" : "before/"));
    const here = line.matches('[tabindex="0"]') || document.activeElement === line || this.root.contains(document.activeElement);
    line.replaceWith(...items);
    const next = before ? items.at(-1) : items[0];
    if (here && next) this.select(next);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.defaultPrevented || isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const item = event.target instanceof Element ? event.target.closest(".tree-item") : null;
    if (!(item instanceof HTMLElement)) return;
    if (this.move(item, event.key) || this.act(item, event) || this.type(event)) event.preventDefault();
  }

  /** @param {HTMLElement} item @param {string} key @returns {boolean} */
  move(item, key) {
    const items = this.visible;
    const now = items.indexOf(item);
    const step = Math.max(1, Math.floor(this.root.clientHeight / 26) - 1);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, PageDown: now + step, PageUp: now - step, Home: 0, End: items.length - 1 }[key];
    if (to === undefined) return false;
    const next = items[Math.max(0, Math.min(items.length - 1, to))];
    if (next && next !== item) this.select(next);
    return true;
  }

  /** @param {HTMLElement} item @param {KeyboardEvent} event @returns {boolean} */
  act(item, event) {
    const open = item.getAttribute("aria-expanded");
    const { key } = event;
    if (key === "ArrowRight") {
      if (open === "false") this.open(item);
      else if (open === "true") this.move(item, "ArrowDown");
    } else if (key === "ArrowLeft") {
      if (open === "true") this.close(item);
      else {
        const parent = item.parentElement?.closest(".tree-item");
        if (parent instanceof HTMLElement) this.select(parent);
      }
    } else if (key === "Enter" || (key === " " && !this.typing)) {
      if (item.dataset.cursor) this.more(item);
      else if (open !== null) this.toggle(item);
      else this.show();
    } else if (keyName(event) === "c" && !this.typing && item.dataset.path !== undefined) {
      copyPath(this.root.dataset.pathsUrl ?? "", item.dataset.path);
    } else return false;
    return true;
  }

  get typing() {
    return this.typed !== "" && Date.now() - this.typedAt < TYPE_WAIT;
  }

  /** Letters go to the next item that is called so; `g`, `?` and `/` stay those of every page. @param {KeyboardEvent} event @returns {boolean} */
  type(event) {
    if ([...event.key].length !== 1) return false;
    if (!this.typing) {
      if (["?", "/"].includes(event.key) || keyName(event) === "g") return false;
      this.typed = "";
    }
    this.typed += event.key;
    this.typedAt = Date.now();
    const items = this.visible.filter((item) => item.dataset.path !== undefined);
    const now = Math.max(0, items.indexOf(/** @type {HTMLElement} */ (this.selected)));
    const from = this.typed.length > 1 ? now : now + 1;
    const order = [...items.slice(from), ...items.slice(0, from)];
    const places = order.map((item) => match(item.dataset.name ?? "", this.typed));
    const best = [0, 1, 2].map((rank) => places.indexOf(rank)).find((place) => place >= 0);
    if (best !== undefined) this.select(order[best]);
    return true;
  }

  /** @param {{topic: string, event: any}} detail */
  onLive({ topic, event }) {
    if (topic !== this.root.dataset.topic) return;
    if (/^(version|shot|scene|character|environment|project)\./.test(event.type)) this.mergeSoon();
  }

  /** Read the open folders again and put what is new into its place; what is chosen and open stays. @param {boolean} [asked] by a person: the pane too */
  async mergeOpen(asked = false) {
    if (document.hidden) return;
    const open = this.visible.filter((item) => item.getAttribute("aria-expanded") === "true");
    for (const item of open.slice(0, asked ? Infinity : MOST_MERGED)) {
      const group = item.querySelector(":scope > [role=group]");
      // A folder of several pages is read again by its own lines.
      if (!group?.hasAttribute("data-loaded") || group.querySelector(":scope > [data-cursor]")) continue;
      const html = await this.fetch(item.dataset.path ?? "");
      if (html === null) return;
      merge(group, html);
    }
    if (asked) this.show();
  }
}

/** The entries that the server drew, apart from any page. @param {string} html @returns {HTMLElement[]} */
function itemsOf(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  return /** @type {HTMLElement[]} */ ([...page.body.children]).map((item) => document.adoptNode(item));
}

/** @param {Element} group @param {string} html */
function merge(group, html) {
  const key = (/** @type {Element} */ item) => `${item.getAttribute("data-kind")}/${item.getAttribute("data-name")}`;
  const old = new Map([...group.children].map((item) => [key(item), item]));
  const focused = group.contains(document.activeElement);
  /** @type {Element | null} */
  let last = null;
  for (const item of itemsOf(html)) {
    const held = old.get(key(item));
    old.delete(key(item));
    const row = held?.querySelector(":scope > .tree-row");
    const now = item.querySelector(":scope > .tree-row");
    if (held && row && now && row.innerHTML !== now.innerHTML) row.replaceWith(now);
    const place = held ?? item;
    const next = last ? last.nextElementSibling : group.firstElementChild;
    if (next !== place) group.insertBefore(place, next);
    last = place;
  }
  for (const gone of old.values()) gone.remove();
  if (focused && !group.contains(document.activeElement)) {
    const parent = group.closest(".tree-item");
    if (parent instanceof HTMLElement) parent.focus();
  }
}

/** The search box, and its results in the place of the tree. @param {HTMLInputElement} box @param {HTMLElement} root */
function startSearch(box, root) {
  const results = /** @type {HTMLElement} */ (document.getElementById("tree-results"));
  const links = () => /** @type {HTMLElement[]} */ ([...results.querySelectorAll("a.tree-hit")]);
  const swap = () => {
    const searching = box.value.trim() !== "";
    results.hidden = !searching;
    root.hidden = searching;
  };
  const leave = () => {
    box.value = "";
    swap();
    /** @type {HTMLElement | null} */ (root.querySelector('.tree-item[tabindex="0"]'))?.focus();
  };
  results.addEventListener("htmx:afterSwap", swap);
  results.addEventListener("error", (event) => event.target instanceof HTMLImageElement && event.target.remove(), true);
  box.addEventListener("input", () => box.value.trim() || swap());
  box.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    if (event.key === "ArrowDown" && !results.hidden && links().length) {
      event.preventDefault();
      links()[0].focus();
    } else if (event.key === "Escape" && box.value) {
      event.preventDefault();
      leave();
    }
  });
  results.addEventListener("keydown", (event) => {
    const now = links().indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (event.key === "Escape") leave();
    else if (event.key === "ArrowDown") links()[Math.min(now + 1, links().length - 1)]?.focus();
    else if (event.key === "ArrowUp") (links()[now - 1] ?? box).focus();
    else return;
    event.preventDefault();
  });
  // Ctrl+F looks in the browser; f looks in the tree.
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isComposing(event) || keyName(event) !== "f") return;
    if (isTextField(document.activeElement) || document.querySelector("dialog[open]") || root.contains(document.activeElement)) return;
    if (document.activeElement?.closest("[data-player]")) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
}

const root = document.getElementById("tree");
if (root) {
  new Tree(root);
  const box = document.getElementById("tree-q");
  if (box instanceof HTMLInputElement) startSearch(box, root);
}
