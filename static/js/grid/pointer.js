// The mouse in the grid: choose a cell, drag a range (also across the frozen edge), fill by the handle, check rows.

import { isGroup } from "./rows.js";

/** @typedef {import("./range.js").Place} Place */

const EDGE = 28;
const STEP_EVERY = 40;

export class Pointer {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    this.canvas = grid.board;
    /** @type {"none" | "range" | "fill"} */
    this.drag = "none";
    this.timer = 0;
    this.at = { x: 0, y: 0 };
    this.lastChecked = -1;
    this.canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    this.canvas.addEventListener("click", (event) => this.onClick(event));
    this.canvas.addEventListener("dblclick", (event) => this.onDouble(event));
    this.canvas.addEventListener("mousedown", (event) => this.isCell(event.target) && event.preventDefault()); // the focus stays in our input
    this.canvas.addEventListener("pointerover", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.hover(null));
    addEventListener("pointermove", (event) => this.onMove(event));
    addEventListener("pointerup", () => this.onUp());
    addEventListener("pointercancel", () => this.onUp());
  }

  /** @param {EventTarget | null} target */
  isCell(target) {
    return target instanceof Element && target.closest(".slick-cell, .tg-fill-handle") !== null && !(target instanceof HTMLInputElement);
  }

  /** @param {EventTarget | Element | null} target @returns {Place | null} */
  placeOf(target) {
    const cell = target instanceof Element ? target.closest(".slick-cell") : null;
    const row = cell?.closest(".slick-row");
    if (!cell || !(row instanceof HTMLElement) || !this.canvas.contains(cell)) return null;
    const index = /(?:^|\s)l(\d+)/.exec(cell.className);
    return index ? { row: Number(row.dataset.row), cell: Number(index[1]) } : null;
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    const target = event.target instanceof Element ? event.target : null;
    if (event.button !== 0 || !target) return;
    const { range, rows, input } = this.grid;
    if (target.closest(".tg-fill-handle")) {
      event.preventDefault();
      input.finish();
      this.drag = "fill";
      return;
    }
    const place = this.placeOf(target);
    if (!place) return;
    if (isGroup(rows.shown[place.row])) return;
    if (place.cell === 0) {
      if (target.closest(".tg-grip")) this.grid.reorder.start(event, place.row);
      return;
    }
    if (target.closest("a[href], button") && !event.shiftKey) return;
    if (!input.finish()) return;
    if (event.shiftKey && range.active) range.extend(place, { scroll: false });
    else {
      this.again = range.isSingle && range.active?.row === place.row && range.active?.cell === place.cell;
      range.setActive(place, { scroll: false });
    }
    this.drag = "range";
    input.focus();
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    if (this.drag === "none") return;
    this.at = { x: event.clientX, y: event.clientY };
    this.follow();
    const box = this.canvas.getBoundingClientRect();
    const outside = event.clientY > box.bottom - EDGE || event.clientY < box.top + EDGE || event.clientX > box.right - EDGE || event.clientX < box.left;
    if (outside && !this.timer) this.timer = setInterval(() => this.scroll(), STEP_EVERY);
    else if (!outside) this.still();
  }

  /** Where the mouse is now belongs to the range. */
  follow() {
    const inner = this.viewport().getBoundingClientRect();
    const outer = this.canvas.getBoundingClientRect();
    const x = Math.max(outer.left + 4, Math.min(this.at.x, inner.right - 16));
    const y = Math.max(inner.top + 4, Math.min(this.at.y, inner.bottom - 16));
    const place = this.placeOf(document.elementFromPoint(x, y));
    if (!place || place.cell === 0) return;
    const { range } = this.grid;
    if (this.drag === "fill") {
      range.filling = this.grid.fill.target(place);
      range.draw();
    } else if (place.row !== range.corner?.row || place.cell !== range.corner?.cell) range.extend(place, { scroll: false });
  }

  /** The mouse is held at an edge: the grid moves under it. */
  scroll() {
    const view = this.viewport();
    const box = view.getBoundingClientRect();
    const over = (/** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ value) => (value < low + EDGE ? value - low - EDGE : value > high - EDGE ? value - high + EDGE : 0);
    view.scrollTop += over(box.top, box.bottom, this.at.y);
    view.scrollLeft += over(box.left, box.right, this.at.x);
    this.follow();
  }

  still() {
    clearInterval(this.timer);
    this.timer = 0;
  }

  onUp() {
    this.still();
    if (this.drag === "fill") this.grid.fill.drop();
    this.drag = "none";
  }

  /** @returns {Element} the pane that scrolls */
  viewport() {
    return /** @type {Element} */ (this.canvas.querySelector(".slick-viewport-top.slick-viewport-right"));
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    const place = this.placeOf(target);
    if (!target || !place) return;
    const row = this.grid.rows.shown[place.row];
    if (isGroup(row)) {
      this.grid.openGroup(row.key, !row.open);
      return;
    }
    if (place.cell === 0 && !target.closest(".tg-grip")) {
      event.preventDefault(); // the box is drawn again with the row
      const on = !this.grid.chosen.has(row.id);
      if (event.shiftKey && this.lastChecked >= 0) this.grid.chooseRows(this.grid.rows.shown.slice(Math.min(this.lastChecked, place.row), Math.max(this.lastChecked, place.row) + 1), on);
      else this.grid.chooseRows([row], on);
      this.lastChecked = place.row;
      if (!this.grid.range.active) this.grid.range.setActive({ row: place.row, cell: 1 }, { scroll: false });
      this.grid.input.focus();
      return;
    }
    if (this.again && !event.shiftKey && event.detail === 1) this.grid.input.clickedAgain();
    this.again = false;
  }

  /** @param {MouseEvent} event */
  onDouble(event) {
    const target = event.target instanceof Element ? event.target : null;
    const place = this.placeOf(target);
    if (!place || place.cell === 0 || isGroup(this.grid.rows.shown[place.row]) || target?.closest(".tg-code a, .tg-thumb")) return;
    event.preventDefault();
    this.grid.input.start();
  }

  /** Both panes of a row light up together. @param {Event | null} event */
  hover(event) {
    const row = event?.target instanceof Element ? event.target.closest(".slick-row") : null;
    const number = row instanceof HTMLElement ? row.dataset.row : undefined;
    if (number === this.hovered) return;
    for (const old of this.canvas.querySelectorAll(".slick-row.is-hovered")) old.classList.remove("is-hovered");
    this.hovered = number;
    if (number === undefined) return;
    for (const part of this.canvas.querySelectorAll(`.slick-row[data-row="${number}"]`)) part.classList.add("is-hovered");
  }
}
