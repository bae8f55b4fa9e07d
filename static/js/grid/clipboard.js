// Copy, cut and paste between the grid and spreadsheets. A paste is one gesture, one request and one undo step.

import { confirmDialog } from "../dialogs.js";
import { fill, gettext, ngettext } from "../i18n.js";
import { toast } from "../toast.js";
import { parseHtml, parseText, toHtml, toText } from "./clipboard-text.js";
import { emptyValue, mayBeEmpty } from "./values.js";

/** @typedef {import("./stream.js").Column} Column */
/** @typedef {import("./range.js").Box} Box */
/** @typedef {{text: string, value?: any}} Cell */
/** @typedef {{id: number, field: string, value?: any, text?: string, revision?: number}} Change */

const PRIVATE = "application/x-aip-cells+json";
const MOST_ROWS = 10_000;

export class Clipboard {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
  }

  /** @returns {{rows: Cell[][], columns: Column[]} | null} what is selected */
  selected() {
    const { range, rows, columnSet, values } = this.grid;
    if (!range.box) return null;
    const columns = [];
    for (let cell = range.box.left; cell <= range.box.right; cell += 1) columns.push(/** @type {Column} */ (columnSet.at(cell)));
    const cells = range.rowsIn(range.box).map((row) => {
      const item = /** @type {import("./stream.js").Item} */ (rows.itemAt(row));
      return columns.map((column) => ({ text: this.grid.marks.typed(item.id, column.name) ?? values.text(column, item[column.name]), value: item[column.name] }));
    });
    return { rows: cells, columns };
  }

  /** @param {ClipboardEvent} event */
  copy(event) {
    const selected = this.selected();
    if (!selected || !event.clipboardData) return;
    event.preventDefault();
    const texts = selected.rows.map((row) => row.map((cell) => cell.text));
    event.clipboardData.setData("text/plain", toText(texts));
    event.clipboardData.setData("text/html", toHtml(texts));
    const { project, table } = this.grid;
    const kinds = selected.columns.map((column) => `${column.type}:${column.options}`);
    event.clipboardData.setData(PRIVATE, JSON.stringify({ project, table, kinds, cells: selected.rows }));
    this.grid.furniture.copied(this.grid.range.box);
  }

  /** @param {ClipboardEvent} event */
  cut(event) {
    this.copy(event);
    this.clear();
  }

  /** Empty what is selected; cells that need a value stay. */
  clear() {
    const { range, rows, columnSet } = this.grid;
    if (!range.box) return;
    /** @type {Change[]} */
    const changes = [];
    let kept = 0;
    for (const row of range.rowsIn(range.box)) {
      const item = /** @type {import("./stream.js").Item} */ (rows.itemAt(row));
      for (let cell = range.box.left; cell <= range.box.right; cell += 1) {
        const column = /** @type {Column} */ (columnSet.at(cell));
        if (!column.editable || !mayBeEmpty(column)) kept += 1;
        else changes.push({ id: item.id, field: column.name, value: emptyValue(column) });
      }
    }
    this.grid.commit(changes, "clear");
    if (kept && !changes.length) toast(gettext("These cells cannot be emptied."), "info");
  }

  /** @param {ClipboardEvent} event */
  paste(event) {
    const data = event.clipboardData;
    if (!data || !this.grid.canEdit) return;
    event.preventDefault();
    const block = this.ours(data) ?? this.foreign(data);
    if (block) this.put(block.cells, block.kinds, "paste");
  }

  /** What another grid of this project copied: exact values. @param {DataTransfer} data @returns {{cells: Cell[][], kinds: string[]} | null} */
  ours(data) {
    try {
      const { project, kinds, cells } = JSON.parse(data.getData(PRIVATE) || "{}");
      return project === this.grid.project && Array.isArray(cells) && cells.length ? { cells, kinds } : null;
    } catch {
      return null; // not written by us after all
    }
  }

  /** @param {DataTransfer} data @returns {{cells: Cell[][], kinds: string[]} | null} */
  foreign(data) {
    const html = data.getData("text/html");
    const texts = (html && parseHtml(html)) || parseText(data.getData("text/plain"));
    if (!texts.length) return null;
    return { cells: texts.map((row) => row.map((text) => ({ text }))), kinds: [] };
  }

  /**
   * Put a block of cells where the selection is.
   * @param {Cell[][]} cells @param {string[]} kinds type and options of each column, when the values are ours
   * @param {string} why
   */
  async put(cells, kinds, why) {
    const { range, rows, slick } = this.grid;
    const { box } = range;
    if (!box) return;
    if (cells.length > MOST_ROWS) {
      toast(fill(gettext("At most %(n)s rows at once. Import a sheet for more."), { n: MOST_ROWS }), "warning");
      return;
    }
    const wide = Math.max(...cells.map((row) => row.length));
    const targets = range.rowsIn({ ...box, bottom: rows.getLength() - 1 });
    const [high, across] = [range.rowsIn(box).length, box.right - box.left + 1];
    const tiles = high % cells.length === 0 && across % wide === 0;
    const height = tiles ? Math.max(high, cells.length) : cells.length;
    const width = Math.min(tiles ? Math.max(across, wide) : wide, slick.getColumns().length - box.left);
    const more = height - targets.length;
    if (more > 0 && !(await this.mayAdd(more))) return;
    const columns = Array.from({ length: width }, (_, index) => /** @type {Column} */ (this.grid.columnSet.at(box.left + index)));
    /** @type {Change[]} */
    const changes = [];
    /** @type {Record<string, any>[]} */
    const create = [];
    let fixed = 0;
    for (let line = 0; line < height; line += 1) {
      const source = cells[line % cells.length];
      const item = targets[line] === undefined ? null : rows.itemAt(targets[line]);
      /** @type {{fields: Record<string, any>, texts: Record<string, string>}} */
      const fresh = { fields: {}, texts: {} };
      for (const [index, column] of columns.entries()) {
        const cell = source[index % wide];
        if (!cell) continue;
        if (!column.editable) {
          if (item) fixed += 1;
          continue;
        }
        const exact = kinds[index % wide] === `${column.type}:${column.options}`;
        if (!item) {
          if (exact) fresh.fields[column.name] = cell.value;
          else fresh.texts[column.name] = cell.text;
        } else if (exact) changes.push({ id: item.id, field: column.name, value: cell.value });
        else changes.push({ id: item.id, field: column.name, text: cell.text });
      }
      if (!item) create.push(fresh);
    }
    const kept = range.active;
    this.grid.commit(changes, why, { create });
    const bottom = targets[Math.min(height, targets.length) - 1];
    if (kept && bottom !== undefined) range.select({ top: box.top, left: box.left, bottom, right: box.left + width - 1 });
    if (fixed) toast(fill(ngettext("%(n)s cell is read-only and was left as it is.", "%(n)s cells are read-only and were left as they are.", fixed), { n: fixed }), "info");
  }

  /** @param {number} count @returns {Promise<boolean>} */
  async mayAdd(count) {
    const text = fill(ngettext("What you paste is %(n)s row longer than the list. Add it?", "What you paste is %(n)s rows longer than the list. Add them?", count), { n: count });
    return confirmDialog(text, { title: gettext("Add rows"), yes: gettext("Add and paste") });
  }
}

/** Dragging the fill handle, and Ctrl+D. */
export class Fill {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
  }

  /** What would be filled up to a place: down, up, right or left, whichever is further. @param {import("./range.js").Place} place @returns {Box | null} */
  target(place) {
    const { box } = this.grid.range;
    if (!box) return null;
    const [down, up] = [place.row - box.bottom, box.top - place.row];
    const [right, left] = [place.cell - box.right, box.left - place.cell];
    const most = Math.max(down, up, right, left);
    if (most <= 0) return null;
    if (most === down) return { ...box, top: box.bottom + 1, bottom: place.row };
    if (most === up) return { ...box, top: place.row, bottom: box.top - 1 };
    if (most === right) return { ...box, left: box.right + 1, right: place.cell };
    return { ...box, left: place.cell, right: box.left - 1 };
  }

  drop() {
    const { range } = this.grid;
    const { box, filling } = range;
    range.filling = null;
    if (!box || !filling) {
      range.draw();
      return;
    }
    this.from(box, filling);
    range.select({
      top: Math.min(box.top, filling.top), bottom: Math.max(box.bottom, filling.bottom),
      left: Math.min(box.left, filling.left), right: Math.max(box.right, filling.right),
    });
  }

  /** The first row of the selection into the ones below it; a single cell takes what stands above it. */
  down() {
    const { range } = this.grid;
    const { box } = range;
    if (!box) return;
    const rows = range.rowsIn(box);
    if (rows.length > 1) this.from({ ...box, bottom: rows[0], top: rows[0] }, { ...box, top: rows[1] });
    else {
      const above = range.rowsIn({ ...box, top: 0, bottom: box.top - 1 }).at(-1);
      if (above !== undefined) this.from({ ...box, top: above, bottom: above }, box);
    }
  }

  /** @param {Box} source @param {Box} target */
  from(source, target) {
    const { range, rows, columnSet, values } = this.grid;
    const sources = range.rowsIn(source);
    const targets = range.rowsIn(target);
    const wide = source.right - source.left + 1;
    const upwards = target.bottom < source.top;
    const turn = (/** @type {number} */ number, /** @type {number} */ size) => ((number % size) + size) % size;
    /** @type {Change[]} */
    const changes = [];
    for (const [line, row] of targets.entries()) {
      const item = rows.itemAt(row);
      const sideways = target.left > source.right || target.right < source.left;
      const at = sideways ? line : upwards ? turn(line - targets.length, sources.length) : line % sources.length;
      const from = rows.itemAt(sources[at]);
      if (!item || !from) continue;
      for (let cell = target.left; cell <= target.right; cell += 1) {
        const column = columnSet.at(cell);
        const origin = columnSet.at(source.left + turn(cell - source.left, wide));
        if (!column?.editable || !origin) continue;
        const exact = column.type === origin.type && column.options === origin.options;
        if (exact) changes.push({ id: item.id, field: column.name, value: from[origin.name] });
        else changes.push({ id: item.id, field: column.name, text: values.text(origin, from[origin.name]) });
      }
    }
    this.grid.commit(changes, "fill");
  }
}
