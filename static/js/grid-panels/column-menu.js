// The menu of a column's head: right click, the arrow in it, or the menu key while one of its cells is active (Shift+F10 twice).

import { fill, gettext } from "../i18n.js";
import { icon } from "../util.js";
import { h, openMenu } from "./dom.js";

/** @typedef {import("../grid/stream.js").Column} Column */

const GROUPABLE = new Set(["reference", "references", "status", "choice", "person", "tick"]);

export class ColumnMenu {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    const { board } = panels.grid;
    board.addEventListener("contextmenu", (event) => {
      const head = this.headOf(event.target);
      if (!head) return;
      event.preventDefault();
      this.open(head, event.clientX || event.clientY ? { x: event.clientX, y: event.clientY } : head);
    });
    // In the capture phase: the head's own click sorts.
    for (const type of ["click", "mousedown", "pointerdown"]) {
      board.addEventListener(
        type,
        (event) => {
          const arrow = event.target instanceof Element ? event.target.closest(".gp-head-more") : null;
          const head = arrow && this.headOf(arrow);
          if (!(arrow instanceof HTMLElement) || !head) return;
          event.stopPropagation();
          if (type === "click") this.open(head, arrow);
        },
        true,
      );
    }
    panels.grid.ready.then(() => {
      panels.grid.slick.onHeaderCellRendered.subscribe((/** @type {unknown} */ event, /** @type {any} */ { node }) => this.arrow(node));
      for (const node of board.querySelectorAll(".slick-header-column")) this.arrow(node);
    });
  }

  /** @param {Element} node */
  arrow(node) {
    if (!this.headOf(node) || node.querySelector(".gp-head-more")) return;
    node.append(h("button", { type: "button", class: "gp-head-more", tabindex: -1, "aria-label": gettext("Column menu"), "aria-haspopup": "menu" }, icon("chevron-down", "s")));
  }

  /** @param {EventTarget | null} target @returns {HTMLElement | null} */
  headOf(target) {
    const head = target instanceof Element ? target.closest(".slick-header-column") : null;
    return head instanceof HTMLElement && this.columnOf(head) ? head : null;
  }

  /** @param {HTMLElement} head @returns {Column | undefined} */
  columnOf(head) {
    const { grid } = this.panels;
    return grid.column(head.dataset.column ?? head.dataset.id ?? "");
  }

  /** @param {HTMLElement} head @param {HTMLElement | {x: number, y: number}} at */
  open(head, at) {
    const column = this.columnOf(head);
    if (column) this.openFor(column, at);
  }

  /** @param {Column} column @param {HTMLElement | {x: number, y: number}} at */
  openFor(column, at) {
    const { state, sort, group, filter, columns, grid } = this.panels;
    const { config } = state;
    const name = this.panels.label(column);
    const index = config.columns.findIndex(([shown]) => shown === column.name);
    const way = config.sort.find(([field]) => field === column.name)?.[1];
    const words = sort.ways(column);
    const grouped = config.group.some(([field]) => field === column.name);
    const sorting = (/** @type {"asc" | "desc"} */ to) => state.change({ sort: way === to ? config.sort.filter(([field]) => field !== column.name) : [[column.name, to]] });
    openMenu(
      at,
      fill(gettext("Column %(name)s"), { name }),
      [
        { title: name },
        ...(column.type === "image"
          ? []
          : [
              { label: `${gettext("Sort")}: ${words[0][1]}`, icon: "arrow-down", current: way === "asc", act: () => sorting("asc") },
              { label: `${gettext("Sort")}: ${words[1][1]}`, icon: "arrow-up", current: way === "desc", act: () => sorting("desc") },
            ]),
        ...(GROUPABLE.has(column.type) ? [{ label: grouped ? gettext("No longer group by it") : gettext("Group by it"), icon: "folder", act: () => group.toggle(column.name) }] : []),
        { label: gettext("Filter by it…"), icon: "filter", act: () => filter.openWith(column.name) },
        null,
        { label: gettext("Fit the width"), icon: "arrow-right", act: () => grid.columnSet.fit(column.name) },
        { label: gettext("Freeze up to here"), icon: "pin", current: config.frozen === index + 1, act: () => state.change({ frozen: config.frozen === index + 1 ? 0 : Math.min(8, index + 1) }, true) },
        { label: gettext("Hide"), icon: "x", disabled: config.columns.length < 2, act: () => columns.show(column, false) },
        ...(columns.edit.mayEdit(column) || grid.canEdit ? [null] : []),
        ...(columns.edit.mayEdit(column) ? [{ label: column.custom ? gettext("Change the column…") : gettext("Rename…"), icon: "edit", act: () => columns.edit.edit(column) }] : []),
        ...(grid.canEdit ? [{ label: gettext("Insert a column of our own…"), icon: "plus", act: () => columns.edit.add(column.name) }] : []),
        ...(columns.edit.mayRemove(column) ? [{ label: gettext("Remove the column…"), icon: "trash", danger: true, act: () => columns.edit.remove(column) }] : []),
      ],
      { closed: () => grid.input.focus() },
    );
  }
}
