// The grid's frame: its parts, and what they ask of each other. What other modules may use is in grid.js.

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
import { addMakers } from "./makers.js";
import { Marks } from "./marks.js";
import { Pointer } from "./pointer.js";
import { Range } from "./range.js";
import { createRenderer } from "./renderer.js";
import { Reorder } from "./reorder.js";
import { RowModel } from "./rows.js";
import { Saving } from "./saving.js";
import { Values } from "./values.js";
import { beforeUndo } from "../keyboard.js";
import { parseRate } from "../timecode.js";

/** @typedef {import("./stream.js").Item} Item */
/** @typedef {import("./stream.js").Column} Column */
/** @typedef {import("./stream.js").Head} Head */
/** @typedef {import("./stream.js").Option} Option */
/** @typedef {import("./columns.js").ViewConfig} ViewConfig */

/** @typedef {import("./grid.js").ShotGrid} ShotGrid */

export class GridFrame extends EventTarget {
  /** @param {HTMLElement} holder */
  constructor(holder) {
    super();
    const self = /** @type {ShotGrid} */ (/** @type {unknown} */ (this));
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
    this.columnSet = new Columns(self);
    this.range = new Range(self);
    this.aria = new Aria(self);
    this.keys = new Keys(self);
    this.input = new CellInput(self);
    this.clipboard = new Clipboard(self);
    this.fill = new Fill(self);
    this.saving = new Saving(self);
    this.deltas = new Deltas(self);
    this.reorder = new Reorder(self);
    this.pointer = new Pointer(self);
    this.actions = new Actions(self);
    this.furniture = new Furniture(self);
    this.loader = new Loader(self);
    /** @type {Set<number>} rows that are painted again with the next frame */
    this.stale = new Set();
    /** Resolves when the head is there. @type {Promise<Head>} */
    this.ready = new Promise((resolve) => this.addEventListener("head", () => resolve(/** @type {Head} */ (this.head)), { once: true }));
    beforeUndo(() => this.saving.flush());
    this.loader.start();
  }

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
    addMakers(this);
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
