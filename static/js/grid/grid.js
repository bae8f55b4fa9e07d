// A table of a project as a spreadsheet: [data-grid]. Here is what menus, panels and presence may use; the parts are
// put together in frame.js.
//
// On the holder: data-table, data-project, data-url (…/api/v1/projects/CODE/shots/), data-live-topic-id ("project:12"),
// data-fps. Events of the grid: "head" (before the first rows), "rows", "view", "columns", "views", "selection",
// "active" {row, field}, "saving" {state, waiting}.

import { GridFrame } from "./frame.js";
import { sameValue } from "./values.js";
import { onElements } from "../util.js";

/** @typedef {import("./stream.js").Item} Item */
/** @typedef {import("./stream.js").Column} Column */
/** @typedef {import("./stream.js").Head} Head */
/** @typedef {import("./stream.js").Option} Option */
/** @typedef {import("./columns.js").ViewConfig} ViewConfig */
/** @typedef {import("./clipboard.js").Change} Change */

export class ShotGrid extends GridFrame {
  /** @returns {Column[]} every column, shown or not */
  get columns() {
    return this.columnSet.all;
  }

  /** @param {string} name @returns {Column | undefined} */
  column(name) {
    return this.columnSet.byName.get(name);
  }

  /** @param {string} key @returns {Option[]} what a column's `options` names */
  options(key) {
    return this.values.options[key] ?? [];
  }

  /** @returns {Item[]} all rows in story order, hidden ones too */
  items() {
    return this.rows.items;
  }

  /** @param {number} id @returns {Item | undefined} */
  item(id) {
    return this.rows.byId.get(id);
  }

  /** The text of a cell. @param {Item} item @param {Column} column @returns {string} */
  shown(item, column) {
    return this.marks.typed(item.id, column.name) ?? this.values.text(column, item[column.name]);
  }

  /** @returns {ViewConfig} what is shown now, to be saved as a view */
  config() {
    return { ...this.view, columns: this.slick ? this.columnSet.widths() : this.view.columns };
  }

  /** Show a view: columns, widths, frozen, sort, group, heights. A filter is set by `setFilter`. @param {ViewConfig} config */
  applyView(config) {
    this.view = { ...config };
    this.values.duration = config.duration ?? "timecode";
    this.rows.sort = config.sort ?? [];
    this.rows.group = (config.group ?? []).slice(0, 3);
    if (!this.slick) return;
    this.input.finish();
    this.columnSet.apply(this.view);
    this.afterColumns();
    this.showSort();
    this.rebuild();
  }

  /** @param {((item: Item) => boolean) | null} filter */
  setFilter(filter) {
    this.rows.filter = filter;
    this.rebuild();
  }

  /** @param {[string, "asc" | "desc"][]} list */
  setSort(list) {
    this.rows.sort = list;
    this.view.sort = list;
    this.showSort();
    this.rebuild();
  }

  /** @param {[string, "asc" | "desc"][]} list at most three levels */
  setGroup(list) {
    this.rows.group = list.slice(0, 3);
    this.view.group = this.rows.group;
    this.rebuild();
  }

  /** @returns {{rows: number[], range: {rows: number[], fields: string[]} | null, cells: {id: number, field: string}[]}} rows: the checked ones */
  selection() {
    const { box } = this.range;
    const ids = box ? this.range.rowsIn(box).map((row) => /** @type {Item} */ (this.rows.itemAt(row)).id) : [];
    const fields = box ? this.columnSet.shown().slice(box.left - 1, box.right).map(({ name }) => name) : [];
    return {
      rows: [...this.chosen],
      range: box ? { rows: ids, fields } : null,
      get cells() {
        return ids.flatMap((id) => fields.map((field) => ({ id, field })));
      },
    };
  }

  /**
   * Change cells: shown at once, sent with one request, one undo step.
   * @param {Change[]} changes `value` is exact, `text` is read by the server
   * @param {string} why edit, paste, fill, clear …; edits that wait are sent together
   * @param {{create?: import("./saving.js").NewRow[], remove?: number[]}} [more]
   * @returns {Promise<any>} the server's answer, null when it refused
   */
  commit(changes, why, { create = [], remove = [] } = {}) {
    const edits = changes
      .filter((change) => this.differs(change))
      .map((change) => ({ ...change, revision: change.revision ?? /** @type {Item} */ (this.rows.byId.get(change.id)).revision }));
    if (!edits.length && !create.length && !remove.length) return Promise.resolve(null);
    const answer = this.saving.add({ why, edits, create, remove });
    this.tell("rows", { ids: edits.map(({ id }) => id), removed: [] });
    return answer;
  }

  /** @param {Change} change @returns {boolean} false when the cell says that already */
  differs({ id, field, value, text }) {
    const item = this.item(id);
    const column = this.column(field);
    if (!item || !column) return false;
    if (this.marks.typed(id, field) !== undefined) return true;
    return text === undefined ? !sameValue(value, item[field]) : text !== this.values.text(column, item[field]);
  }

  /** Ask for everything anew. */
  reload() {
    this.loader.start();
  }

  /** @param {number} id @param {string} field */
  openCell(id, field) {
    const row = this.rows.rowOf.get(id);
    const cell = this.columnSet.indexOf(field);
    if (row === undefined || cell < 0 || !this.input.finish()) return;
    this.range.setActive({ row, cell });
    this.input.focus();
    this.input.start();
  }

  /** @param {number} id @param {string} field @param {string} className @param {string} [title] */
  mark(id, field, className, title) {
    this.marks.mark(id, field, className, title);
  }

  /** @param {number} id @param {string} field @param {string} className */
  unmark(id, field, className) {
    this.marks.unmark(id, field, className);
  }

  /** @param {string} type of column @param {import("./cell-input.js").Editor} editor */
  registerEditor(type, editor) {
    this.editors.set(type, editor);
  }

  /** insertAbove, insertBelow, add, duplicate, remove, copy, cut, paste, fillDown, clear, undo, redo. @param {string} name @returns {boolean} */
  command(name) {
    return this.actions.run(name);
  }

  /** @param {string} operation @returns {boolean} */
  may(operation) {
    return this.head?.may.includes(operation) ?? false;
  }

  get canEdit() {
    return this.may(this.head?.edit ?? "");
  }

  get canRemove() {
    return this.may(this.head?.delete ?? "");
  }
}

onElements("[data-grid]", (holder) => {
  /** @type {any} */ (holder).grid = new ShotGrid(holder);
});
