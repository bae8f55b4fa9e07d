// Editors with a list under the input: one choice, one reference, several references, a date. Typing searches,
// arrows move, Enter takes; the focus stays in the grid's own input all the while.

import { fill, gettext } from "../i18n.js";
import { icon } from "../util.js";
import { make, pill } from "./formatters.js";
import { match } from "./hangul.js";
import { emptyValue, folded, mayBeEmpty, sameValue } from "./values.js";

/** @typedef {import("./cell-input.js").Context} Context */
/** @typedef {import("./cell-input.js").Helper} Helper */
/** @typedef {import("./cell-input.js").Editor} Editor */
/** @typedef {import("./stream.js").Option} Option */

const MOST_SHOWN = 200;
let number = 0;

/** A list that floats under a cell. */
export class Popup {
  /** @param {Context} context @param {string} className */
  constructor(context, className) {
    this.context = context;
    this.element = make("div", `tg-popup ${className}`);
    this.element.popover = "manual";
    this.element.addEventListener("pointerdown", (event) => {
      if (!(event.target instanceof HTMLInputElement)) event.preventDefault(); // the focus stays in the input
    });
    context.grid.holder.append(this.element);
    this.element.showPopover();
  }

  place() {
    const cell = this.context.place();
    const { style } = this.element;
    style.minWidth = `${Math.max(180, cell.width)}px`;
    const below = innerHeight - cell.bottom - 8;
    const up = this.element.offsetHeight > below && cell.top > below;
    style.left = `${Math.max(8, Math.min(cell.left, innerWidth - this.element.offsetWidth - 8))}px`;
    style.top = up ? `${Math.max(8, cell.top - this.element.offsetHeight - 4)}px` : `${cell.bottom + 3}px`;
  }

  close() {
    this.element.remove();
    this.context.input.removeAttribute("aria-controls");
    this.context.input.removeAttribute("aria-expanded");
  }
}

/** A searchable list of options; `several` keeps it open and ticks. */
class ListEditor {
  /** @param {Context} context @param {boolean} several */
  constructor(context, several) {
    this.context = context;
    this.several = several;
    /** @type {any[]} */
    this.value = several ? [...(context.value ?? [])] : [context.value];
    this.query = "";
    this.at = 0;
    this.touched = false;
    this.popup = new Popup(context, "tg-list");
    this.list = make("div", "tg-options");
    this.list.id = `tg-list-${(number += 1)}`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", context.column.label);
    if (several) this.list.setAttribute("aria-multiselectable", "true");
    this.chosen = make("div", "tg-chosen");
    this.popup.element.append(this.chosen, this.list);
    context.input.setAttribute("aria-controls", this.list.id);
    this.list.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("[data-index]") : null;
      if (option instanceof HTMLElement) this.choose(Number(option.dataset.index), true);
    });
    this.draw(true);
    this.text = "";
    if (!several && !context.typed) this.text = context.grid.values.label(context.column, context.value);
  }

  /** @returns {Option[]} */
  options() {
    const { grid, column } = this.context;
    const moves = column.type === "status" ? grid.head?.moves[this.context.value] ?? [] : null;
    const all = grid.options(column.options).filter(({ id }) => !moves || id === this.context.value || moves.includes(id));
    if (!this.query.trim()) return this.several || !mayBeEmpty(column) ? all : [{ id: emptyValue(column), label: "" }, ...all];
    const ranked = all.map((option) => {
      const ranks = [option.label, String(option.hint ?? ""), typeof option.id === "string" ? option.id : ""].map((text) => (text ? match(text, this.query) : -1)).filter((rank) => rank >= 0);
      return { option, rank: ranks.length ? Math.min(...ranks) : -1 };
    });
    const found = ranked.filter(({ rank }) => rank >= 0).sort((a, b) => a.rank - b.rank).map(({ option }) => option);
    const makes = grid.makers.has(column.options) && !found.some((option) => folded(option.label) === folded(this.query.trim()));
    return makes ? [...found, { id: undefined, label: this.query.trim() }] : found;
  }

  /** @param {boolean} [first] */
  draw(first = false) {
    const { grid, column } = this.context;
    this.shown = this.options().slice(0, MOST_SHOWN);
    if (first) this.at = this.query ? 0 : Math.max(0, this.shown.findIndex((option) => sameValue(option.id, this.value[0])));
    this.at = Math.max(0, Math.min(this.at, this.shown.length - 1));
    this.list.replaceChildren(
      ...this.shown.map((option, index) => {
        const row = make("div", "tg-option");
        row.id = `${this.list.id}-${index}`;
        row.dataset.index = String(index);
        row.setAttribute("role", "option");
        const on = this.value.some((id) => sameValue(id, option.id));
        row.setAttribute("aria-selected", String(on));
        row.classList.toggle("is-at", index === this.at);
        if (option.id === undefined) row.append(icon("plus", "s"), make("span", "", fill(gettext("Create “%(name)s”"), { name: option.label })));
        else if (option.label === "") row.append(make("span", "dim", gettext("(empty)")));
        else if (column.type === "status") {
          const tag = make("span", "tag", option.label);
          tag.dataset.status = option.id;
          row.append(tag);
        } else row.append(column.type === "reference" || column.type === "person" ? make("span", "tg-ref-name", option.label) : pill(option, option.label, this.several ? "chip-of" : ""));
        if (option.hint) row.append(make("span", "tg-hint", option.hint));
        if (on) row.append(icon("check", "s"));
        return row;
      }),
    );
    if (this.several) this.chosen.replaceChildren(...this.value.map((id) => pill(grid.values.option(column, id), grid.values.label(column, id), "chip-of")));
    if (!this.shown.length) this.list.append(make("p", "tg-none dim", grid.options(column.options).length ? gettext("Nothing matches.") : gettext("There is nothing to choose yet.")));
    this.show();
  }

  show() {
    for (const [index, row] of [...this.list.children].entries()) row.classList.toggle("is-at", index === this.at && Boolean(this.shown.length));
    const row = this.list.children[this.at];
    row?.scrollIntoView({ block: "nearest" });
    if (row?.id) this.context.input.setAttribute("aria-activedescendant", row.id);
    this.popup.place();
  }

  /** @param {string} text */
  typed(text) {
    this.query = text;
    this.touched = true;
    this.at = 0;
    this.draw(true);
  }

  /** @param {KeyboardEvent} event @returns {boolean} */
  key(event) {
    const jumps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 });
    if (jumps[event.key] && !event.altKey) {
      this.at = (this.at + jumps[event.key] + this.shown.length) % Math.max(1, this.shown.length);
      if (Math.abs(jumps[event.key]) > 1) this.at = Math.max(0, Math.min(this.shown.length - 1, this.at));
      this.touched = true;
      this.show();
      return true;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      if (this.several && !this.touched) return false; // nothing looked for: done
      this.choose(this.at, false);
      return true;
    }
    if (this.several && event.key === " " && this.query === "") {
      this.choose(this.at, true);
      return true;
    }
    if (this.several && event.key === "Backspace" && this.query === "" && this.value.length) {
      this.value.pop();
      this.changed = true;
      this.draw();
      return true;
    }
    return false;
  }

  /** @param {number} index @param {boolean} byMouse */
  async choose(index, byMouse) {
    let option = this.shown[index];
    if (!option) return;
    if (option.id === undefined) {
      const made = await this.context.grid.makers.get(this.context.column.options)?.(option.label);
      if (!made) return;
      option = made;
    }
    if (!this.several) {
      this.context.commit(option.id, byMouse ? undefined : [1, 0]);
      this.context.input.focus({ preventScroll: true });
      return;
    }
    const present = this.value.findIndex((id) => sameValue(id, option.id));
    if (present >= 0) this.value.splice(present, 1);
    else this.value.push(option.id);
    this.changed = true;
    this.touched = false;
    this.query = "";
    this.context.input.value = "";
    this.draw();
  }

  /** @param {string} text @returns {{value: any} | {why: string} | null} */
  result(text) {
    if (this.several) {
      if (text.trim() && this.touched) {
        const read = this.context.grid.values.read(this.context.column, text);
        if ("why" in read) return read;
        return { value: [...new Set([...this.value, ...read.value])] };
      }
      return this.changed ? { value: this.value } : null;
    }
    if (!this.touched || !this.query.trim()) return null;
    const option = this.shown[this.at];
    if (option && option.id !== undefined) return { value: option.id };
    return this.context.grid.values.read(this.context.column, text);
  }

  close() {
    this.popup.close();
  }

  /** @param {Element} element */
  owns(element) {
    return this.popup.element.contains(element);
  }
}

/** A date: typed, or from the browser's own calendar. */
class DateEditor {
  /** @param {Context} context */
  constructor(context) {
    this.popup = new Popup(context, "tg-date");
    const input = document.createElement("input");
    input.type = "date";
    input.className = "input";
    input.value = context.value ?? "";
    input.setAttribute("aria-label", context.column.label);
    input.addEventListener("change", () => {
      context.commit(input.value || null);
      context.input.focus({ preventScroll: true });
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") context.close();
    });
    this.popup.element.append(input);
    this.popup.place();
    this.input = input;
  }

  /** @param {KeyboardEvent} event @returns {boolean} */
  key(event) {
    if (event.key !== "ArrowDown") return false;
    this.input.focus();
    try {
      this.input.showPicker();
    } catch {
      this.input.dataset.picker = "none"; // the field itself takes the date
    }
    return true;
  }

  close() {
    this.popup.close();
  }

  /** @param {Element} element */
  owns(element) {
    return this.popup.element.contains(element);
  }
}

/** @returns {Map<string, Editor>} the editors by column type; types that are not here are plain text */
export function standardEditors() {
  /** @type {Editor} */
  const one = { open: (context) => new ListEditor(context, false) };
  return new Map([
    ["choice", one],
    ["status", one],
    ["reference", one],
    ["person", one],
    ["references", { open: (context) => new ListEditor(context, true) }],
    ["date", { open: (context) => new DateEditor(context) }],
  ]);
}
