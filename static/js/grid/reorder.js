// Rows dragged by their grip, one or all that are checked, and Alt with the arrows. What is sent are ids: the moved
// ones, the one that they come before, and the scene when the list is grouped by it.

import { gettext } from "../i18n.js";
import { toast } from "../toast.js";
import { request } from "../util.js";
import { isGroup } from "./rows.js";
import { bodyOf } from "./stream.js";

const BEGIN_AFTER = 4;
const EDGE = 30;

export class Reorder {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    /** @type {{ids: number[], y: number, started: boolean, at: number} | null} */
    this.drag = null;
    this.line = document.createElement("div");
    this.line.className = "tg-drop";
    this.line.hidden = true;
    this.label = document.createElement("div");
    this.label.className = "tg-drag-label";
    this.label.hidden = true;
    grid.holder.append(this.line, this.label);
    addEventListener("pointermove", (event) => this.onMove(event));
    addEventListener("pointerup", () => this.onUp(true));
    addEventListener("pointercancel", () => this.onUp(false));
    addEventListener("keydown", (event) => this.drag && event.key === "Escape" && this.onUp(false), true);
  }

  /** @returns {boolean} */
  refused() {
    const { rows } = this.grid;
    if (!this.grid.canEdit || !this.grid.head?.movable) return true;
    if (rows.sort.length) toast(gettext("The list is sorted: take the sort away to move rows by hand."), "info");
    else if (rows.group.length && rows.group.some(([name]) => name !== "scene")) toast(gettext("Rows move by hand without groups, or grouped by scene only."), "info");
    else return false;
    return true;
  }

  /** @param {PointerEvent} event @param {number} row */
  start(event, row) {
    const item = this.grid.rows.itemAt(row);
    if (!item) return;
    event.preventDefault();
    const { chosen, rows } = this.grid;
    const ids = chosen.has(item.id) ? rows.items.filter(({ id }) => chosen.has(id)).map(({ id }) => id) : [item.id];
    this.drag = { ids, y: event.clientY, started: false, at: -1 };
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const { drag } = this;
    if (!drag) return;
    if (!drag.started) {
      if (Math.abs(event.clientY - drag.y) < BEGIN_AFTER) return;
      if (this.refused()) {
        this.drag = null;
        return;
      }
      drag.started = true;
      this.grid.holder.classList.add("is-dragging");
      this.label.hidden = this.line.hidden = false;
      this.label.textContent = drag.ids.length > 1 ? String(drag.ids.length) : this.grid.nameOf(drag.ids[0]);
    }
    const view = this.grid.pointer.viewport();
    const box = view.getBoundingClientRect();
    if (event.clientY > box.bottom - EDGE) view.scrollTop += 14;
    else if (event.clientY < box.top + EDGE) view.scrollTop -= 14;
    const height = this.grid.slick.getOptions().rowHeight;
    const row = Math.max(0, Math.min(this.grid.rows.getLength(), Math.round((event.clientY - box.top + view.scrollTop) / height)));
    drag.at = row;
    const holder = this.grid.holder.getBoundingClientRect();
    this.line.style.top = `${Math.max(box.top, Math.min(box.bottom - 2, box.top + row * height - view.scrollTop)) - holder.top - 1}px`;
    this.label.style.left = `${event.clientX - holder.left + 14}px`;
    this.label.style.top = `${event.clientY - holder.top + 8}px`;
  }

  /** @param {boolean} drop */
  onUp(drop) {
    const { drag } = this;
    this.drag = null;
    if (!drag?.started) return;
    this.grid.holder.classList.remove("is-dragging");
    this.label.hidden = this.line.hidden = true;
    if (drop && drag.at >= 0) this.drop(drag.ids, drag.at);
  }

  /** Let rows fall above a shown row. @param {number[]} ids @param {number} row */
  drop(ids, row) {
    const { rows } = this.grid;
    const moved = new Set(ids);
    const grouped = rows.group.length > 0;
    const under = rows.shown[row];
    // At a group's head they belong to the group above it, unless it is the first one.
    const group = grouped ? rows.groupOf(Math.max(0, isGroup(under) || !under ? row - 1 : row)) : null;
    let before = null;
    for (let at = row; at < rows.shown.length && before === null; at += 1) {
      const item = rows.shown[at];
      if (!isGroup(item) && !moved.has(item.id)) before = item.id;
    }
    this.send(ids, before, group ? group.value : undefined);
  }

  /** Alt and an arrow: the chosen rows, or the active one, by one row. @param {number} by */
  nudge(by) {
    const { rows, range, chosen } = this.grid;
    if (!range.active || !range.item || this.refused()) return;
    const ids = chosen.has(range.item.id) ? rows.items.filter(({ id }) => chosen.has(id)).map(({ id }) => id) : [range.item.id];
    const places = ids.map((id) => rows.rowOf.get(id)).filter((row) => row !== undefined);
    if (!places.length) return;
    const [first, last] = [Math.min(...places), Math.max(...places)];
    if (by < 0 && first === 0) return;
    if (by > 0 && last >= rows.getLength() - 1) return;
    const target = by < 0 ? first - 1 : last + 2;
    const passed = rows.shown[by < 0 ? first - 1 : last + 1];
    if (!isGroup(passed)) this.drop(ids, target);
    else if (by > 0) this.drop(ids, last + 2);
    else if (first - 1 > 0) this.drop(ids, first - 1);
  }

  /** @param {number[]} ids @param {number | null} before @param {any} scene undefined: each keeps its own */
  async send(ids, before, scene) {
    const { grid } = this;
    await grid.saving.flush();
    this.show(ids, before, scene);
    const body = scene === undefined ? { ids, before } : { ids, before, scene };
    try {
      const response = await request(`${grid.url}reorder/`, { method: "POST", json: body });
      if (!response.ok) toast((await bodyOf(response)).message || gettext("The rows could not be moved."), "warning");
    } catch {
      toast(gettext("The server did not answer: the rows are where they were."), "error");
      grid.reload();
      return;
    }
    grid.deltas.fetch(0);
  }

  /** Before the server has answered. @param {number[]} ids @param {number | null} before @param {any} scene */
  show(ids, before, scene) {
    const { rows } = this.grid;
    const moved = new Set(ids);
    const taken = ids.map((id) => rows.byId.get(id)).filter((item) => item !== undefined);
    const rest = rows.items.filter(({ id }) => !moved.has(id));
    const at = before === null ? rest.length : rest.findIndex(({ id }) => id === before);
    if (scene !== undefined) for (const item of taken) item.scene = scene;
    rest.splice(at < 0 ? rest.length : at, 0, ...taken);
    rows.items = rest;
    this.grid.rebuild();
  }
}
