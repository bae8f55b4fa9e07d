// Choosing rows: check boxes with shift ranges, and the bar that acts on what is chosen.
// The bar is [data-bulk-bar] with an <output>; every htmx request from inside it carries `ids`.

import { fill, ngettext } from "./i18n.js";

export class RowSelection {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.last = "";
    root.addEventListener("click", (event) => this.onClick(/** @type {MouseEvent} */ (event)));
    document.addEventListener("htmx:configRequest", (event) => this.addIds(/** @type {CustomEvent} */ (event)));
    document.addEventListener("htmx:afterSettle", () => this.draw());
    this.draw();
  }

  /** @returns {HTMLInputElement[]} */
  boxes() {
    return [...this.root.querySelectorAll("input[data-select]")].filter((box) => box instanceof HTMLInputElement);
  }

  /** @returns {string[]} */
  ids() {
    return this.boxes()
      .filter((box) => box.checked)
      .map((box) => box.value);
  }

  get size() {
    return this.ids().length;
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    if (target instanceof HTMLInputElement && target.matches("[data-select]")) {
      if (event.shiftKey) this.range(target);
      this.last = target.value;
      this.draw();
    } else if (target instanceof HTMLInputElement && target.matches("[data-select-all]")) {
      for (const box of this.boxes()) box.checked = target.checked;
      this.draw();
    } else if (target?.closest("[data-select-none]")) this.clear();
  }

  /** @param {HTMLInputElement} box */
  range(box) {
    const boxes = this.boxes();
    const from = boxes.findIndex((other) => other.value === this.last);
    const to = boxes.indexOf(box);
    if (from < 0) return;
    for (const other of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) other.checked = box.checked;
  }

  /** @param {string} id */
  toggle(id) {
    const box = this.boxes().find((other) => other.value === id);
    if (!box) return;
    box.checked = !box.checked;
    this.last = id;
    this.draw();
  }

  clear() {
    for (const box of this.boxes()) box.checked = false;
    this.draw();
  }

  draw() {
    const boxes = this.boxes();
    const chosen = boxes.filter((box) => box.checked);
    for (const box of boxes) box.closest("tr, [data-row]")?.setAttribute("aria-selected", String(box.checked));
    const all = this.root.querySelector("[data-select-all]");
    if (all instanceof HTMLInputElement) {
      all.checked = boxes.length > 0 && chosen.length === boxes.length;
      all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
    }
    const bar = this.root.querySelector("[data-bulk-bar]");
    if (!(bar instanceof HTMLElement)) return;
    bar.hidden = chosen.length === 0;
    const count = bar.querySelector("output");
    const text = fill(ngettext("%(n)s shot chosen", "%(n)s shots chosen", chosen.length), { n: chosen.length });
    if (count && count.textContent !== text) count.textContent = text;
  }

  /** @param {CustomEvent} event */
  addIds(event) {
    const source = event.detail.elt;
    if (!(source instanceof Element) || !this.root.contains(source) || !source.closest("[data-bulk-bar]")) return;
    event.detail.parameters.ids = this.ids();
  }
}
