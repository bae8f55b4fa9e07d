// The filter: groups of conditions, joined by and or or, nested as deep as a view may be.

import { MAX_CONDITIONS, MAX_DEPTH, OPS, partsOf } from "../grid/filter.js";
import { fill, gettext, ngettext } from "../i18n.js";
import { icon } from "../util.js";
import { focusOn, h, iconButton, panelFor, select } from "./dom.js";
import { firstOp, isUnfinished, opWord, valueFor } from "./filter-words.js";
import { valueField } from "./filter-value.js";

/** @typedef {import("../grid/filter.js").Node} Node */
/** @typedef {{join: "and" | "or", parts: Part[]}} Group */
/** @typedef {{field: string, op: string, value?: any}} Line */
/** @typedef {Group | Line} Part */

/** @param {Part} part @returns {part is Group} */
const isGroup = (part) => "parts" in part;

export class FilterPanel {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    /** @type {Group} what the panel shows: unfinished conditions too */
    this.draft = { join: "and", parts: [] };
    this.sent = "";
    this.text = h("span", {}, gettext("Filter"));
    this.count = h("span", { class: "gp-badge", hidden: true });
    const button = h("button", { type: "button", class: "btn quiet", dataset: { panel: "filter" } }, icon("filter"), this.text, this.count);
    this.button = button;
    panels.left.append(button);
    this.panel = panelFor(button, gettext("Filter"), () => this.content(), { className: "gp-filter" });
  }

  draw() {
    const { config, conditions } = this.panels.state;
    this.count.hidden = !conditions;
    this.count.textContent = String(conditions);
    this.button.classList.toggle("is-on", conditions > 0);
    const now = JSON.stringify(config.filter);
    if (now === this.sent) return; // our own change: the field that is typed into stays
    this.sent = now;
    this.draft = draftOf(config.filter);
    this.panel.redraw();
  }

  /** Show what the draft says; unfinished conditions count for nothing. */
  apply() {
    const node = nodeOf(this.draft);
    const now = JSON.stringify(node);
    if (now === this.sent) return;
    this.sent = now;
    this.panels.state.change({ filter: node });
    this.sent = JSON.stringify(this.panels.state.config.filter);
  }

  /** @param {boolean} [redraw] the shape changed */
  changed(redraw = true) {
    this.apply();
    if (redraw) this.panel.redraw();
  }

  /** Open with one more condition on a column. @param {string} field */
  openWith(field) {
    this.draft.parts.push(this.line(field));
    this.panel.open();
    this.changed();
    this.focusLast();
  }

  /** @param {string} [field] @returns {Line} */
  line(field) {
    const { grid } = this.panels;
    const column = grid.column(field ?? "") ?? grid.columns.find((one) => one.type === "status") ?? grid.columns.find((one) => one.type !== "image") ?? grid.columns[0];
    const op = firstOp(column);
    return { field: column.name, op, value: valueFor(column, op, undefined) };
  }

  focusLast() {
    const fields = this.panel.element.querySelectorAll(".gp-line-value :is(input, select)");
    focusOn(fields[fields.length - 1]);
  }

  content() {
    const { state } = this.panels;
    const none = !this.draft.parts.length;
    return [
      none ? h("p", { class: "gp-none dim" }, gettext("All rows are shown. A condition hides those that do not match.")) : this.group(this.draft, [], 1),
      h(
        "footer",
        { class: "gp-foot" },
        this.adders(this.draft, 1),
        none ? null : h("button", { type: "button", class: "btn quiet s gp-clear", "data-key": "clear", onclick: () => this.clear() }, gettext("Clear all")),
        state.conditions ? h("span", { class: "faint gp-foot-count" }, this.found()) : null,
      ),
    ];
  }

  found() {
    const { rows } = this.panels.grid;
    return fill(gettext("%(n)s of %(all)s"), { n: rows.rowOf.size.toLocaleString(), all: rows.items.length.toLocaleString() });
  }

  clear() {
    this.draft = { join: "and", parts: [] };
    this.changed();
  }

  /** @param {Group} group @param {number} depth */
  adders(group, depth) {
    const full = lines(this.draft) >= MAX_CONDITIONS;
    const why = full ? fill(ngettext("A filter has at most %(n)s condition.", "A filter has at most %(n)s conditions.", MAX_CONDITIONS), { n: MAX_CONDITIONS }) : null;
    const add = (/** @type {Part} */ part) => {
      group.parts.push(part);
      this.changed();
      this.focusLast();
    };
    return [
      h("button", { type: "button", class: "btn quiet s", disabled: full, title: why, "data-key": `add-${depth}`, onclick: () => add(this.line()) }, icon("plus", "s"), gettext("Condition")),
      depth < MAX_DEPTH - 1 ? h("button", { type: "button", class: "btn quiet s", disabled: full, title: why, onclick: () => add({ join: group.join === "and" ? "or" : "and", parts: [this.line()] }) }, icon("plus", "s"), gettext("Group")) : null,
    ];
  }

  /** @param {Group} group @param {number[]} path @param {number} depth @returns {HTMLElement} */
  group(group, path, depth) {
    const rows = group.parts.map((part, index) => {
      const here = [...path, index];
      const joint = index === 0 ? h("span", { class: "gp-joint faint" }, depth === 1 ? gettext("Where") : "") : index === 1 ? this.joint(group, path) : h("span", { class: "gp-joint faint" }, group.join === "and" ? gettext("and") : gettext("or"));
      const remove = () => {
        group.parts.splice(index, 1);
        this.changed();
      };
      if (isGroup(part)) {
        return h(
          "div",
          { class: "gp-row" },
          joint,
          h("div", { class: "gp-nest", role: "group", "aria-label": gettext("Group of conditions") }, this.group(part, here, depth + 1), h("div", { class: "gp-foot" }, this.adders(part, depth + 1))),
          h("div", { class: "gp-acts" }, this.unwrap(group, index, part), iconButton("trash", gettext("Remove the group"), remove)),
        );
      }
      return h("div", { class: "gp-row" }, joint, ...this.condition(part, here.join(".")), h("div", { class: "gp-acts" }, this.wrap(group, index, part, depth), iconButton("x", gettext("Remove the condition"), remove)));
    });
    return h("div", { class: "gp-group", role: "group", "aria-label": group.join === "and" ? gettext("All of these") : gettext("One of these") }, rows);
  }

  /** @param {Group} group @param {number[]} path */
  joint(group, path) {
    return select(gettext("How the conditions are joined"), [["and", gettext("and")], ["or", gettext("or")]], group.join, (value) => {
      group.join = value === "or" ? "or" : "and";
      this.changed();
    }, { class: "select s gp-joint", "data-key": `join-${path.join(".")}` });
  }

  /** @param {Group} group @param {number} index @param {Line} part @param {number} depth */
  wrap(group, index, part, depth) {
    if (depth >= MAX_DEPTH - 1) return null;
    return iconButton("chevron-right", gettext("Put into a group"), () => {
      group.parts[index] = { join: group.join === "and" ? "or" : "and", parts: [part, this.line(part.field)] };
      this.changed();
    });
  }

  /** @param {Group} group @param {number} index @param {Group} part */
  unwrap(group, index, part) {
    return iconButton("chevron-left", gettext("Take out of the group"), () => {
      group.parts.splice(index, 1, ...part.parts);
      this.changed();
    });
  }

  /** @param {Line} line @param {string} key */
  condition(line, key) {
    const { grid } = this.panels;
    const column = grid.column(line.field) ?? grid.columns[0];
    const field = select(gettext("Column"), grid.columns.map((one) => [one.name, this.panels.label(one)]), line.field, (name) => {
      const next = grid.column(name);
      if (!next) return;
      const op = next.type === column.type ? line.op : firstOp(next);
      const held = next.options && next.options === column.options ? line.value : undefined;
      Object.assign(line, { field: name, op, value: valueFor(next, op, next.options ? held : next.type === column.type ? line.value : undefined) });
      this.changed();
    }, { class: "select s gp-line-field", "data-key": `field-${key}` });
    const op = select(gettext("Comparison"), (OPS[column.type] ?? []).map((one) => [one, opWord(column.type, one)]), line.op, (value) => {
      line.value = valueFor(column, value, line.value);
      line.op = value;
      this.changed();
    }, { class: "select s gp-line-op", "data-key": `op-${key}` });
    const value = valueField(this.panels, column, line.op, line.value, (next) => {
      line.value = next;
      this.changed(false);
      const note = this.panel.element.querySelector(".gp-foot-count");
      if (note) note.textContent = this.panels.state.conditions ? this.found() : "";
    }, `value-${key}`);
    return [field, op, h("div", { class: "gp-line-value" }, value)];
  }
}

/** @param {Group} group @returns {number} */
function lines(group) {
  return group.parts.reduce((sum, part) => sum + (isGroup(part) ? lines(part) : 1), 0);
}

/** @param {Node | null} node @returns {Group} */
function draftOf(node) {
  /** @param {Node} part @returns {Part} */
  const convert = (part) => {
    const parts = partsOf(part);
    return parts ? { join: "or" in part ? "or" : "and", parts: parts.map(convert) } : { .../** @type {Line} */ (part) };
  };
  const root = node ? convert(node) : { join: /** @type {const} */ ("and"), parts: [] };
  return isGroup(root) ? root : { join: "and", parts: [root] };
}

/** @param {Group} group @returns {Node | null} finished conditions only */
function nodeOf(group) {
  const parts = group.parts.map((part) => (isGroup(part) ? nodeOf(part) : isUnfinished(part) ? null : conditionOf(part))).filter((part) => part !== null);
  if (!parts.length) return null;
  return /** @type {Node} */ ({ [group.join]: parts });
}

/** @param {Line} line @returns {Node} */
function conditionOf({ field, op, value }) {
  return value === undefined ? { field, op } : { field, op, value };
}
