// What menus and keys ask for: rows added, doubled and removed, cells cleared and filled, undo and redo.

import { confirmDialog } from "../dialogs.js";
import { fill, gettext, ngettext } from "../i18n.js";
import { undoRedo } from "../keyboard.js";
import { toast } from "../toast.js";
import { isEmpty } from "./values.js";

/** @typedef {import("./stream.js").Item} Item */

const NOT_DOUBLED = new Set(["code", "image", "status"]);

export class Actions {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    /** @type {Record<string, () => unknown>} */
    this.commands = {
      insertAbove: () => this.insert(0),
      insertBelow: () => this.insert(1),
      add: () => this.add(),
      duplicate: () => this.duplicate(),
      remove: () => this.remove(),
      copy: () => this.native("copy"),
      cut: () => this.native("cut"),
      paste: () => this.paste(),
      fillDown: () => this.grid.canEdit && this.grid.fill.down(),
      clear: () => this.grid.canEdit && this.grid.clipboard.clear(),
      undo: () => undoRedo("undo"),
      redo: () => undoRedo("redo"),
    };
  }

  /** @param {string} name @returns {boolean} false when there is no such command */
  run(name) {
    const command = this.commands[name];
    if (!command) return false;
    if (this.grid.input.finish()) command();
    return true;
  }

  /** The rows that a command is about: the checked ones, else those of the range. @returns {Item[]} in story order */
  targets() {
    const { chosen, rows, range } = this.grid;
    if (chosen.size) return rows.items.filter(({ id }) => chosen.has(id));
    if (!range.box) return [];
    return range.rowsIn(range.box).map((row) => /** @type {Item} */ (rows.itemAt(row)));
  }

  /** @param {number} below 1: under the active row, 0: over it */
  insert(below) {
    const { item } = this.grid.range;
    if (!item) return this.add();
    const { items } = this.grid.rows;
    const at = items.indexOf(item) + below;
    return this.create([{ fields: this.likeNeighbour(item), before: items[at]?.id ?? null }]);
  }

  add() {
    return this.create([{ fields: {}, before: null }]);
  }

  /** A new row falls into the groups of the row that it is put beside. @param {Item} item */
  likeNeighbour(item) {
    const names = new Set(["scene", ...this.grid.rows.group.map(([name]) => name)]);
    /** @type {Record<string, any>} */
    const fields = {};
    for (const name of names) if (this.grid.column(name)?.editable && this.grid.column(name)?.type !== "status" && !isEmpty(item[name])) fields[name] = item[name];
    return fields;
  }

  duplicate() {
    const items = this.targets();
    if (!items.length) return undefined;
    const all = this.grid.rows.items;
    const next = all[all.indexOf(items[items.length - 1]) + 1]?.id ?? null;
    const columns = this.grid.columns.filter((column) => column.editable && !NOT_DOUBLED.has(column.type) && !NOT_DOUBLED.has(column.name));
    const rows = items.map((item) => ({
      fields: Object.fromEntries(columns.filter(({ name }) => !isEmpty(item[name])).map(({ name }) => [name, item[name]])),
      before: next,
    }));
    return this.create(rows);
  }

  /** @param {import("./saving.js").NewRow[]} rows */
  async create(rows) {
    if (!this.grid.canEdit) return;
    const answer = await this.grid.commit([], "add", { create: rows });
    const id = answer?.created?.[0];
    const row = id === undefined ? undefined : this.grid.rows.rowOf.get(id);
    if (row === undefined) {
      if (id !== undefined) toast(gettext("Added. The filter hides it."), "info");
      return;
    }
    const first = this.grid.columns.find((column) => column.editable && column.type === "long_text") ?? this.grid.columnSet.at(1);
    const cell = Math.max(1, first ? this.grid.columnSet.indexOf(first.name) : 1);
    this.grid.range.setActive({ row, cell });
    this.grid.input.focus();
  }

  async remove() {
    const items = this.targets();
    if (!items.length || !this.grid.canRemove) return;
    const n = items.length;
    const text = ngettext("Remove %(n)s row from the list? Its files stay, and Ctrl+Z brings it back.", "Remove %(n)s rows from the list? Their files stay, and Ctrl+Z brings them back.", n);
    if (!(await confirmDialog(fill(text, { n }), { yes: gettext("Remove"), danger: true }))) return;
    const answer = await this.grid.commit([], "remove", { remove: items.map(({ id }) => id) });
    if (!answer) return;
    this.grid.chooseRows(null, false);
    toast(fill(ngettext("%(n)s row removed. Ctrl+Z brings it back.", "%(n)s rows removed. Ctrl+Z brings them back.", n), { n }), "success");
    this.grid.input.focus();
  }

  /** @param {"copy" | "cut"} what from a menu: the browser's own command, on our input */
  native(what) {
    this.grid.input.focus();
    document.execCommand(what);
  }

  async paste() {
    this.grid.input.focus();
    try {
      const text = await navigator.clipboard.readText();
      const data = new DataTransfer();
      data.setData("text/plain", text);
      this.grid.clipboard.paste(new ClipboardEvent("paste", { clipboardData: data }));
    } catch {
      toast(gettext("The browser lets only the keyboard paste here: press Ctrl+V."), "info");
    }
  }
}
