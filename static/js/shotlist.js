// Inline editing of a table that the server renders. One row is one <tr data-row="id" data-url data-revision>,
// one editable cell is <td data-field data-editor data-value tabindex="-1">. A saved cell is one PATCH, and the
// answer is the row.
//
// On the holder: data-shotlist, data-fps, data-reorder-url (POST ids, before, scene), data-rows (selector of
// what a reorder's answer replaces).

import { CellInput } from "./cell-input.js";
import { confirmDialog } from "./dialogs.js";
import { gettext } from "./i18n.js";
import { refreshAll } from "./refresh.js";
import { startReorder } from "./row-order.js";
import { RowSelection } from "./row-selection.js";
import { htmx, isComposing, onElements } from "./util.js";
import { chooseValue } from "./conflict.js";
import { errorText } from "./htmx-setup.js";
import { toast } from "./toast.js";
import { UnsentEdits } from "./unsent.js";

/** @typedef {{row: string, field: string}} Place */

export class ShotList {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Place | null} */
    this.place = null;
    this.input = new CellInput(this);
    this.selection = new RowSelection(root);
    this.unsent = new UnsentEdits(
      (edit) => this.post(edit),
      (edit) => this.find(edit),
    );
    root.addEventListener("pointerdown", (event) => this.onPointer(event));
    root.addEventListener("dblclick", (event) => {
      const cell = this.cellOf(event.target);
      if (cell) this.input.open(cell);
    });
    root.addEventListener("focusin", (event) => {
      const cell = this.cellOf(event.target);
      if (cell && event.target === cell) this.activate(cell);
    });
    document.addEventListener("htmx:afterSettle", () => {
      this.restore();
      this.unsent.show();
    });
    addEventListener("resize", () => this.restore());
    root.addEventListener("htmx:beforeSwap", (event) => this.onAnswer(/** @type {CustomEvent} */ (event)));
    startReorder(root, this);
  }

  /** @param {EventTarget | null} target @returns {HTMLTableCellElement | null} */
  cellOf(target) {
    const cell = target instanceof Element ? target.closest("td[data-field]") : null;
    return cell instanceof HTMLTableCellElement && this.root.contains(cell) ? cell : null;
  }

  /** @returns {HTMLTableRowElement[]} */
  rows() {
    return [...this.root.querySelectorAll("tr[data-row]")].filter((row) => row instanceof HTMLTableRowElement);
  }

  /** @param {HTMLTableRowElement} row @returns {HTMLTableCellElement[]} */
  cells(row) {
    return [...row.querySelectorAll("td[data-field]")].filter((cell) => cell instanceof HTMLTableCellElement);
  }

  /** @param {Place | null} place @returns {HTMLTableCellElement | null} */
  find(place) {
    if (!place) return null;
    return this.root.querySelector(`tr[data-row="${CSS.escape(place.row)}"] td[data-field="${CSS.escape(place.field)}"]`);
  }

  /** @param {PointerEvent} event */
  onPointer(event) {
    const target = event.target instanceof Element ? event.target : null;
    if (event.button !== 0 || target?.closest("a, button, input, select, textarea, [data-handle]")) return;
    const cell = this.cellOf(target);
    if (!cell) return;
    event.preventDefault(); // focus goes to the input that lies over the cell
    const again = this.place && this.find(this.place) === cell;
    this.activate(cell);
    if (again && ["choice", "remote"].includes(cell.dataset.editor ?? "")) this.input.open(cell);
  }

  /** @param {HTMLTableCellElement} cell */
  activate(cell) {
    const row = cell.closest("tr")?.dataset.row;
    if (!row) return;
    this.place = { row, field: cell.dataset.field ?? "" };
    for (const old of this.root.querySelectorAll("td.is-active")) if (old !== cell) old.classList.remove("is-active");
    cell.classList.add("is-active");
    this.input.rest(cell);
  }

  /** Move the active cell. @param {number} down @param {number} right @returns {boolean} */
  move(down, right) {
    const cell = this.find(this.place);
    const row = cell?.closest("tr");
    if (!cell || !row) return false;
    const rows = this.rows();
    const cells = this.cells(row);
    let rowAt = rows.indexOf(row);
    let cellAt = cells.indexOf(cell) + right;
    if (right && cellAt < 0) [rowAt, cellAt] = [rowAt - 1, cells.length - 1];
    else if (right && cellAt >= cells.length) [rowAt, cellAt] = [rowAt + 1, 0];
    const nextRow = rows[rowAt + down];
    const next = nextRow ? this.cells(nextRow)[cellAt] : null;
    if (!next) return false;
    this.activate(next);
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  }

  /** A key while no cell is open. @param {KeyboardEvent} event @returns {boolean} true when it was used */
  key(event) {
    if (isComposing(event)) return false;
    const control = event.ctrlKey || event.metaKey;
    const cell = this.find(this.place);
    if (!cell) return false;
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      this.root.dispatchEvent(new CustomEvent("aip:move-row", { detail: { row: this.place?.row, by: event.key === "ArrowUp" ? -1 : 1 } }));
      return true;
    }
    if (control || event.altKey) return false;
    const page = 12;
    const moves = /** @type {Record<string, [number, number]>} */ ({
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageDown: [page, 0], PageUp: [-page, 0],
    });
    if (moves[event.key]) {
      this.move(...moves[event.key]);
      return true;
    }
    if (event.key === "Tab") return this.move(0, event.shiftKey ? -1 : 1);
    if (event.key === "Enter" || event.key === "F2") {
      this.input.open(cell);
      return true;
    }
    if (event.key === " ") {
      this.selection.toggle(this.place?.row ?? "");
      return true;
    }
    if (event.key === "Escape") {
      if (this.selection.size) this.selection.clear();
      else this.leave();
      return true;
    }
    return false;
  }

  leave() {
    for (const old of this.root.querySelectorAll("td.is-active")) old.classList.remove("is-active");
    this.place = null;
    this.input.hide();
  }

  /**
   * Send one cell. The shown text changes at once; the row that comes back is the truth.
   * @param {HTMLTableCellElement} cell @param {string} value @param {string} [shown]
   */
  save(cell, value, shown) {
    const row = cell.closest("tr");
    if (!row || value === (cell.dataset.value ?? "")) return;
    cell.classList.add("is-saving");
    const place = cell.querySelector("[data-text]") ?? cell;
    if (place === cell ? cell.childElementCount === 0 : true) place.textContent = shown ?? value;
    this.send(row, cell.dataset.field ?? "", value, row.dataset.revision ?? "");
  }

  /** @param {HTMLTableRowElement} row @param {string} field @param {string} value @param {string} revision */
  async send(row, field, value, revision) {
    const edit = { row: row.dataset.row ?? "", field, value, revision };
    if (!(await this.post(edit))) this.unsent.keep(edit);
  }

  /**
   * One PATCH; its answer, also a refusal, goes through `onAnswer`.
   * @param {import("./unsent.js").Edit} edit @returns {Promise<boolean>} false when the server did not answer
   */
  async post({ row: id, field, value, revision }) {
    const row = this.root.querySelector(`tr[data-row="${CSS.escape(id)}"]`);
    if (!(row instanceof HTMLTableRowElement)) return true; // removed meanwhile: there is nothing to write to
    try {
      await htmx().ajax("PATCH", row.dataset.url, { source: row, target: row, swap: "morph", values: { field, value, revision } });
      return true;
    } catch {
      return false;
    }
  }

  /** @param {CustomEvent} event htmx:beforeSwap */
  onAnswer(event) {
    const { xhr, requestConfig, target } = event.detail;
    const row = target instanceof Element ? target.closest("tr[data-row]") : null;
    if (requestConfig?.verb !== "patch" || !(row instanceof HTMLTableRowElement) || xhr.status < 400) return;
    event.detail.shouldSwap = false;
    event.stopPropagation();
    const field = String(requestConfig.parameters.field ?? "");
    if (xhr.status === 409) this.settleConflict(row, field, xhr);
    else {
      toast(errorText(xhr), "error");
      this.reloadRow(row);
    }
  }

  /** Show both values and let the person choose. @param {HTMLTableRowElement} row @param {string} field @param {XMLHttpRequest} xhr */
  async settleConflict(row, field, xhr) {
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const raw = page.querySelector("[data-details]")?.getAttribute("data-details");
    const details = raw ? JSON.parse(raw).details ?? {} : {};
    if (details.revision === undefined || !(field in (details.current ?? {}))) {
      toast(errorText(xhr), "warning");
      this.reloadRow(row);
      return;
    }
    const heading = this.root.querySelector(`th[data-column="${CSS.escape(field)}"]`)?.textContent?.trim() ?? field;
    const mine = await chooseValue(heading, String(details.yours?.[field] ?? ""), String(details.current[field] ?? ""));
    if (mine) this.send(row, field, String(details.yours?.[field] ?? ""), String(details.revision));
    else this.reloadRow(row);
  }

  /** @param {HTMLTableRowElement} row */
  reloadRow(row) {
    for (const cell of row.querySelectorAll(".is-saving")) cell.classList.remove("is-saving");
    if (row.dataset.rowUrl) htmx().ajax("GET", row.dataset.rowUrl, { source: row, target: row, swap: "morph" });
    else refreshAll();
  }

  /** After a swap the active cell may be another element: find it again by row and field. */
  restore() {
    if (!this.place || this.input.isOpen) return;
    const cell = this.find(this.place);
    if (!cell) {
      this.place = null;
      this.input.hide();
      return;
    }
    cell.classList.add("is-active");
    this.input.follow(cell);
  }

  /** @param {HTMLTableRowElement[]} rows */
  async confirmMove(rows) {
    const locked = rows.some((row) => row.dataset.locked === "true");
    return !locked || confirmDialog(gettext("A locked shot is among them. Move it within the order of the film?"));
  }
}

onElements("[data-shotlist]", (root) => {
  /** @type {any} */ (root).shotlist = new ShotList(root);
});
