// Which columns stand in the grid, in which order and width; and what the person changes about that with the mouse.

import { gettext } from "../i18n.js";
import { formatterFor } from "./formatters.js";
import { ROW_HEIGHTS } from "./renderer.js";

/** @typedef {import("./stream.js").Column} Column */
/**
 * @typedef {{columns?: [string, number][], frozen?: number, filter?: any, sort?: [string, "asc" | "desc"][],
 *   group?: [string, "asc" | "desc"][], search?: string, duration?: "timecode" | "frames" | "seconds", row?: "s" | "m" | "l"}} ViewConfig
 */

const ALIGNED = new Set(["number", "duration"]);
const ROW_COLUMN = "_row";
const MAX_FROZEN_SHARE = 0.7;
export const DEFAULT_FROZEN = 2; // the picture and the code

export class Columns {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    this.formatter = formatterFor(grid);
    /** @type {Column[]} */
    this.all = [];
    /** @type {Map<string, Column>} */
    this.byName = new Map();
  }

  /** @param {Column[]} columns */
  set(columns) {
    this.all = columns;
    this.byName = new Map(columns.map((column) => [column.name, column]));
  }

  /** @param {ViewConfig} config @returns {object[]} as SlickGrid takes them; the first one is the row's own */
  build(config) {
    const named = (config.columns ?? []).filter(([name]) => this.byName.has(name));
    const visible = /** @type {[string, number][]} */ (named.length ? named : this.all.filter((column) => !column.hidden).map((column) => [column.name, column.width]));
    return [this.rowColumn(), ...visible.map(([name, width]) => this.one(/** @type {Column} */ (this.byName.get(name)), width))];
  }

  rowColumn() {
    return {
      id: ROW_COLUMN, field: ROW_COLUMN, name: "", width: 52, minWidth: 52, maxWidth: 52, cssClass: "tg-row-cell", headerCssClass: "tg-row-cell",
      resizable: false, reorderable: false, sortable: false, formatter: this.formatter, cellAttrs: { "aria-colindex": "1" },
    };
  }

  /** @param {Column} column @param {number} width */
  one(column, width) {
    const classes = [`tg-${column.type.replace("_", "-")}`];
    if (ALIGNED.has(column.type)) classes.push("is-num");
    if (!column.editable) classes.push("is-fixed");
    return {
      id: column.name, field: column.name, name: column.own_label || column.label, toolTip: column.help || column.own_label || column.label,
      width: Math.max(40, Math.round(width || column.width || 120)), minWidth: 40, cssClass: classes.join(" "),
      headerCssClass: ALIGNED.has(column.type) ? "is-num" : "", sortable: column.type !== "image", formatter: this.formatter,
      cellAttrs: { "data-field": column.name }, headerCellAttrs: { "data-column": column.name }, column,
    };
  }

  /** @returns {Column[]} what is shown, in order */
  shown() {
    return this.grid.slick.getColumns().slice(1).map((/** @type {any} */ slickColumn) => slickColumn.column);
  }

  /** @param {number} cell an index of SlickGrid @returns {Column | null} */
  at(cell) {
    return this.grid.slick.getColumns()[cell]?.column ?? null;
  }

  /** @param {string} name @returns {number} the index in SlickGrid, -1 when hidden */
  indexOf(name) {
    return this.grid.slick.getColumns().findIndex((/** @type {any} */ slickColumn) => slickColumn.id === name);
  }

  /** @param {ViewConfig} config @returns {number} index of the last frozen column; never more than the window can show */
  frozen(config) {
    const columns = this.build(config);
    const room = (this.grid.holder.clientWidth || innerWidth) * MAX_FROZEN_SHARE;
    let width = 0;
    let last = 0;
    for (let index = 0; index <= (config.frozen ?? DEFAULT_FROZEN) && index < columns.length - 1; index += 1) {
      width += /** @type {any} */ (columns[index]).width;
      if (width > room) break;
      last = index;
    }
    return last;
  }

  /** Take over a view's columns, frozen part and row height. @param {ViewConfig} config */
  apply(config) {
    const { slick } = this.grid;
    const rowHeight = ROW_HEIGHTS[config.row ?? "m"] ?? ROW_HEIGHTS.m;
    slick.setOptions({ frozenColumn: this.frozen(config), rowHeight }, true, true);
    slick.setColumns(this.build(config));
    slick.setOptions({ frozenColumn: this.frozen(config), rowHeight });
    this.grid.holder.dataset.row = config.row ?? "m";
  }

  /** @returns {[string, number][]} */
  widths() {
    return this.grid.slick.getColumns().slice(1).map((/** @type {any} */ column) => [column.id, Math.round(column.width)]);
  }

  /** Columns that the person drags, resizes and sorts by their heads. */
  listen() {
    const { slick } = this.grid;
    slick.onColumnsReordered.subscribe(() => this.grid.viewChanged({ columns: this.widths() }));
    slick.onColumnsResized.subscribe(() => this.grid.viewChanged({ columns: this.widths() }));
    slick.onColumnsResizeDblClick.subscribe((/** @type {unknown} */ event, /** @type {{triggeredByColumn: string}} */ { triggeredByColumn }) => this.fit(triggeredByColumn));
    slick.onSort.subscribe((/** @type {unknown} */ event, /** @type {any} */ { sortCols }) => {
      this.grid.setSort(sortCols.map((/** @type {any} */ rule) => [rule.columnId, rule.sortAsc ? "asc" : "desc"]));
      this.grid.viewChanged({ sort: this.grid.rows.sort });
    });
    // The third click on a head takes its sort away again.
    slick.onBeforeSort.subscribe((/** @type {unknown} */ event, /** @type {any} */ { sortCols, previousSortColumns }) => {
      for (const rule of sortCols) {
        const before = previousSortColumns.find((/** @type {any} */ old) => old.columnId === rule.columnId);
        const turned = this.before.get(rule.columnId) === "desc" && rule.sortAsc;
        if (before && turned) {
          const rest = this.grid.rows.sort.filter(([name]) => name !== rule.columnId);
          this.grid.setSort(sortCols.length > 1 ? rest : []);
          this.grid.viewChanged({ sort: this.grid.rows.sort });
          return false;
        }
      }
      return true;
    });
  }

  /** @returns {Map<string, string>} the sort as it was before the click */
  get before() {
    return new Map(this.grid.rows.sort);
  }

  /** As wide as its longest text among the first rows. @param {string} name */
  fit(name) {
    const column = this.byName.get(name);
    if (!column) return;
    const canvas = document.createElement("canvas").getContext("2d");
    if (!canvas) return;
    canvas.font = getComputedStyle(this.grid.holder).font;
    const texts = this.grid.rows.items.slice(0, 400).map((item) => this.grid.values.text(column, item[name]));
    const widest = Math.max(...texts.map((text) => Math.max(...text.split("\n").map((line) => canvas.measureText(line).width))), canvas.measureText(column.label).width + 12);
    this.grid.viewChanged({ columns: this.widths().map(([id, width]) => [id, id === name ? Math.min(480, Math.ceil(widest) + 26) : width]) }, true);
  }

  /** @param {string} name */
  hide(name) {
    if (this.widths().length < 2) return;
    this.grid.viewChanged({ columns: this.widths().filter(([id]) => id !== name) }, true);
  }

  /** What a screen reader says about a column. @param {string} name @returns {string} */
  sortWord(name) {
    const rule = this.grid.rows.sort.find(([field]) => field === name);
    return rule ? (rule[1] === "desc" ? "descending" : "ascending") : "none";
  }

  /** @param {Column} column @returns {string} */
  label(column) {
    return column.own_label || column.label || gettext("Column");
  }
}
