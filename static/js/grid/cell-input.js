// The one text input of a grid. It always lies over the active cell and always holds the focus, invisible, so that
// the first syllable of an input method is composed in it and not lost; it turns into the editor when text comes.
// It is also what copies and pastes.

import { gettext } from "../i18n.js";
import { toast } from "../toast.js";
import { isComposing } from "../util.js";
import { isTyped, sameValue } from "./values.js";

/** @typedef {import("./stream.js").Item} Item */
/** @typedef {import("./stream.js").Column} Column */
/**
 * What an open editor knows. An editor may put a list under the input: it is told what is typed, sees keys first and
 * says what the cell becomes.
 * @typedef {{grid: import("./grid.js").ShotGrid, item: Item, column: Column, value: any, typed: boolean, cell: () => Element | null,
 *   place: () => DOMRect, commit: (value: any, move?: [number, number]) => void, close: () => void, input: HTMLTextAreaElement}} Context
 * @typedef {{typed?: (text: string) => void, key?: (event: KeyboardEvent) => boolean, result?: (text: string) => {value: any} | {why: string} | null,
 *   close?: () => void, owns?: (element: Element) => boolean, text?: string}} Helper
 * @typedef {{open: (context: Context) => Helper | null}} Editor null: it has a window of its own and calls commit or close
 */

const LONGEST = 320;
const WIDEST = 460;

export class CellInput {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    /** @type {{item: Item, column: Column, revision: number, was: any, text: string, row: number, cell: number} | null} */
    this.target = null;
    /** @type {Helper | null} */
    this.helper = null;
    this.composing = false;
    this.area = document.createElement("textarea");
    this.area.className = "tg-input";
    this.area.rows = 1;
    this.area.spellcheck = false;
    this.area.autocomplete = "off";
    this.area.dataset.idle = "";
    this.area.setAttribute("aria-label", gettext("Cell"));
    grid.holder.append(this.area);
    const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ work) => this.area.addEventListener(name, work);
    on("compositionstart", () => this.onComposition());
    on("compositionend", () => (this.composing = false));
    on("input", () => this.onInput());
    on("keydown", (event) => this.onKey(event));
    on("blur", (event) => this.onBlur(event));
    on("focus", () => this.onFocus());
    on("copy", (event) => !this.isOpen && grid.clipboard.copy(event));
    on("cut", (event) => !this.isOpen && grid.clipboard.cut(event));
    on("paste", (event) => !this.isOpen && grid.clipboard.paste(event));
  }

  get isOpen() {
    return this.target !== null;
  }

  focus() {
    this.area.focus({ preventScroll: true });
    if (!this.isOpen) this.area.setSelectionRange(0, 0);
  }

  onFocus() {
    this.grid.holder.classList.add("has-focus");
    this.grid.aria.focusable(false);
    if (!this.grid.range.active) this.grid.range.setActive({ row: 0, cell: 1 });
  }

  /** @param {FocusEvent} event */
  onBlur(event) {
    const to = event.relatedTarget;
    if (to instanceof Element && this.helper?.owns?.(to)) return;
    this.grid.holder.classList.remove("has-focus");
    this.grid.aria.focusable(true);
    if (this.isOpen) this.finish();
  }

  /** Lie over the active cell. */
  rest() {
    this.place();
    this.grid.aria.active(this.area);
  }

  /** @returns {DOMRect | null} the cell's box on the screen */
  rect() {
    const place = this.target ?? this.grid.range.active;
    const node = place && this.grid.slick.getCellNode(place.row, place.cell);
    return node ? node.getBoundingClientRect() : null;
  }

  place() {
    const box = this.rect();
    const { style } = this.area;
    if (!box) {
      style.left = "-9999px";
      return;
    }
    const holder = this.grid.holder.getBoundingClientRect();
    style.left = `${box.left - holder.left}px`;
    style.top = `${box.top - holder.top}px`;
    if (!this.isOpen) {
      style.width = "2px";
      style.height = `${box.height}px`;
      return;
    }
    style.minHeight = `${box.height}px`;
    style.width = `${box.width}px`;
    style.height = "0";
    if (this.area.scrollHeight > box.height + 2 && box.width < WIDEST) style.width = `${Math.min(WIDEST, Math.max(box.width, 320), holder.right - box.left - 12)}px`;
    style.height = `${Math.min(LONGEST, Math.max(box.height, this.area.scrollHeight + 4))}px`;
    const over = box.top + this.area.offsetHeight - holder.bottom;
    if (over > 0) style.top = `${Math.max(0, box.top - holder.top - over)}px`;
  }

  /** @param {Item} item @param {Column} column @returns {boolean} */
  allowed(item, column) {
    return this.grid.canEdit && column.editable && Boolean(item);
  }

  /** Open the active cell. @param {{typed?: boolean}} [options] typed: text that is coming in replaces the value */
  start({ typed = false } = {}) {
    const { range } = this.grid;
    const { item, column, active } = range;
    if (this.isOpen || !item || !column || !active) return;
    if (!this.allowed(item, column)) {
      if (typed) this.area.value = "";
      else this.openFixed(item, column);
      return;
    }
    if (column.type === "tick" && !typed) {
      this.toggleTick();
      return;
    }
    this.grid.slick.scrollCellIntoView(active.row, active.cell, false);
    const kept = this.grid.marks.typed(item.id, column.name);
    const text = kept ?? this.grid.values.text(column, item[column.name]);
    const editor = this.grid.editors.get(column.type);
    this.target = { item, column, revision: item.revision, was: item[column.name], text, row: active.row, cell: active.cell };
    if (!typed) this.area.value = text;
    this.helper = editor?.open(this.context(typed)) ?? null;
    if (editor && !this.helper) {
      this.target = null; // it has a window of its own
      this.area.value = "";
      return;
    }
    if (!typed && this.helper?.text !== undefined) this.area.value = this.helper.text;
    delete this.area.dataset.idle;
    this.area.className = `tg-input is-open is-${column.type.replace("_", "-")}`;
    this.grid.holder.classList.add("is-editing");
    this.area.removeAttribute("aria-invalid");
    this.place();
    if (!typed) {
      this.focus();
      const all = column.type !== "long_text" && column.type !== "text";
      this.area.setSelectionRange(all ? 0 : this.area.value.length, this.area.value.length);
    }
  }

  /** @param {boolean} typed @returns {Context} */
  context(typed) {
    const target = /** @type {NonNullable<CellInput["target"]>} */ (this.target);
    return {
      grid: this.grid, item: target.item, column: target.column, value: target.was, typed, input: this.area,
      cell: () => this.grid.slick.getCellNode(target.row, target.cell),
      place: () => this.grid.slick.getCellNode(target.row, target.cell)?.getBoundingClientRect() ?? this.grid.holder.getBoundingClientRect(),
      commit: (value, move) => this.take(target, value, move),
      close: () => {
        if (this.target === target) this.close();
        this.focus();
      },
    };
  }

  /** A second click on the active cell opens what is chosen from a list. */
  clickedAgain() {
    const { item, column } = this.grid.range;
    if (item && column && !isTyped(column) && this.allowed(item, column)) this.start();
  }

  /** Enter on a cell that takes no text: a picture and a code lead to the row's page. @param {Item} item @param {Column} column */
  openFixed(item, column) {
    const url = this.grid.studioUrl(item.id);
    if (url && ["image", "code"].includes(column.type)) location.assign(url);
    else toast(gettext("This cell cannot be edited here."), "info");
  }

  toggleTick() {
    const { item, column } = this.grid.range;
    if (!item || !column || !this.allowed(item, column)) return;
    this.grid.commit([{ id: item.id, field: column.name, value: !item[column.name] }], "edit");
  }

  onComposition() {
    this.composing = true;
    if (!this.isOpen) this.start({ typed: true });
    if (this.isOpen) return;
    this.area.blur(); // a cell that takes no text: end the composition
    this.focus();
  }

  onInput() {
    if (!this.isOpen) {
      this.start({ typed: true });
      if (!this.isOpen) this.area.value = "";
    }
    this.helper?.typed?.(this.area.value);
    if (this.isOpen) this.place();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (isComposing(event)) return; // the input method owns it
    if (!this.isOpen) {
      if (this.grid.keys.use(event)) {
        event.preventDefault();
        event.stopPropagation();
      }
      return;
    }
    if (this.helper?.key?.(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const long = this.target?.column.type === "long_text";
    if (event.key === "Enter" && long && (event.altKey || event.ctrlKey)) {
      event.preventDefault();
      this.area.setRangeText("\n", this.area.selectionStart, this.area.selectionEnd, "end");
      this.place();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.finish()) this.grid.keys.step(event.shiftKey ? -1 : 1, 0);
    } else if (event.key === "Tab") {
      event.preventDefault();
      if (this.finish()) this.grid.keys.tab(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
      this.focus();
    }
  }

  /** The server has an edit of this page: a cell that was opened before its answer came builds on it. @param {number} id @param {string} field @param {number} revision */
  builtOn(id, field, revision) {
    if (this.target?.item.id === id && this.target.column.name === field) this.target.revision = Math.max(this.target.revision, revision);
  }

  /** Save what is typed. @returns {boolean} false when it cannot be taken and the editor stays open */
  finish() {
    const { target } = this;
    if (!target) return true;
    const text = this.area.value;
    const kept = this.grid.marks.typed(target.item.id, target.column.name) !== undefined;
    const same = text === target.text && !kept;
    const result = this.helper?.result ? this.helper.result(text) : same ? null : this.grid.values.read(target.column, text);
    if (result && "why" in result) return this.refuse(result.why);
    this.take(target, result ? result.value : target.was);
    return true;
  }

  /** @param {NonNullable<CellInput["target"]>} target @param {any} value @param {[number, number]} [move] rows and columns to go on */
  take(target, value, move) {
    this.close();
    const { id } = target.item;
    const { name } = target.column;
    const kept = this.grid.marks.typed(id, name) !== undefined;
    if (kept || !sameValue(value, target.was)) this.grid.commit([{ id, field: name, value, revision: target.revision }], "edit");
    if (!move) return;
    this.focus();
    this.grid.keys.step(...move);
  }

  /** @param {string} why @returns {boolean} */
  refuse(why) {
    toast(why, "warning");
    if (document.activeElement === this.area) {
      this.area.setAttribute("aria-invalid", "true");
      return false;
    }
    // The person went elsewhere: the text stays in the cell, marked.
    const target = /** @type {NonNullable<CellInput["target"]>} */ (this.target);
    const text = this.area.value;
    this.close();
    this.grid.marks.type(target.item.id, target.column.name, text);
    this.grid.marks.mark(target.item.id, target.column.name, "is-refused", why);
    return true;
  }

  /** Somebody else changed the row that is open: what is typed stays; if it is this very cell, that is shown. @param {Item} fresh */
  changedElsewhere(fresh) {
    const { target } = this;
    if (!target || target.item.id !== fresh.id || sameValue(fresh[target.column.name], target.was)) return;
    this.area.classList.add("is-conflict");
    const theirs = this.grid.values.text(target.column, fresh[target.column.name]);
    this.area.title = `${gettext("Somebody just changed this cell:")} ${theirs || gettext("(empty)")}`;
  }

  /** The rows moved: an open editor stays with its own. */
  follow() {
    if (!this.target) return;
    const row = this.grid.rows.rowOf.get(this.target.item.id);
    if (row !== undefined) this.target.row = row;
    this.place();
  }

  /** Back to rest; nothing is saved. */
  close() {
    if (!this.isOpen) return;
    const { helper } = this;
    this.target = null;
    this.helper = null;
    helper?.close?.();
    this.composing = false;
    this.area.value = "";
    this.area.title = "";
    this.area.dataset.idle = "";
    this.area.className = "tg-input";
    this.area.removeAttribute("aria-invalid");
    this.area.removeAttribute("style");
    this.grid.holder.classList.remove("is-editing");
    this.rest();
  }
}
