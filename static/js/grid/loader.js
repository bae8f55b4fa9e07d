// Loading the rows: the frame with the first line, the first rows as soon as they are parsed, the rest as it comes.

import { gettext } from "../i18n.js";
import { make } from "./formatters.js";
import { itemsOf, readLines, RefusedError } from "./stream.js";

const SKELETON_ROWS = 24;

export class Loader {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    this.turn = 0;
    this.veil = make("div", "tg-veil");
    grid.holder.append(this.veil);
  }

  async start() {
    const { grid } = this;
    this.turn += 1;
    const { turn } = this;
    grid.loaded = false;
    if (!grid.slick) this.skeleton();
    /** @type {import("./stream.js").Item[]} */
    const fresh = [];
    let first = true;
    try {
      const response = await fetch(`${grid.url}grid/`); // as the page preloads it: without headers of ours
      const whole = await readLines(response, async (line) => {
        if (turn !== this.turn) return;
        if (line.type === "head") {
          grid.setHead(line);
          if (!grid.rows.items.length) grid.rows.clear();
        } else if (line.type === "rows") {
          fresh.push(...itemsOf(line.rows));
          if (grid.rows.items.length && first && !this.empty) return; // a reload: the old rows stay until all are there
          this.empty = true;
          this.take(fresh.splice(0), first);
          if (first) performance.mark("aip-grid-first-rows");
          first = false;
          await new Promise((resolve) => setTimeout(resolve)); // let the browser paint
        }
      });
      if (turn !== this.turn) return;
      if (!whole) throw new RefusedError(0, "");
      this.finish(fresh);
    } catch (error) {
      if (turn === this.turn) this.failed(error);
    }
  }

  /** @param {import("./stream.js").Item[]} items @param {boolean} first */
  take(items, first) {
    const { grid } = this;
    grid.rows.append(items);
    const plain = !grid.rows.filter && !grid.rows.sort.length && !grid.rows.group.length;
    if (first || !plain) {
      this.veil.hidden = true;
      grid.rebuild();
      return;
    }
    grid.rows.refresh();
    grid.slick.updateRowCount();
    grid.slick.render();
  }

  /** @param {import("./stream.js").Item[]} fresh the rows of a reload */
  finish(fresh) {
    const { grid } = this;
    if (fresh.length || !this.empty) {
      grid.rows.items = [];
      grid.rows.byId.clear();
      grid.rows.append(fresh);
    }
    this.empty = false;
    this.veil.hidden = true;
    grid.loaded = true;
    grid.rebuild();
    grid.holder.dataset.loaded = "true";
    grid.saving.recover();
    grid.tell("rows", { ids: null, removed: [] });
    grid.deltas.fetch();
  }

  skeleton() {
    const rows = Array.from({ length: SKELETON_ROWS }, () => make("div", "tg-bone"));
    this.veil.replaceChildren(...rows);
    this.veil.className = "tg-veil is-loading";
    this.veil.hidden = false;
  }

  /** @param {unknown} error */
  failed(error) {
    const { grid } = this;
    this.empty = false;
    const refused = error instanceof RefusedError ? error.message : "";
    const box = make("div", "empty");
    const again = make("button", "btn primary", gettext("Try again"));
    again.addEventListener("click", () => this.start());
    box.append(make("h2", "", gettext("The rows could not be loaded")), make("p", "dim", refused || gettext("The server did not answer. Check the connection.")), again);
    this.veil.replaceChildren(box);
    this.veil.className = "tg-veil is-failed";
    this.veil.hidden = false;
    grid.tell("failed", null);
  }
}
