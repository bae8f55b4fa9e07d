// The keyboard while no cell is open, as in a spreadsheet. Letters go into the cell; undo belongs to the page.

import { isComposing, keyName } from "../util.js";
import { isGroup } from "./rows.js";
import { isEmpty } from "./values.js";

/** @typedef {import("./range.js").Place} Place */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class Keys {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
  }

  /** @param {KeyboardEvent} event @returns {boolean} true when the key was used */
  use(event) {
    if (isComposing(event)) return false;
    const control = event.ctrlKey || event.metaKey;
    const { range, input } = this.grid;
    if (event.altKey) return this.alt(event);
    if (this.move(event, control)) return true;
    if (control) return this.control(event);
    switch (event.key) {
      case "Enter":
        if (event.shiftKey) return this.step(-1, 0);
        input.start();
        return true;
      case "F2":
        input.start();
        return true;
      case "Delete":
      case "Backspace":
        this.grid.command("clear");
        return true;
      case " ":
        if (event.shiftKey) this.chooseRange();
        else if (range.column?.type === "tick") input.toggleTick();
        else return false;
        return true;
      case "Escape":
        if (this.grid.chosen.size) this.grid.chooseRows(null, false);
        else if (!range.isSingle && range.active) range.setActive(range.active);
        else return false;
        return true;
      case "ContextMenu":
        return false;
      default:
        return false;
    }
  }

  /** @param {KeyboardEvent} event @returns {boolean} */
  alt(event) {
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      this.grid.reorder.nudge(event.key === "ArrowUp" ? -1 : 1);
      return true;
    }
    if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && this.grid.range.active) {
      const group = this.grid.rows.groupOf(this.grid.range.active.row);
      if (group) this.grid.openGroup(group.key, event.key === "ArrowRight");
      return Boolean(group);
    }
    return false;
  }

  /** @param {KeyboardEvent} event @returns {boolean} */
  control(event) {
    switch (keyName(event)) {
      case "a":
        this.grid.range.selectAll();
        return true;
      case "d":
        this.grid.command("fillDown");
        return true;
      case "Enter":
        this.chooseRange();
        return true;
      default:
        return false;
    }
  }

  /** Check the rows of the range, or uncheck them when all are. */
  chooseRange() {
    const { range, rows, chosen } = this.grid;
    if (!range.box) return;
    const items = range.rowsIn(range.box).map((row) => /** @type {import("./stream.js").Item} */ (rows.itemAt(row)));
    this.grid.chooseRows(items, !items.every((item) => chosen.has(item.id)));
  }

  /** @param {KeyboardEvent} event @param {boolean} control @returns {boolean} */
  move(event, control) {
    const { range, slick, rows } = this.grid;
    const from = event.shiftKey && event.key !== "Tab" ? range.corner : range.active;
    if (!from) return false;
    const lastCell = slick.getColumns().length - 1;
    const lastRow = rows.getLength() - 1;
    const page = Math.max(1, slick.getViewport().bottom - slick.getViewport().top - 1);
    /** @type {Place | null} */
    let to = null;
    const arrow = ARROWS[event.key];
    if (arrow) to = control ? this.edge(from, arrow) : this.next(from, arrow[0], arrow[1]);
    else if (event.key === "Home") to = { row: control ? 0 : from.row, cell: 1 };
    else if (event.key === "End") to = { row: control ? lastRow : from.row, cell: lastCell };
    else if (event.key === "PageUp") to = { row: Math.max(0, from.row - page), cell: from.cell };
    else if (event.key === "PageDown") to = { row: Math.min(lastRow, from.row + page), cell: from.cell };
    else if (event.key === "Tab" && !control) return this.tab(event.shiftKey ? -1 : 1);
    if (!to) return false;
    if (event.shiftKey) range.extend(to);
    else range.setActive(to);
    return true;
  }

  /** One cell on; group heads are stepped over. @param {Place} from @param {number} down @param {number} right @returns {Place} */
  next(from, down, right) {
    const { rows, slick } = this.grid;
    let row = from.row + down;
    while (row >= 0 && row < rows.getLength() && isGroup(rows.shown[row])) row += down || 1;
    if (row < 0 || row >= rows.getLength()) row = from.row;
    return { row, cell: Math.max(1, Math.min(from.cell + right, slick.getColumns().length - 1)) };
  }

  /** @param {number} down @param {number} right @returns {boolean} */
  step(down, right) {
    const { range } = this.grid;
    if (!range.active) return false;
    range.setActive(this.next(range.active, down, right));
    return true;
  }

  /** Tab goes on in the next row; at the grid's ends it leaves. @param {number} by @returns {boolean} */
  tab(by) {
    const { range, slick, rows } = this.grid;
    if (!range.active) return false;
    const cell = range.active.cell + by;
    if (cell >= 1 && cell < slick.getColumns().length) return this.step(0, by);
    const next = this.next(range.active, by, 0);
    if (next.row === range.active.row) return false;
    range.setActive({ row: next.row, cell: by > 0 ? 1 : slick.getColumns().length - 1 });
    return rows.getLength() > 0;
  }

  /** The edge of the data in a direction, as Ctrl with an arrow goes. @param {Place} from @param {[number, number]} arrow @returns {Place} */
  edge(from, [down, right]) {
    const filled = (/** @type {Place} */ place) => {
      const item = this.grid.rows.itemAt(place.row);
      const column = this.grid.columnSet.at(place.cell);
      return Boolean(item && column && !isEmpty(item[column.name]));
    };
    let at = from;
    let next = this.next(at, down, right);
    const run = filled(at) && filled(next);
    while (next.row !== at.row || next.cell !== at.cell) {
      if (run && !filled(next)) break;
      at = next;
      if (!run && filled(at)) break;
      next = this.next(at, down, right);
    }
    return at;
  }
}
