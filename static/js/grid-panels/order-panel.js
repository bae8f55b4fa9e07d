// Sorting by several columns and grouping by up to three. The order of the lines is dragged, or moved with the arrows.

import { gettext } from "../i18n.js";
import { icon } from "../util.js";
import { draggable } from "./drag.js";
import { h, iconButton, panelFor, select } from "./dom.js";

/** @typedef {[string, "asc" | "desc"]} Order */
/** @typedef {import("../grid/stream.js").Column} Column */

const GROUPABLE = new Set(["reference", "references", "status", "choice", "person", "tick"]);

class OrderPanel {
  /**
   * @param {import("./index.js").Panels} panels
   * @param {{key: "sort" | "group", title: string, glyph: string, add: string, none: string, most: number, fits: (column: Column) => boolean}} kind
   */
  constructor(panels, kind) {
    this.panels = panels;
    this.kind = kind;
    this.count = h("span", { class: "gp-badge", hidden: true });
    this.button = h("button", { type: "button", class: "btn quiet", dataset: { panel: kind.key } }, icon(kind.glyph), h("span", {}, kind.title), this.count);
    panels.left.append(this.button);
    this.panel = panelFor(this.button, kind.title, () => this.content(), { className: "gp-order" });
  }

  /** @returns {Order[]} */
  get list() {
    return this.panels.state.config[this.kind.key];
  }

  draw() {
    const n = this.list.length;
    this.count.hidden = !n;
    this.count.textContent = String(n);
    this.button.classList.toggle("is-on", n > 0);
    this.panel.redraw();
  }

  /** @param {Order[]} list */
  set(list) {
    this.panels.state.change({ [this.kind.key]: list });
  }

  /** @param {string} name @param {"asc" | "desc"} [way] */
  toggle(name, way = "asc") {
    const rest = this.list.filter(([field]) => field !== name);
    this.set(rest.length === this.list.length || this.list.find(([field]) => field === name)?.[1] !== way ? [...rest, /** @type {Order} */ ([name, way])].slice(-this.kind.most) : rest);
  }

  /** @param {Column | undefined} column @returns {[string, string][]} */
  ways(column) {
    if (!column || ["number", "duration"].includes(column.type)) return [["asc", "1 → 9"], ["desc", "9 → 1"]];
    if (column.type === "date") return [["asc", gettext("earliest first")], ["desc", gettext("latest first")]];
    if (["choice", "status", "reference"].includes(column.type)) return [["asc", gettext("first → last")], ["desc", gettext("last → first")]];
    if (column.type === "tick") return [["asc", gettext("no → yes")], ["desc", gettext("yes → no")]];
    return [["asc", gettext("A → Z")], ["desc", gettext("Z → A")]];
  }

  content() {
    const { list, kind, panels } = this;
    const fits = panels.grid.columns.filter(kind.fits);
    const used = new Set(list.map(([name]) => name));
    const rows = list.map(([name, way], index) => {
      const column = panels.grid.column(name);
      const choices = fits.filter((one) => one.name === name || !used.has(one.name));
      const put = (/** @type {Order} */ order) => this.set(list.map((old, at) => (at === index ? order : old)));
      return h(
        "li",
        { class: "gp-row", "data-index": index },
        h("button", { type: "button", class: "gp-grip", "data-key": `grip-${name}`, "aria-label": gettext("Move; arrow keys move it too") }, icon("grip", "s")),
        select(gettext("Column"), choices.map((one) => [one.name, panels.label(one)]), name, (next) => put([next, way]), { class: "select s gp-line-field", "data-key": `column-${index}` }),
        select(gettext("Direction"), this.ways(column), way, (next) => put([name, next === "desc" ? "desc" : "asc"]), { "data-key": `way-${index}` }),
        iconButton("x", gettext("Remove"), () => this.set(list.filter((old, at) => at !== index))),
      );
    });
    const lines = h("ol", { class: "gp-lines" }, rows);
    draggable(lines, (from, to) => {
      const next = [...list];
      next.splice(to, 0, ...next.splice(from, 1));
      this.set(next);
    });
    const left = fits.filter((one) => !used.has(one.name));
    const add = list.length < kind.most && left.length
      ? select(kind.add, [["", kind.add], ...left.map((one) => /** @type {[string, string]} */ ([one.name, panels.label(one)]))], "", (name) => name && this.set([...list, [name, "asc"]]), { "data-key": "add" })
      : null;
    return [
      list.length ? lines : h("p", { class: "gp-none dim" }, kind.none),
      h("footer", { class: "gp-foot" }, add, ...this.more(), list.length ? h("button", { type: "button", class: "btn quiet s gp-clear", "data-key": "clear", onclick: () => this.set([]) }, gettext("Clear all")) : null),
    ];
  }

  /** @returns {(HTMLElement | null)[]} */
  more() {
    return [];
  }
}

export class SortPanel extends OrderPanel {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    super(panels, {
      key: "sort", title: gettext("Sort"), glyph: "arrow-right", add: gettext("Sort by…"), most: 5,
      none: gettext("Rows stand in the order of the story. Rows can be dragged only in that order."), fits: (column) => column.type !== "image",
    });
    this.button.classList.add("gp-sort-button");
  }
}

export class GroupPanel extends OrderPanel {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    super(panels, {
      key: "group", title: gettext("Group"), glyph: "folder", add: gettext("Group by…"), most: 3,
      none: gettext("Rows with the same value are put together under a head that can be closed."), fits: (column) => GROUPABLE.has(column.type),
    });
  }

  more() {
    if (!this.list.length) return [];
    const several = this.list.some(([name]) => this.panels.grid.column(name)?.type === "references");
    return [
      h("button", { type: "button", class: "btn quiet s", "data-key": "close-all", onclick: () => this.fold(true) }, gettext("Close all")),
      h("button", { type: "button", class: "btn quiet s", "data-key": "open-all", onclick: () => this.fold(false) }, gettext("Open all")),
      several ? h("p", { class: "gp-note faint" }, gettext("A row with several values is shown once, in the group of their combination.")) : null,
    ];
  }

  /** @param {boolean} closed */
  fold(closed) {
    const { rows } = this.panels.grid;
    rows.closed.clear();
    if (closed) {
      rows.refresh(); // every head is there once all are open
      for (const row of rows.shown) if ("isGroup" in row) rows.closed.add(row.key);
    }
    this.panels.grid.rebuild();
  }
}
