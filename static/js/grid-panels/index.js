// The panels of a grid: [data-grid-toolbar] and [data-grid] in one [data-grid-page] (or one parent).

import { onElements } from "../util.js";
import { Chips } from "./chips.js";
import { ColumnMenu } from "./column-menu.js";
import { ColumnPanel } from "./column-panel.js";
import { CellMenu } from "./cell-menu.js";
import { FilterPanel } from "./filter-panel.js";
import { HistoryDrawer } from "./history.js";
import { LookMenu } from "./look.js";
import { GroupPanel, SortPanel } from "./order-panel.js";
import { Presence } from "./presence.js";
import { SearchBox } from "./search.js";
import { StatusMoves } from "./status.js";
import { UndoButtons } from "./undo.js";
import { ViewMenu } from "./views.js";
import { ViewState } from "./view-state.js";
import { h } from "./dom.js";

/** @typedef {import("../grid/grid.js").ShotGrid} ShotGrid */

export class Panels {
  /** @param {ShotGrid} grid @param {HTMLElement} toolbar */
  constructor(grid, toolbar) {
    this.grid = grid;
    this.state = new ViewState(grid);
    this.left = h("div", { class: "gp-tools", role: "toolbar" });
    this.right = h("div", { class: "gp-tools gp-end" });
    this.below = h("div", { class: "gp-chips", role: "group", hidden: true });
    toolbar.classList.add("gp-bar");
    toolbar.replaceChildren(this.left, this.right, this.below);
    this.views = new ViewMenu(this);
    this.filter = new FilterPanel(this);
    this.sort = new SortPanel(this);
    this.group = new GroupPanel(this);
    this.columns = new ColumnPanel(this);
    this.look = new LookMenu(this);
    this.search = new SearchBox(this);
    this.chips = new Chips(this);
    this.presence = new Presence(this);
    this.undo = new UndoButtons(this);
    this.history = new HistoryDrawer(this);
    this.status = new StatusMoves(this);
    this.columnMenu = new ColumnMenu(this);
    this.cellMenu = new CellMenu(this);
    this.state.addEventListener("change", () => this.draw());
    if (this.state.started) this.draw();
  }

  draw() {
    for (const part of [this.views, this.filter, this.sort, this.group, this.columns, this.look, this.search, this.chips]) part.draw();
  }

  /** @param {import("../grid/stream.js").Column} column @returns {string} what the column is called */
  label(column) {
    return column.own_label || column.label || column.name;
  }

  /** @param {string} name @returns {string} */
  labelOf(name) {
    const column = this.grid.column(name);
    return column ? this.label(column) : name;
  }
}

onElements("[data-grid-toolbar]", (toolbar) => {
  const holder = (toolbar.closest("[data-grid-page]") ?? toolbar.parentElement)?.querySelector("[data-grid]");
  if (!(holder instanceof HTMLElement)) return;
  const grid = /** @type {any} */ (holder).grid;
  if (grid) /** @type {any} */ (holder).panels = new Panels(grid, toolbar);
});
