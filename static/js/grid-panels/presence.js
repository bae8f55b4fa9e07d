// Who is at this table and on which cell. Nobody keeps it: every page says where its person is, again every ten
// seconds, and answers a page that it has not seen before; who is not heard for 25 seconds is gone.

import { initials } from "../grid/formatters.js";
import { fill, gettext } from "../i18n.js";
import { sendLive } from "../refresh.js";
import { tabId } from "../util.js";
import { h } from "./dom.js";

/** @typedef {{table: string, row: number | null, field: string | null} | null} Place */
/** @typedef {{user: {id: number, name: string}, place: Place, seen: number}} Peer */

const REPEAT = 10_000;
const FORGET = 25_000;
const AT_MOST_EVERY = 250;
const HUES = [25, 60, 95, 145, 185, 230, 290, 340];
const MOST_FACES = 5;

/** The colour of a person, the same for everybody. @param {number} id @returns {number} index of the hue in the stylesheet */
function colorOf(id) {
  return Math.abs(id * 5) % HUES.length;
}

/** @param {number} id of a person @returns {number} degrees */
export function hueOf(id) {
  return HUES[colorOf(id)];
}

export class Presence {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    this.grid = panels.grid;
    this.tab = tabId();
    /** @type {Map<string, Peer>} by tab */
    this.peers = new Map();
    /** @type {Map<string, {id: number, field: string, className: string}>} what is marked, by tab */
    this.marked = new Map();
    /** @type {Place} */
    this.place = null;
    this.timer = 0;
    this.last = 0;
    this.faces = h("div", { class: "gp-faces", role: "group", "aria-label": gettext("Who is here") });
    panels.right.append(this.faces);
    this.grid.addEventListener("active", (event) => {
      const { row, field } = /** @type {CustomEvent} */ (event).detail;
      this.place = row === null || !field ? null : { table: this.grid.table, row, field };
      this.soon();
    });
    document.addEventListener("aip:live-here", (event) => this.hear(/** @type {CustomEvent} */ (event).detail));
    document.addEventListener("aip:live-subscribed", (event) => /** @type {CustomEvent} */ (event).detail.topic === this.grid.topic && this.say());
    document.addEventListener("visibilitychange", () => this.say());
    addEventListener("pagehide", () => sendLive({ type: "here", topic: this.grid.topic, tab: this.tab, place: null }));
    setInterval(() => {
      this.say();
      this.forget();
    }, REPEAT);
  }

  /** At most four times a second, the newest place last. */
  soon() {
    if (this.timer) return;
    this.timer = setTimeout(() => this.say(), Math.max(0, this.last + AT_MOST_EVERY - Date.now()));
  }

  say() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.grid.holder.isConnected) return;
    this.last = Date.now();
    // A page in the background is nobody at work, but it is not gone: a place without a row.
    const place = document.hidden || !this.place ? { table: this.grid.table, row: null, field: null } : this.place;
    sendLive({ type: "here", topic: this.grid.topic, tab: this.tab, place });
  }

  /** @param {{topic: string, tab: string, user: {id: number, name: string}, place: Place}} message */
  hear(message) {
    if (message.topic !== this.grid.topic || message.tab === this.tab) return;
    const fresh = !this.peers.has(message.tab);
    if (message.place === null || message.place.table !== this.grid.table) this.peers.delete(message.tab);
    else this.peers.set(message.tab, { user: message.user, place: message.place, seen: Date.now() });
    this.draw();
    if (fresh && message.place) this.soon();
  }

  forget() {
    for (const [tab, peer] of this.peers) if (Date.now() - peer.seen > FORGET) this.peers.delete(tab);
    this.draw();
  }

  draw() {
    for (const [tab, { id, field, className }] of this.marked) {
      const place = this.peers.get(tab)?.place;
      if (place?.row === id && place.field === field) continue;
      this.grid.unmark(id, field, className);
      this.marked.delete(tab);
    }
    for (const [tab, { user, place }] of this.peers) {
      if (!place?.row || this.marked.has(tab)) continue;
      const className = `gp-here gp-here-${colorOf(user.id)}`;
      this.marked.set(tab, { id: place.row, field: place.field ?? "", className });
      this.grid.mark(place.row, place.field ?? "", className, user.name);
    }
    /** @type {Map<number, Peer>} */
    const people = new Map();
    for (const peer of this.peers.values()) if (!people.get(peer.user.id)?.place?.row) people.set(peer.user.id, peer);
    const shown = [...people.values()].sort((a, b) => a.user.name.localeCompare(b.user.name));
    const faces = shown.slice(0, MOST_FACES).map(({ user, place }) => this.face(user, place));
    const more = shown.length - MOST_FACES;
    if (more > 0) faces.push(h("span", { class: "gp-face is-more", title: shown.slice(MOST_FACES).map(({ user }) => user.name).join(", ") }, `+${more}`));
    this.faces.replaceChildren(...faces);
  }

  /** Their face; a click leads to where they are. @param {{id: number, name: string}} user @param {Place} place */
  face(user, place) {
    const go = () => {
      const row = this.grid.rows.rowOf.get(place?.row ?? 0);
      const cell = this.grid.columnSet.indexOf(place?.field ?? "");
      if (row === undefined) return;
      this.grid.range.setActive({ row, cell: Math.max(1, cell) });
      this.grid.input.focus();
    };
    const column = this.grid.column(place?.field ?? "");
    const where = column && place?.row ? `${this.grid.nameOf(place.row)} · ${this.panels.label(column)}` : gettext("at this table");
    return h("button", { type: "button", class: "gp-face", style: { "--h": String(hueOf(user.id)) }, title: `${user.name} · ${where}`, "aria-label": fill(gettext("%(name)s is at %(where)s"), { name: user.name, where }), onclick: go }, initials(user.name));
  }
}
