// A table of a project as a spreadsheet: [data-grid]. What other modules may use is listed first in the class.
//
// On the holder: data-table, data-project, data-url (…/api/v1/projects/CODE/shots/), data-live-topic-id ("project:12"),
// data-studio-url ("…/{id}/"), data-fps. Events of the grid: "head" (before the first rows), "rows", "view",
// "selection", "active" {row, field}, "saving" {state, waiting}.

import { Actions } from "./actions.js";
import { Aria } from "./aria.js";
import { CellInput } from "./cell-input.js";
import { Clipboard, Fill } from "./clipboard.js";
import { Columns } from "./columns.js";
import { Deltas } from "./deltas.js";
import { standardEditors } from "./editors.js";
import { Furniture } from "./furniture.js";
import { Keys } from "./keys.js";
import { Loader } from "./loader.js";
import { Marks } from "./marks.js";
import { Pointer } from "./pointer.js";
import { Range } from "./range.js";
import { createRenderer } from "./renderer.js";
import { Reorder } from "./reorder.js";
import { RowModel } from "./rows.js";
import { Saving } from "./saving.js";
import { sameValue, Values } from "./values.js";
import { beforeUndo } from "../keyboard.js";
import { parseRate } from "../timecode.js";
import { onElements } from "../util.js";

/** @typedef {import("./stream.js").Item} Item */
/** @typedef {import("./stream.js").Column} Column */
/** @typedef {import("./stream.js").Head} Head */
/** @typedef {import("./stream.js").Option} Option */
/** @typedef {import("./columns.js").ViewConfig} ViewConfig */
/** @typedef {import("./clipboard.js").Change} Change */

export class ShotGrid extends EventTarget {
  /** @param {HTMLElement} holder */
  constructor(holder) {
    super();
    this.holder = holder;
    this.table = holder.dataset.table ?? "";
    this.project = holder.dataset.project ?? "";
    this.url = holder.dataset.url ?? "";
    this.topic = holder.dataset.liveTopicId ?? "";
    this.person = document.body.dataset.userTopic ?? "";
    /** @type {Head | null} the stream's first line */
    this.head = null;
    this.seq = 0;
    this.loaded = false;
    /** @type {ViewConfig} the present view */
    this.view = {};
    /** @type {Set<number>} ids of checked rows */
    this.chosen = new Set();
    /** @type {Map<string, (name: string) => Promise<Option | null>>} options key -> makes a new one by its name */
    this.makers = new Map();
    this.editors = standardEditors();
    /** @type {any} the SlickGrid, once the head is there */
    this.slick = null;
    this.groupColumns = { title: "_row", hint: "" };
    this.board = document.createElement("div");
    this.board.className = "tg-board";
    this.board.id = `tg-${this.table}-board`;
    holder.append(this.board);
    this.values = new Values({}, parseRate(holder.dataset.fps || "24"));
    this.marks = new Marks((id) => this.repaint(id));
    this.rows = new RowModel(this.values, (name) => this.column(name));
    this.columnSet = new Columns(this);
    this.range = new Range(this);
    this.aria = new Aria(this);
    this.keys = new Keys(this);
    this.input = new CellInput(this);
    this.clipboard = new Clipboard(this);
    this.fill = new Fill(this);
    this.saving = new Saving(this);
    this.deltas = new Deltas(this);
    this.reorder = new Reorder(this);
    this.pointer = new Pointer(this);
    this.actions = new Actions(this);
    this.furniture = new Furniture(this);
    this.loader = new Loader(this);
    /** @type {Set<number>} rows that are painted again with the next frame */
    this.stale = new Set();
    /** Resolves when the head is there. @type {Promise<Head>} */
    this.ready = new Promise((resolve) => this.addEventListener("head", () => resolve(/** @type {Head} */ (this.head)), { once: true }));
    beforeUndo(() => this.saving.flush());
    this.loader.start();
  }

  // For menus, panels and presence.

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

  // For the parts of the grid.

  /** @param {Head} head the first line: the frame can be drawn */
  setHead(head) {
    this.head = head;
    this.seq = head.seq;
    this.values.rate = parseRate(head.fps || this.holder.dataset.fps || "24");
    this.values.setOptions(head.options);
    this.columnSet.set(head.columns);
    this.rows.summed = head.columns.filter(({ type }) => type === "duration").map(({ name }) => name);
    if (!this.slick) this.applyView(head.view?.config ?? {});
    this.tell("head", head); // panels may put their own view in before anything is drawn
    if (this.slick) this.columnSet.apply(this.view);
    else {
      this.slick = createRenderer(this.board, this.rows, this.columnSet.build(this.view), { frozen: this.columnSet.frozen(this.view), row: this.view.row ?? "m" });
      this.holder.dataset.row = this.view.row ?? "m";
      this.columnSet.listen();
      this.slick.onScroll.subscribe(() => this.input.place());
      this.aria.frame();
      new ResizeObserver(() => {
        this.slick.resizeCanvas();
        this.range.draw();
      }).observe(this.holder);
    }
    this.afterColumns();
    this.showSort();
  }

  /** Columns stand elsewhere now. */
  afterColumns() {
    const columns = this.slick.getColumns();
    const frozen = this.slick.getOptions().frozenColumn;
    this.groupColumns = frozen > 0 ? { title: "_row", hint: columns[frozen + 1]?.id ?? "" } : { title: columns[1]?.id ?? "_row", hint: columns[2]?.id ?? "" };
    this.aria.heads();
    this.aria.counts();
    this.range.draw();
  }

  showSort() {
    this.slick?.setSortColumns(this.rows.sort.map(([columnId, way]) => ({ columnId, sortAsc: way !== "desc" })));
    if (this.slick) this.aria.heads();
  }

  /** Rows come, go or move: compute and draw what is shown, and keep what is selected. */
  rebuild() {
    if (!this.slick) return;
    const keep = this.range.keep();
    this.rows.refresh();
    this.slick.invalidateAllRows();
    this.slick.updateRowCount();
    this.slick.render();
    this.aria.counts();
    keep();
    this.input.follow();
    this.furniture.draw();
  }

  /** @param {number} id */
  repaint(id) {
    if (!this.stale.size) requestAnimationFrame(() => this.paint());
    this.stale.add(id);
  }

  paint() {
    const rows = [...this.stale].map((id) => this.rows.rowOf.get(id)).filter((row) => row !== undefined);
    this.stale.clear();
    if (!this.slick || !rows.length) return;
    this.slick.invalidateRows(rows);
    this.slick.render();
    this.furniture.draw();
  }

  /** @param {Record<string, Option[]>} options */
  setOptions(options) {
    this.values.setOptions(options);
    if (this.head) this.head.options = options;
  }

  /** @param {Column[]} columns */
  setColumns(columns) {
    this.columnSet.set(columns);
    if (this.head) this.head.columns = columns;
    this.columnSet.apply(this.view);
    this.afterColumns();
    this.tell("columns", columns);
  }

  /** @param {any[]} views */
  setViews(views) {
    if (this.head) this.head.views = views;
    this.tell("views", views);
  }

  /** The person changed the view by the grid's own means. @param {Partial<ViewConfig>} patch @param {boolean} [apply] draw it too */
  viewChanged(patch, apply = false) {
    Object.assign(this.view, patch);
    if (apply) this.columnSet.apply(this.view);
    this.afterColumns();
    this.tell("view", this.config());
  }

  /** @param {string} key @param {boolean} open */
  openGroup(key, open) {
    if (open) this.rows.closed.delete(key);
    else this.rows.closed.add(key);
    this.rebuild();
  }

  /** Check rows or uncheck them. @param {(Item | import("./rows.js").Group)[] | null} items null: all @param {boolean} on */
  chooseRows(items, on) {
    if (items === null && !on) this.chosen.clear();
    for (const item of items ?? this.rows.shown) {
      if (!("id" in item)) continue;
      if (on) this.chosen.add(/** @type {number} */ (item.id));
      else this.chosen.delete(/** @type {number} */ (item.id));
    }
    this.slick.invalidateAllRows();
    this.slick.render();
    this.furniture.draw();
    this.tell("selection", null);
  }

  /** @param {number} row @returns {number} its number in the list, group heads not counted */
  numberOf(row) {
    return this.rows.numbers[row] ?? row + 1;
  }

  /** @param {number} id @returns {string} */
  nameOf(id) {
    const item = this.item(id);
    return String(item?.code ?? item?.name ?? id);
  }

  /** @param {number} id @returns {string} the page of a row */
  studioUrl(id) {
    return (this.head?.address || this.holder.dataset.studioUrl || "").replace("{id}", String(id));
  }

  /** @param {string} name @param {unknown} detail */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

onElements("[data-grid]", (holder) => {
  /** @type {any} */ (holder).grid = new ShotGrid(holder);
});
