// What assistive technology hears: a grid with counted rows and columns, sorted heads, and the cell that is active.

export class Aria {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    this.marked = /** @type {Element | null} */ (null);
    /** @type {WeakMap<Element, number>} rows that were told already, with how many cells they had */
    this.told = new WeakMap();
  }

  /** Once SlickGrid has drawn its frame. */
  frame() {
    const { board, holder, slick } = this.grid;
    board.setAttribute("aria-label", holder.dataset.label ?? "");
    board.setAttribute("aria-multiselectable", "true");
    if (!this.grid.canEdit) board.setAttribute("aria-readonly", "true");
    // Frames that take the focus or have a role between the grid and its rows are not allowed.
    for (const element of board.querySelectorAll("[tabindex]")) element.removeAttribute("tabindex");
    for (const pane of board.querySelectorAll(".slick-header, .grid-canvas")) pane.setAttribute("role", "rowgroup");
    for (const canvas of board.querySelectorAll(".grid-canvas-right")) canvas.addEventListener("focus", () => this.grid.input.focus());
    this.focusable(document.activeElement !== this.grid.input.area);
    this.counts();
    this.heads();
    slick.onRendered.subscribe(() => this.rows());
  }

  /** What scrolls must be reachable: it hands the focus on to the input, and lets it out again. @param {boolean} on */
  focusable(on) {
    for (const canvas of this.grid.board.querySelectorAll(".grid-canvas-right")) /** @type {HTMLElement} */ (canvas).tabIndex = on ? 0 : -1;
  }

  counts() {
    const { board, rows, slick } = this.grid;
    board.setAttribute("aria-rowcount", String(rows.getLength() + 1));
    board.setAttribute("aria-colcount", String(slick.getColumns().length));
  }

  heads() {
    const { board, columnSet, slick } = this.grid;
    for (const head of board.querySelectorAll(".slick-header-columns")) {
      head.setAttribute("aria-rowindex", "1");
      if (!head.children.length) head.removeAttribute("role");
      else head.setAttribute("role", "row");
    }
    const columns = slick.getColumns();
    for (const head of board.querySelectorAll(".slick-header-column")) {
      const name = head instanceof HTMLElement ? head.dataset.id ?? "" : "";
      const index = columns.findIndex((/** @type {any} */ column) => column.id === name);
      head.setAttribute("aria-colindex", String(index + 1));
      if (columns[index]?.sortable) head.setAttribute("aria-sort", columnSet.sortWord(name));
    }
  }

  /** Every row in the page, both panes. */
  rows() {
    const { slick, rows, chosen } = this.grid;
    for (const [number, entry] of Object.entries(slick.getRowCache())) {
      const item = rows.itemAt(Number(number));
      for (const part of entry.rowNode ?? []) {
        if (this.told.get(part) === part.childElementCount) continue;
        this.told.set(part, part.childElementCount);
        part.setAttribute("aria-rowindex", String(Number(number) + 2));
        if (item) {
          part.dataset.id = String(item.id);
          part.setAttribute("aria-selected", String(chosen.has(item.id)));
        }
        for (const cell of part.children) {
          const index = /(?:^|\s)l(\d+)/.exec(cell.className);
          cell.removeAttribute("tabindex");
          cell.removeAttribute("aria-describedby");
          if (index) cell.setAttribute("aria-colindex", String(Number(index[1]) + 1));
          if (cell.classList.contains("is-fixed")) cell.setAttribute("aria-readonly", "true");
        }
      }
    }
    this.active(this.grid.input.area);
  }

  /** @param {HTMLElement} input what holds the focus */
  active(input) {
    const { range, slick } = this.grid;
    const node = range.active ? slick.getCellNode(range.active.row, range.active.cell) : null;
    if (this.marked !== node) this.marked?.removeAttribute("aria-selected");
    this.marked = node;
    if (!node) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    node.id ||= `${slick.getUID()}-${range.active?.row}-${range.active?.cell}`;
    node.setAttribute("aria-selected", "true");
    if (this.grid.input.isOpen) return;
    const column = range.column;
    const text = range.item && column ? this.grid.shown(range.item, column) : "";
    input.setAttribute("aria-controls", this.grid.board.id);
    input.setAttribute("aria-activedescendant", node.id);
    input.setAttribute("aria-label", column ? `${this.grid.columnSet.label(column)}: ${text}` : "");
  }
}
