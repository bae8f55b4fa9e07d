// Columns: which are shown, in which order, and what can be done with each.

import { folded } from "../grid/filter.js";
import { fill, gettext } from "../i18n.js";
import { icon } from "../util.js";
import { ColumnEdit } from "./column-edit.js";
import { draggable } from "./drag.js";
import { h, iconButton, openMenu, panelFor } from "./dom.js";

/** @typedef {import("../grid/stream.js").Column} Column */

export class ColumnPanel {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    this.edit = new ColumnEdit(panels);
    this.query = "";
    this.count = h("span", { class: "gp-badge is-plain", hidden: true });
    const button = h("button", { type: "button", class: "btn quiet", dataset: { panel: "columns" } }, icon("columns"), h("span", {}, gettext("Columns")), this.count);
    panels.left.append(button);
    this.panel = panelFor(button, gettext("Columns"), () => this.content(), { className: "gp-columns" });
  }

  draw() {
    const hidden = this.panels.grid.columns.length - this.panels.state.config.columns.length;
    this.count.hidden = hidden <= 0;
    this.count.textContent = `−${hidden}`;
    this.count.title = fill(gettext("%(n)s hidden"), { n: hidden });
    this.panel.redraw();
  }

  /** @param {[string, number][]} columns */
  set(columns) {
    if (columns.length) this.panels.state.change({ columns }, true);
  }

  /** @param {Column} column @param {boolean} on */
  show(column, on) {
    const { columns } = this.panels.state.config;
    if (!on) {
      this.set(columns.filter(([name]) => name !== column.name));
      return;
    }
    // Where it stands by default: after the nearest one before it that is shown.
    const all = this.panels.grid.columns.map(({ name }) => name);
    const before = all.slice(0, all.indexOf(column.name)).reverse();
    const after = before.find((name) => columns.some(([shown]) => shown === name));
    const next = [...columns];
    next.splice(after ? columns.findIndex(([shown]) => shown === after) + 1 : 0, 0, [column.name, column.width]);
    this.set(next);
  }

  content() {
    const { grid, state } = this.panels;
    const shown = state.config.columns;
    const order = new Map(shown.map(([name], index) => [name, index]));
    const all = [...grid.columns].sort((a, b) => (order.get(a.name) ?? 999) - (order.get(b.name) ?? 999));
    const search = /** @type {HTMLInputElement} */ (h("input", { class: "input s", type: "search", value: this.query, "data-key": "column-search", placeholder: gettext("Find a column"), "aria-label": gettext("Find a column"), autofocus: true }));
    const list = h("ol", { class: "gp-lines" });
    const fillList = () => {
      const found = all.filter((column) => folded(`${this.panels.label(column)} ${column.label}`).includes(folded(this.query)));
      list.replaceChildren(...found.map((column) => this.line(column, order.get(column.name), Boolean(this.query))));
      if (!found.length) list.append(h("li", { class: "gp-none dim" }, gettext("Nothing matches.")));
    };
    search.addEventListener("input", () => {
      this.query = search.value;
      fillList();
    });
    fillList();
    draggable(list, (from, to) => {
      const next = [...shown];
      next.splice(to, 0, ...next.splice(from, 1));
      this.set(next);
    });
    return [
      h("div", { class: "gp-head" }, search),
      list,
      h(
        "footer",
        { class: "gp-foot" },
        grid.canEdit ? h("button", { type: "button", class: "btn quiet s", "data-key": "new", onclick: () => this.leave(() => this.edit.add()) }, icon("plus", "s"), gettext("New column")) : null,
        h("button", { type: "button", class: "btn quiet s", "data-key": "all", onclick: () => this.set(all.map((column) => shown.find(([name]) => name === column.name) ?? [column.name, column.width])) }, gettext("Show all")),
        h("button", { type: "button", class: "btn quiet s gp-clear", "data-key": "reset", onclick: () => this.set(state.defaultColumns()) }, gettext("Reset")),
      ),
    ];
  }

  /** A dialog comes: the panel goes. @param {() => void} act */
  leave(act) {
    this.panel.close();
    act();
  }

  /** @param {Column} column @param {number | undefined} index where it is shown @param {boolean} still no dragging while searching */
  line(column, index, still) {
    const on = index !== undefined;
    const name = this.panels.label(column);
    const box = h("input", { type: "checkbox", checked: on, "data-key": `show-${column.name}`, disabled: on && this.panels.state.config.columns.length < 2, onchange: (/** @type {Event} */ event) => this.show(column, /** @type {HTMLInputElement} */ (event.target).checked) });
    const more = iconButton("dots", fill(gettext("More for %(name)s"), { name }), () => this.menu(column, more), { "aria-haspopup": "menu", "data-key": `more-${column.name}` });
    return h(
      "li",
      { class: `gp-row${on ? "" : " is-off"}`, "data-index": on && !still ? index : null },
      on && !still ? h("button", { type: "button", class: "gp-grip", "data-key": `grip-${column.name}`, "aria-label": gettext("Move; arrow keys move it too") }, icon("grip", "s")) : h("span", { class: "gp-grip" }),
      h("label", { class: "check", title: column.own_label ? column.label : column.help || null }, box, h("span", { class: "clip" }, name), column.custom ? h("span", { class: "faint" }, gettext("own")) : null),
      this.edit.mayEdit(column) || this.edit.mayRemove(column) ? more : null,
    );
  }

  /** @param {Column} column @param {HTMLElement} button */
  menu(column, button) {
    const { edit } = this;
    openMenu(
      button,
      this.panels.label(column),
      [
        ...(edit.mayEdit(column) ? [{ label: column.custom ? gettext("Change…") : gettext("Rename…"), icon: "edit", act: () => this.leave(() => edit.edit(column)) }] : []),
        ...(edit.mayRemove(column) ? [{ label: gettext("Remove…"), icon: "trash", danger: true, act: () => this.leave(() => edit.remove(column)) }] : []),
      ],
      { end: true, inside: this.panel.element },
    );
  }
}
