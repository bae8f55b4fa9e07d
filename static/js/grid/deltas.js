// What changed on the server since: fetched when the live socket says so, when it comes back, and by itself without it.

import { isEmpty } from "./values.js";
import { bodyOf, itemsOf } from "./stream.js";
import { request } from "../util.js";

/** @typedef {import("./stream.js").Item} Item */

const GATHER = 80;
const RETRY = 3000;
const META = new Set(["id", "revision", "position", "locked", "job"]);

export class Deltas {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    this.timer = 0;
    this.running = false;
    this.again = false;
    this.listen();
  }

  listen() {
    const mine = (/** @type {Event} */ event) => /** @type {CustomEvent} */ (event).detail?.topic === this.grid.topic;
    document.addEventListener("aip:live-event", (event) => {
      const { event: news } = /** @type {CustomEvent} */ (event).detail;
      if (!mine(event)) return;
      if (news.type === "job.progress") this.progress(news);
      else if (this.concerns(news.type)) this.fetch(GATHER);
    });
    for (const name of ["aip:live-stale", "aip:live-subscribed"]) document.addEventListener(name, (event) => mine(event) && this.fetch(GATHER));
    for (const name of ["aip:live-poll", "aip:changed", "aip:refresh"]) document.addEventListener(name, () => this.fetch(GATHER));
    document.addEventListener("visibilitychange", () => !document.hidden && this.again && this.fetch());
  }

  /** @param {string} type */
  concerns(type) {
    return type.endsWith(".changed") || type.endsWith(".touched") || type.startsWith("version.") || type.startsWith("job.") || type.startsWith("column") || type.startsWith("view");
  }

  /** Soon; several wishes become one request. @param {number} [wait] milliseconds */
  fetch(wait = GATHER) {
    if (!this.grid.loaded || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.run();
    }, wait);
  }

  async run() {
    if (this.running || document.hidden) {
      this.again = true;
      return;
    }
    this.running = true;
    this.again = false;
    try {
      const response = await request(`${this.grid.url}changes/?since=${this.grid.seq}`);
      if (response.ok && !response.redirected) this.apply(await bodyOf(response));
      else if (response.status >= 500) this.fetch(RETRY);
    } catch {
      this.fetch(RETRY); // no connection: asked again
    } finally {
      this.running = false;
    }
    if (this.again) this.fetch();
  }

  /** @param {{seq: number, reset?: boolean, rows?: Record<string, any[]>, removed?: number[], options?: any, columns?: any, views?: any}} answer */
  apply(answer) {
    const { grid } = this;
    if (answer.reset) {
      grid.reload();
      return;
    }
    if (typeof answer.seq !== "number" || answer.seq < grid.seq) return; // older than what is shown
    grid.seq = answer.seq;
    if (answer.options) grid.setOptions(answer.options);
    if (answer.columns) grid.setColumns(answer.columns);
    if (answer.views) grid.setViews(answer.views);
    const fresh = itemsOf(answer.rows ?? {});
    const removed = (answer.removed ?? []).map(Number);
    if (!fresh.length && !removed.length) {
      if (answer.options || answer.columns) grid.rebuild();
      return;
    }
    /** @type {Set<string>} */
    const fields = new Set();
    const moved = grid.rows.patch(fresh, removed, (item, next) => this.merge(item, next, fields));
    for (const id of removed) grid.chosen.delete(id);
    const regroup = grid.rows.group.some(([name]) => fields.has(name)) || (grid.rows.group.length && grid.rows.summed.some((name) => fields.has(name)));
    if (moved || regroup || answer.options || answer.columns) grid.rebuild();
    else for (const item of fresh) grid.repaint(item.id);
    grid.tell("rows", { ids: fresh.map((item) => item.id), removed });
  }

  /** The server's row into ours; what was just typed here stays until its own answer. @param {Item} item @param {Item} fresh @param {Set<string>} fields */
  merge(item, fresh, fields) {
    if (fresh.revision < item.revision) return;
    this.grid.input.changedElsewhere(fresh);
    for (const [name, value] of Object.entries(fresh)) {
      if (!META.has(name) && this.grid.saving.holds(item.id, name)) continue;
      if (JSON.stringify(item[name]) === JSON.stringify(value)) continue;
      fields.add(name);
      item[name] = value;
      if (!META.has(name) && !this.grid.saving.refused.has(this.grid.marks.key(item.id, name))) this.grid.marks.type(item.id, name, null);
    }
  }

  /** The numbers of a running job; the ring itself is moved by refresh.js. @param {any} news */
  progress(news) {
    const job = String(news.job ?? news.id ?? "");
    const share = news.progress ?? news.value;
    if (isEmpty(job) || typeof share !== "number") return;
    for (const item of this.grid.rows.items) if (item.job && String(item.job[0]) === job) item.job = [item.job[0], share];
  }
}
