// A project's own columns: add, change, remove; and the project's own words for the built-in ones.

import { confirmDialog } from "../dialogs.js";
import { fill, gettext } from "../i18n.js";
import { toast } from "../toast.js";
import { icon } from "../util.js";
import { draggable } from "./drag.js";
import { formDialog, h, iconButton, select } from "./dom.js";
import { ask, problemOf } from "./views.js";

/** @typedef {import("../grid/stream.js").Column} Column */
/** @typedef {{id?: string, label: string, color: string}} Choice */

const COLORS = ["#8b93a7", "#5b9dff", "#3fb8c9", "#46c08a", "#9ccc4a", "#e6c34a", "#f09a4b", "#ef6b6b", "#e277b8", "#a98bf0"];

/** @returns {[string, string][]} */
export function customTypes() {
  return [
    ["text", gettext("Text")], ["number", gettext("Number")], ["choice", gettext("Choice")], ["tick", gettext("Tick")],
    ["date", gettext("Date")], ["person", gettext("Person")], ["link", gettext("Link")],
  ];
}

export class ColumnEdit {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    /** @type {Map<string, string>} new columns that are not there yet -> the column that they stand after */
    this.coming = new Map();
    panels.grid.addEventListener("columns", () => this.arrived());
  }

  /** @param {string} name */
  address(name) {
    return `${this.panels.grid.url}columns/${encodeURIComponent(name)}/`;
  }

  /** The server changed the columns: fetch them at once. */
  fetch() {
    this.panels.grid.deltas.fetch(0);
  }

  arrived() {
    const { state, grid } = this.panels;
    for (const [name, after] of this.coming) {
      const column = grid.column(name);
      if (!column) continue;
      this.coming.delete(name);
      const columns = state.config.columns.filter(([shown]) => shown !== name);
      const at = columns.findIndex(([shown]) => shown === after);
      columns.splice(at < 0 ? columns.length : at + 1, 0, [name, column.width]);
      state.change({ columns }, true);
      grid.slick?.scrollColumnIntoView?.(grid.columnSet.indexOf(name));
    }
  }

  /** @param {string} [after] the column that it comes after */
  add(after = "") {
    const label = h("input", { class: "input", maxlength: 80, required: true, autofocus: true, "aria-label": gettext("Name of the column"), placeholder: gettext("Name of the column") });
    const choices = new ChoiceList([]);
    choices.element.hidden = true;
    const type = select(gettext("Type"), customTypes(), "text", (value) => (choices.element.hidden = value !== "choice"), { class: "select" });
    formDialog(
      gettext("New column"),
      [h("div", { class: "gp-two" }, field(gettext("Name"), label), field(gettext("Type"), type)), choices.element, h("p", { class: "faint" }, gettext("Everybody in the project gets this column, in sheets and filters too."))],
      gettext("Add the column"),
      async () => {
        const { ok, answer } = await ask(`${this.panels.grid.url}columns/`, "POST", {
          label: /** @type {HTMLInputElement} */ (label).value, type: type.value, choices: type.value === "choice" ? choices.value() : [], after,
        });
        if (!ok) return problemOf(answer);
        this.coming.set(answer.name, after);
        this.fetch();
        return null;
      },
    );
  }

  /** @param {Column} column rename it; with a choice its values too */
  edit(column) {
    const { grid } = this.panels;
    const label = /** @type {HTMLInputElement} */ (h("input", { class: "input", maxlength: 80, autofocus: true, value: this.panels.label(column), "aria-label": gettext("Name of the column") }));
    const choices = column.custom && column.type === "choice" ? new ChoiceList(grid.options(column.options).map(({ id, label: text, color }) => ({ id, label: text, color: color ?? "" }))) : null;
    const note = column.custom ? null : h("p", { class: "faint" }, fill(gettext("For everybody in the project. Empty: “%(name)s”, its own name."), { name: column.label }));
    formDialog(column.custom ? gettext("Change the column") : gettext("Rename the column"), [field(gettext("Name"), label), choices?.element, note], gettext("Save"), async () => {
      const own = !column.custom && label.value.trim() === column.label ? "" : label.value;
      const { ok, answer } = await ask(this.address(column.name), "PATCH", choices ? { label: own, choices: choices.value() } : { label: own });
      if (!ok) return problemOf(answer);
      this.fetch();
      return null;
    });
  }

  /** @param {Column} column */
  async remove(column) {
    const text = fill(gettext("Remove the column “%(name)s” for everybody? Its cells stay stored, and Ctrl+Z brings the column back with them."), { name: this.panels.label(column) });
    if (!(await confirmDialog(text, { yes: gettext("Remove"), danger: true }))) return;
    const { ok, answer } = await ask(this.address(column.name), "DELETE");
    if (ok) this.fetch();
    else toast(problemOf(answer), "error");
  }

  /** @param {Column} column @returns {boolean} */
  mayEdit(column) {
    return column.custom ? this.panels.grid.canEdit : this.panels.grid.may("project.edit");
  }

  /** @param {Column} column @returns {boolean} */
  mayRemove(column) {
    return column.custom && this.panels.grid.may("project.edit");
  }
}

/** @param {string} label @param {HTMLElement} input */
export function field(label, input) {
  return h("label", { class: "field" }, h("span", { class: "label" }, label), input);
}

/** The values of a choice column: names with colours, in order. */
class ChoiceList {
  /** @param {Choice[]} choices */
  constructor(choices) {
    this.choices = choices.length ? choices : [{ label: "", color: COLORS[1] }];
    this.element = h("fieldset", { class: "gp-choices" });
    this.draw();
  }

  /** @param {number} [focus] the line whose name gets the focus */
  draw(focus = -1) {
    const lines = this.choices.map((choice, index) => {
      const input = /** @type {HTMLInputElement} */ (h("input", { class: "input s", maxlength: 80, value: choice.label, "aria-label": gettext("Choice"), placeholder: gettext("Choice") }));
      input.addEventListener("input", () => (choice.label = input.value));
      input.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault();
        this.insert(index + 1);
      });
      const at = Math.max(0, COLORS.indexOf(choice.color));
      const color = h("button", { type: "button", class: "gp-swatch", style: { "--c": choice.color || COLORS[0] }, title: gettext("Colour"), "aria-label": fill(gettext("Colour %(n)s"), { n: at + 1 }), onclick: () => {
        choice.color = COLORS[(at + 1) % COLORS.length];
        this.draw();
        /** @type {HTMLElement | null} */ (this.element.querySelectorAll(".gp-swatch")[index])?.focus();
      } });
      const line = h("li", { class: "gp-row", "data-index": index }, h("button", { type: "button", class: "gp-grip", "aria-label": gettext("Move; arrow keys move it too") }, icon("grip", "s")), color, input, iconButton("x", gettext("Remove"), () => {
        this.choices.splice(index, 1);
        this.draw();
      }));
      if (index === focus) queueMicrotask(() => input.focus());
      return line;
    });
    const list = h("ol", { class: "gp-lines" }, lines);
    draggable(list, (from, to) => {
      this.choices.splice(to, 0, ...this.choices.splice(from, 1));
      this.draw();
      /** @type {HTMLElement | null} */ (this.element.querySelectorAll(".gp-grip")[to])?.focus();
    });
    this.element.replaceChildren(h("legend", { class: "label" }, gettext("Choices")), list, h("button", { type: "button", class: "btn quiet s", onclick: () => this.insert(this.choices.length) }, icon("plus", "s"), gettext("Choice")));
  }

  /** @param {number} at */
  insert(at) {
    this.choices.splice(at, 0, { label: "", color: COLORS[(this.choices.length + 1) % COLORS.length] });
    this.draw(at);
  }

  /** @returns {Choice[]} */
  value() {
    return this.choices.filter(({ label }) => label.trim()).map(({ id, label, color }) => (id ? { id, label, color } : { label, color }));
  }
}
