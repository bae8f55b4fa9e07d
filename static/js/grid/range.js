// What is selected: the active cell, the range that reaches from it, and the overlays that show both. The overlays
// are a handful of boxes in the two panes, so that a range over 10,000 rows costs no more than one over two.

import { isGroup } from "./rows.js";

/** @typedef {{row: number, cell: number}} Place row and column as SlickGrid counts them */
/** @typedef {{top: number, bottom: number, left: number, right: number}} Box inclusive rows and columns */

export class Range {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    /** @type {Place | null} */
    this.active = null;
    /** @type {Place | null} the corner that moves */
    this.corner = null;
    /** @type {HTMLElement[]} */
    this.overlays = [];
    /** @type {Box | null} what the fill handle would fill */
    this.filling = null;
    /** @type {Box | null} what was copied, for a moment */
    this.copied = null;
  }

  /** @returns {Box | null} */
  get box() {
    if (!this.active || !this.corner) return null;
    return {
      top: Math.min(this.active.row, this.corner.row), bottom: Math.max(this.active.row, this.corner.row),
      left: Math.min(this.active.cell, this.corner.cell), right: Math.max(this.active.cell, this.corner.cell),
    };
  }

  get isSingle() {
    const { box } = this;
    return !box || (box.top === box.bottom && box.left === box.right);
  }

  /** @returns {import("./stream.js").Item | null} */
  get item() {
    return this.active ? this.grid.rows.itemAt(this.active.row) : null;
  }

  /** @returns {import("./stream.js").Column | null} */
  get column() {
    return this.active ? this.grid.columnSet.at(this.active.cell) : null;
  }

  /** @param {Place | null} place @returns {Place | null} inside the grid, never on a group's head */
  clamp(place) {
    if (!place) return null;
    const { rows, slick } = this.grid;
    const last = rows.getLength() - 1;
    if (last < 0) return null;
    const cell = Math.max(1, Math.min(place.cell, slick.getColumns().length - 1));
    let row = Math.max(0, Math.min(place.row, last));
    for (let at = row; at <= last; at += 1) if (!isGroup(rows.shown[at])) return { row: at, cell };
    while (row >= 0 && isGroup(rows.shown[row])) row -= 1;
    return row < 0 ? null : { row, cell };
  }

  /** @param {Place | null} place @param {{scroll?: boolean}} [options] */
  setActive(place, { scroll = true } = {}) {
    this.active = this.clamp(place);
    this.corner = this.active;
    if (this.active && scroll) this.grid.slick.scrollCellIntoView(this.active.row, this.active.cell, false);
    this.changed();
  }

  /** @param {Place} corner @param {{scroll?: boolean}} [options] */
  extend(corner, { scroll = true } = {}) {
    if (!this.active) return this.setActive(corner);
    const last = this.grid.rows.getLength() - 1;
    this.corner = { row: Math.max(0, Math.min(corner.row, last)), cell: Math.max(1, Math.min(corner.cell, this.grid.slick.getColumns().length - 1)) };
    if (scroll) this.grid.slick.scrollCellIntoView(this.corner.row, this.corner.cell, false);
    this.changed();
  }

  /** @param {Box} box */
  select(box) {
    this.active = this.clamp({ row: box.top, cell: box.left });
    this.corner = { row: box.bottom, cell: box.right };
    this.changed();
  }

  selectAll() {
    const rows = this.grid.rows.getLength();
    if (rows) this.select({ top: 0, bottom: rows - 1, left: 1, right: this.grid.slick.getColumns().length - 1 });
  }

  clear() {
    this.active = this.corner = null;
    this.changed();
  }

  changed() {
    this.draw();
    this.grid.input.rest();
    this.grid.tell("active", { row: this.item?.id ?? null, field: this.column?.name ?? null });
    this.grid.tell("selection", null);
  }

  /** The rows of a range, group heads left out. @param {Box} box @returns {number[]} */
  rowsIn(box) {
    const found = [];
    for (let row = box.top; row <= box.bottom; row += 1) if (this.grid.rows.itemAt(row)) found.push(row);
    return found;
  }

  /** What stays selected when the rows move: kept by id. @returns {() => void} call it when they have moved */
  keep() {
    const idAt = (/** @type {Place | null} */ place) => (place ? this.grid.rows.itemAt(place.row)?.id : undefined);
    const [active, corner] = [this.active, this.corner];
    const [activeId, cornerId] = [idAt(active), idAt(corner)];
    const size = active && corner ? corner.row - active.row : 0;
    return () => {
      const row = activeId === undefined ? undefined : this.grid.rows.rowOf.get(activeId);
      if (!active || row === undefined) {
        if (active) this.setActive(active, { scroll: false });
        return;
      }
      this.active = { row, cell: Math.min(active.cell, this.grid.slick.getColumns().length - 1) };
      const other = cornerId === undefined ? undefined : this.grid.rows.rowOf.get(cornerId);
      const same = corner && other !== undefined && other - row === size;
      this.corner = same ? { row: other, cell: Math.min(corner.cell, this.grid.slick.getColumns().length - 1) } : this.active;
      this.changed();
    };
  }

  /** Draw the overlays anew. */
  draw() {
    for (const overlay of this.overlays) overlay.remove();
    this.overlays = [];
    const { box, active } = this;
    if (!box || !active) return;
    if (!this.isSingle) this.place("tg-range", box);
    this.place("tg-active", { top: active.row, bottom: active.row, left: active.cell, right: active.cell });
    if (this.copied) this.place("tg-copied", this.copied);
    if (this.filling) this.place("tg-filling", this.filling);
    if (this.grid.canEdit) this.handle(box);
  }

  /** @param {Box} box @param {boolean} left in the frozen pane? @returns {{x: number, y: number, width: number, height: number} | null} */
  pixels(box, left) {
    const { slick } = this.grid;
    const frozen = slick.getOptions().frozenColumn;
    const from = left ? box.left : Math.max(box.left, frozen + 1);
    const to = left ? Math.min(box.right, frozen) : box.right;
    if (from > to) return null;
    const first = slick.getCellNodeBox(box.top, from);
    const last = slick.getCellNodeBox(box.bottom, to);
    if (!first || !last) return null;
    // SlickGrid counts the right pane's columns from its own edge.
    return { x: first.left, y: first.top, width: last.right - first.left, height: last.bottom + 1 - first.top };
  }

  /** @param {string} className @param {Box} box */
  place(className, box) {
    const canvases = this.grid.slick.getCanvases();
    const parts = [this.pixels(box, true), this.pixels(box, false)];
    for (const [index, pixels] of parts.entries()) {
      if (!pixels) continue;
      const overlay = document.createElement("div");
      overlay.className = className;
      if (parts[0] && parts[1]) overlay.classList.add(index ? "goes-left" : "goes-right");
      overlay.setAttribute("aria-hidden", "true");
      Object.assign(overlay.style, { left: `${pixels.x}px`, top: `${pixels.y}px`, width: `${pixels.width}px`, height: `${pixels.height}px` });
      canvases[index].append(overlay);
      this.overlays.push(overlay);
    }
  }

  /** The small square that fills when it is dragged. @param {Box} box */
  handle(box) {
    const right = this.pixels(box, false);
    const pixels = right ?? this.pixels(box, true);
    if (!pixels) return;
    const handle = document.createElement("div");
    handle.className = "tg-fill-handle";
    handle.setAttribute("aria-hidden", "true");
    Object.assign(handle.style, { left: `${pixels.x + pixels.width - 5}px`, top: `${pixels.y + pixels.height - 5}px` });
    this.grid.slick.getCanvases()[right ? 1 : 0].append(handle);
    this.overlays.push(handle);
  }
}
