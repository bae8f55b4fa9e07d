// What stands around the rows: the bar of checked rows, counts, the saving indicator, the empty state, previews.

import { fill, gettext, ngettext } from "../i18n.js";
import { timecode } from "../timecode.js";
import { make } from "./formatters.js";

const PREVIEW_AFTER = 280;
const COPIED_FOR = 4000;

export class Furniture {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    this.page = grid.holder.closest("[data-grid-page]") ?? grid.holder.parentElement ?? document.body;
    this.preview = make("div", "tg-preview");
    this.preview.popover = "manual";
    grid.holder.append(this.preview);
    this.timer = 0;
    grid.addEventListener("saving", () => this.saving());
    grid.addEventListener("head", () => queueMicrotask(() => this.saving())); // now it is known who may edit
    document.addEventListener("htmx:configRequest", (event) => this.addIds(/** @type {CustomEvent} */ (event)));
    document.addEventListener("click", (event) => this.onClick(event));
    grid.board.addEventListener("pointerover", (event) => this.over(event));
    grid.board.addEventListener("pointerleave", () => this.hidePreview());
    grid.board.addEventListener("wheel", () => this.hidePreview(), { passive: true });
  }

  /** @param {string} selector @returns {HTMLElement | null} */
  find(selector) {
    return this.page.querySelector(selector);
  }

  draw() {
    const { grid } = this;
    const n = grid.chosen.size;
    const bar = this.find("[data-bulk-bar]");
    if (bar) {
      bar.hidden = n === 0;
      const output = bar.querySelector("output");
      const text = fill(ngettext("%(n)s row chosen", "%(n)s rows chosen", n), { n: n.toLocaleString() });
      if (output && output.textContent !== text) output.textContent = text;
    }
    this.counts();
    this.emptiness();
    this.headBox();
  }

  counts() {
    const place = this.find("[data-grid-count]");
    if (!place) return;
    const { rows, values } = this.grid;
    const shown = rows.passed.length;
    const frames = rows.summed.length ? rows.passed.reduce((sum, item) => sum + (item[rows.summed[0]] ?? 0), 0) : null;
    const count = rows.filter ? fill(gettext("%(n)s of %(all)s"), { n: shown.toLocaleString(), all: rows.items.length.toLocaleString() }) : fill(ngettext("%(n)s row", "%(n)s rows", shown), { n: shown.toLocaleString() });
    const text = frames === null ? count : `${count} · ${timecode(frames, values.rate)}`;
    if (this.grid.loaded && place.textContent !== text) place.textContent = text;
  }

  /** Nothing to show: what to do next. */
  emptiness() {
    const { grid } = this;
    const template = grid.holder.querySelector("template[data-grid-empty]");
    const none = grid.loaded && grid.rows.items.length === 0;
    const hidden = grid.loaded && !none && grid.rows.shown.length === 0;
    const state = none ? "empty" : hidden ? "filtered" : "rows";
    if (grid.holder.dataset.state === state) return;
    grid.holder.dataset.state = state;
    this.message?.remove();
    if (state === "rows") return;
    this.message = make("div", "tg-message");
    if (none && template instanceof HTMLTemplateElement) this.message.append(template.content.cloneNode(true));
    else this.message.append(make("p", "dim", none ? gettext("Nothing here yet.") : gettext("No row matches the filter.")));
    grid.holder.append(this.message);
  }

  /** The box that checks all rows. */
  headBox() {
    const head = this.grid.board.querySelector(".slick-header-column.tg-row-cell");
    if (!head) return;
    let box = head.querySelector("input");
    if (!box) {
      box = document.createElement("input");
      box.type = "checkbox";
      box.setAttribute("aria-label", gettext("Choose all rows"));
      box.addEventListener("click", (event) => event.stopPropagation());
      box.addEventListener("change", () => this.grid.chooseRows(null, /** @type {HTMLInputElement} */ (box).checked));
      head.replaceChildren(box);
    }
    const all = this.grid.rows.rowOf.size;
    box.checked = all > 0 && this.grid.chosen.size >= all;
    box.indeterminate = this.grid.chosen.size > 0 && !box.checked;
  }

  saving() {
    const { saving } = this.grid;
    const place = this.find("[data-grid-saving]");
    if (!place) return;
    const fixed = !this.grid.canEdit && saving.state === "saved";
    place.dataset.state = fixed ? "fixed" : saving.state;
    const text = fixed ? gettext("Read-only") : saving.words();
    if (place.textContent !== text) place.textContent = text;
  }

  /** @param {CustomEvent} event every request from the bar carries the checked rows */
  addIds(event) {
    const source = event.detail.elt;
    if (source instanceof Element && source.closest("[data-bulk-bar]") && this.page.contains(source)) event.detail.parameters.ids = [...this.grid.chosen].join(","); // a list would be sent as many fields of one name
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    if (!target || !this.page.contains(target)) return;
    const command = target.closest("[data-grid-command]");
    if (command instanceof HTMLElement) this.grid.command(command.dataset.gridCommand ?? "");
    if (target.closest("[data-select-none]")) this.grid.chooseRows(null, false);
    if (target.closest("[data-grid-saving]")) {
      if (this.grid.saving.state === "conflict") this.grid.saving.conflicts.settle();
      else if (this.grid.saving.state === "offline") this.grid.saving.again();
    }
  }

  /** The picture of a row, larger. @param {PointerEvent} event */
  over(event) {
    const image = event.target instanceof Element ? event.target.closest(".tg-thumb")?.querySelector("img") : null;
    if (image === this.previewed) return;
    this.hidePreview();
    if (!image || event.buttons) return;
    this.previewed = image;
    this.timer = setTimeout(() => this.showPreview(image), PREVIEW_AFTER);
  }

  /** @param {HTMLImageElement} image */
  showPreview(image) {
    if (!image.isConnected) return;
    const large = document.createElement("img");
    large.alt = "";
    large.src = image.src; // at once; the sharper one takes its place when it is there
    const sharp = new Image();
    sharp.addEventListener("load", () => (large.src = sharp.src), { once: true });
    sharp.src = image.src.replace(/\/(\d+)\/(?=$|\?)/, "/640/");
    this.preview.replaceChildren(large);
    this.preview.showPopover();
    const box = image.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.preview;
    this.preview.style.left = `${box.right + 12 + width > innerWidth ? Math.max(8, box.left - width - 12) : box.right + 12}px`;
    this.preview.style.top = `${Math.max(8, Math.min(box.top - height / 2 + box.height / 2, innerHeight - height - 8))}px`;
  }

  hidePreview() {
    clearTimeout(this.timer);
    this.previewed = null;
    if (this.preview.matches(":popover-open")) this.preview.hidePopover();
  }

  /** A dashed line around what was copied. @param {import("./range.js").Box | null} box */
  copied(box) {
    this.grid.range.copied = box;
    this.grid.range.draw();
    clearTimeout(this.copyTimer);
    this.copyTimer = setTimeout(() => {
      this.grid.range.copied = null;
      this.grid.range.draw();
    }, COPIED_FOR);
  }
}
