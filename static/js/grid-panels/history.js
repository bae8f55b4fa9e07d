// The history of a row, at the side: who changed what and when, with before and after, each to be put back.

import { initials } from "../grid/formatters.js";
import { bodyOf } from "../grid/stream.js";
import { fill, gettext, ngettext } from "../i18n.js";
import { toast } from "../toast.js";
import { debounce, icon, request } from "../util.js";
import { h, iconButton } from "./dom.js";
import { hueOf } from "./presence.js";
import { ask, problemOf } from "./views.js";

/** @typedef {{field: string, label: string, before: any, after: any, before_text: string, after_text: string}} Cell */
/** @typedef {{action: number, sequence: number, when: string, actor: {id: number, name: string} | null, kind: string, words: string,
 *   state: "done" | "undone" | "superseded", cells: Cell[]}} Entry */

const FOLLOW_AFTER = 250;

export class HistoryDrawer {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    /** @type {number | null} the row that is shown */
    this.id = null;
    this.title = h("h2", {});
    this.body = h("div", { class: "gp-history", tabindex: 0 });
    this.drawer = h(
      "aside",
      { class: "gp-drawer", "aria-label": gettext("History of the row"), hidden: true },
      h("header", {}, icon("clock"), this.title, iconButton("x", gettext("Close"), () => this.close())),
      this.body,
    );
    panels.grid.holder.append(this.drawer);
    this.drawer.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
    const load = debounce(() => this.load(), FOLLOW_AFTER);
    panels.grid.addEventListener("active", (event) => {
      const { row } = /** @type {CustomEvent} */ (event).detail;
      if (this.id === null || row === null || row === this.id) return;
      this.id = row;
      load();
    });
    panels.grid.addEventListener("rows", (event) => {
      const { ids } = /** @type {CustomEvent} */ (event).detail;
      if (this.id !== null && (!ids || ids.includes(this.id))) load();
    });
  }

  /** @param {number} id */
  open(id) {
    this.id = id;
    this.drawer.hidden = false;
    this.load().then(() => this.body.focus());
  }

  close() {
    this.id = null;
    this.drawer.hidden = true;
    this.panels.grid.input.focus();
  }

  async load() {
    const { id } = this;
    const { grid } = this.panels;
    if (id === null) return;
    this.title.textContent = grid.nameOf(id);
    try {
      const response = await request(`${grid.url}${id}/history/`);
      const answer = await bodyOf(response);
      if (id !== this.id) return; // the person went on to another row
      if (!response.ok) this.show([h("p", { class: "dim" }, problemOf(answer))]);
      else this.show(answer.results.map((/** @type {Entry} */ entry) => this.entry(entry)));
    } catch {
      this.show([h("p", { class: "dim" }, gettext("The server did not answer. Check the connection."))]);
    }
  }

  /** @param {Node[]} nodes */
  show(nodes) {
    const at = this.body.scrollTop;
    this.body.replaceChildren(...(nodes.length ? nodes : [h("p", { class: "dim" }, gettext("Nothing has been changed in this row yet."))]));
    this.body.scrollTop = at;
  }

  /** @param {Entry} entry */
  entry(entry) {
    const name = entry.actor?.name ?? gettext("The machine");
    const when = new Date(entry.when);
    const language = document.documentElement.lang || undefined;
    const states = { done: "", undone: gettext("undone"), superseded: gettext("undone, then written over") };
    const fields = entry.cells.map(({ field }) => field);
    const may = this.panels.grid.canEdit && entry.state === "done" && fields.length > 0;
    return h(
      "article",
      { class: `gp-entry is-${entry.state}` },
      h(
        "header",
        {},
        h("i", { class: "gp-face", style: { "--h": String(hueOf(entry.actor?.id ?? 0)) }, "aria-hidden": "true" }, initials(name)),
        h("b", {}, name),
        h("time", { class: "faint", datetime: entry.when, title: when.toLocaleString(language) }, ago(when)),
        states[entry.state] ? h("span", { class: "gp-was" }, states[entry.state]) : null,
        may && fields.length > 1 ? iconButton("undo", fill(ngettext("Put %(n)s cell back", "Put %(n)s cells back", fields.length), { n: fields.length }), () => this.restore(entry, fields)) : null,
      ),
      h("p", { class: "gp-words dim" }, entry.words),
      h("dl", {}, entry.cells.flatMap((cell) => this.cell(entry, cell, may))),
    );
  }

  /** @param {Entry} entry @param {Cell} cell @param {boolean} may */
  cell(entry, cell, may) {
    const column = this.panels.grid.column(cell.field);
    const label = column ? this.panels.label(column) : cell.label;
    const text = (/** @type {string} */ value, /** @type {any} */ raw) => value || (column && raw !== null && raw !== undefined ? this.panels.grid.values.text(column, raw) : "") || gettext("(empty)");
    const editable = may && (!column || column.editable);
    return [
      h("dt", {}, label, editable ? iconButton("undo", fill(gettext("Put “%(name)s” back to before this change"), { name: label }), () => this.restore(entry, [cell.field])) : null),
      h("dd", {}, h("del", {}, text(cell.before_text, cell.before)), icon("arrow-right", "s"), h("ins", {}, text(cell.after_text, cell.after))),
    ];
  }

  /** @param {Entry} entry @param {string[]} fields */
  async restore(entry, fields) {
    const { grid } = this.panels;
    const { ok, answer } = await ask(`${grid.url}${this.id}/restore/`, "POST", { action: entry.action, fields });
    if (!ok) {
      toast(problemOf(answer), "error");
      return;
    }
    toast(fill(ngettext("%(n)s cell put back. Ctrl+Z undoes it.", "%(n)s cells put back. Ctrl+Z undoes it.", fields.length), { n: fields.length }), "success");
    grid.deltas.fetch(0);
    this.load();
  }
}

/** @param {Date} when @returns {string} "3 minutes ago", and the date after a week */
function ago(when) {
  const language = document.documentElement.lang || undefined;
  const seconds = (when.getTime() - Date.now()) / 1000;
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  if (seconds > -60) return words.format(0, "minute");
  if (seconds > -3600) return words.format(Math.ceil(seconds / 60), "minute");
  if (seconds > -86_400) return words.format(Math.ceil(seconds / 3600), "hour");
  if (seconds > -7 * 86_400) return words.format(Math.ceil(seconds / 86_400), "day");
  return when.toLocaleDateString(language);
}
