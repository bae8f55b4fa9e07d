// Edits that the server does not have yet, kept in this browser per project, table, person and tab: they outlive a
// reload, and what a closed or crashed tab left behind is taken over by the next page that opens the same table.

import { tabId } from "../util.js";

/** @typedef {import("./saving.js").Gesture} Gesture */

const ALIVE_EVERY = 5000;
const DEAD_AFTER = 20_000;

export class UnsentStore {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.prefix = `aip-unsent:${grid.project}:${grid.table}:${grid.person}:`;
    this.name = this.prefix + tabId();
    /** @type {Gesture[]} */
    this.kept = [];
    this.beat = 0;
  }

  /** @param {Gesture[]} gestures */
  save(gestures) {
    this.kept = gestures.slice();
    this.write();
    clearInterval(this.beat);
    if (gestures.length) this.beat = setInterval(() => this.write(), ALIVE_EVERY);
  }

  write() {
    try {
      if (this.kept.length) localStorage.setItem(this.name, JSON.stringify({ at: Date.now(), gestures: this.kept }));
      else localStorage.removeItem(this.name);
    } catch {
      this.full = true; // storage is off or full: edits live as long as the page
    }
  }

  /** @returns {Gesture[]} what this tab kept, and what dead tabs kept */
  take() {
    /** @type {Gesture[]} */
    const found = [];
    try {
      for (const name of Object.keys(localStorage).filter((key) => key.startsWith(this.prefix))) {
        const { at, gestures } = JSON.parse(localStorage.getItem(name) ?? "{}");
        if (!Array.isArray(gestures) || (name !== this.name && Date.now() - at < DEAD_AFTER)) continue;
        found.push(...gestures);
        localStorage.removeItem(name);
      }
    } catch {
      return found; // storage is off
    }
    this.save(found);
    return found;
  }
}
