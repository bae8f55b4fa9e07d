// Moving rows to another status: only what is allowed from where they are; sending back asks for a reason.

import { fill, gettext, ngettext } from "../i18n.js";
import { toast } from "../toast.js";
import { icon } from "../util.js";
import { formDialog, h, openMenu } from "./dom.js";
import { ask, problemOf } from "./views.js";

/** @typedef {import("../grid/stream.js").Item} Item */

const MOST_LISTED = 12;

export class StatusMoves {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    const { grid } = panels;
    grid.registerEditor("status", {
      open: (context) => {
        const cell = context.cell();
        this.open(cell instanceof HTMLElement ? cell : grid.board, this.targets(context.item));
        return null;
      },
    });
    grid.ready.then(() => this.bulkButton());
  }

  /** @returns {import("../grid/stream.js").Column | undefined} */
  get column() {
    return this.panels.grid.columns.find(({ type }) => type === "status");
  }

  /** The rows that a status is chosen for: the checked ones or the range when the row is among them, else the row. @param {Item} item @returns {Item[]} */
  targets(item) {
    const { grid } = this.panels;
    const { rows, range } = grid.selection();
    const ids = rows.includes(item.id) ? rows : range?.rows.includes(item.id) ? range.rows : [item.id];
    return grid.items().filter(({ id }) => ids.includes(id));
  }

  /** In the bar of the checked rows. */
  bulkButton() {
    const { grid } = this.panels;
    const bar = grid.furniture.find("[data-bulk-bar]");
    if (!bar || !this.column || !grid.canEdit || bar.querySelector(".gp-bulk-status")) return;
    const button = h("button", { type: "button", class: "btn s gp-bulk-status", "aria-haspopup": "menu", onclick: () => this.open(button, grid.items().filter(({ id }) => grid.chosen.has(id))) }, icon("flag", "s"), gettext("Status"));
    const output = bar.querySelector("output");
    if (output) output.after(button);
    else bar.prepend(button);
  }

  /** @param {HTMLElement | {x: number, y: number}} at @param {Item[]} items */
  open(at, items) {
    const { grid } = this.panels;
    const { column } = this;
    if (!column || !items.length) return;
    const moves = grid.head?.moves ?? {};
    const states = grid.options(column.options);
    const entries = states
      .map((state) => ({ state, n: items.filter((item) => (moves[item[column.name]] ?? []).includes(state.id)).length }))
      .filter(({ n }) => n > 0)
      .map(({ state, n }) => {
        const tag = h("span", { class: "tag" }, state.label);
        tag.dataset.status = state.id;
        const some = n < items.length ? h("span", { class: "faint" }, fill(gettext("%(n)s of %(all)s"), { n, all: items.length })) : null;
        return { label: state.label, node: h("span", { class: "gp-state" }, tag, some), act: () => this.begin(items, state.id, state.label) };
      });
    const now = [...new Set(items.map((item) => item[column.name]))].map((id) => grid.values.label(column, id)).join(", ");
    const title = items.length === 1 ? fill(gettext("%(name)s is %(state)s"), { name: grid.nameOf(items[0].id), state: now }) : fill(ngettext("%(n)s row: %(state)s", "%(n)s rows: %(state)s", items.length), { n: items.length, state: now });
    const none = { label: gettext("No move is open to you from here."), disabled: true, act: () => {} };
    openMenu(at, gettext("Status"), [{ title }, ...(entries.length ? entries : [none])], { closed: () => grid.input.focus() });
    if (!entries.length) grid.input.focus();
  }

  /** @param {Item[]} items @param {string} to @param {string} label */
  begin(items, to, label) {
    const name = this.column?.name ?? "status";
    const rejected = to === "ready" ? items.filter((item) => item[name] === "review") : [];
    if (rejected.length) this.reject(items, rejected.length, to, label);
    else this.move(items, to, label, "");
  }

  /** @param {Item[]} items @param {number} n how many of them were in review @param {string} to @param {string} label */
  reject(items, n, to, label) {
    const reason = /** @type {HTMLTextAreaElement} */ (h("textarea", { class: "textarea", rows: 3, maxlength: 300, required: true, autofocus: true, "aria-label": gettext("Reason"), placeholder: gettext("What should be different?") }));
    const quick = [gettext("Does not follow the script"), gettext("Character looks wrong"), gettext("Framing is off"), gettext("Flaws in the picture"), gettext("Breaks continuity"), gettext("Motion or timing is off")];
    const add = (/** @type {string} */ text) => {
      reason.value = reason.value.trim() ? `${reason.value.trim()}\n${text}` : text;
      reason.focus();
    };
    formDialog(
      fill(ngettext("Send %(n)s row back", "Send %(n)s rows back", n), { n }),
      [
        h("p", { class: "dim" }, gettext("Whoever made it reads the reason in the history and in the list of changes.")),
        reason,
        h("div", { class: "gp-quick", role: "group", "aria-label": gettext("Common reasons") }, quick.map((text) => h("button", { type: "button", class: "btn s", onclick: () => add(text) }, text))),
      ],
      gettext("Send back"),
      async () => {
        if (!reason.value.trim()) {
          reason.setAttribute("aria-invalid", "true");
          reason.focus();
          return gettext("Write why: a reason is needed.");
        }
        await this.move(items, to, label, reason.value.trim());
        return null;
      },
      { closed: () => this.panels.grid.input.focus() },
    );
  }

  /** @param {Item[]} items @param {string} to @param {string} label @param {string} reason */
  async move(items, to, label, reason) {
    const { grid } = this.panels;
    await grid.saving.flush();
    const ids = items.map(({ id }) => id);
    const { ok, answer } = await ask(`${grid.url}transition/`, "POST", { ids, to, reason });
    grid.input.focus();
    if (!ok) {
      if (answer.details?.refused) this.refused(items, to, label, reason, answer);
      else toast(problemOf(answer), "error");
      return;
    }
    grid.deltas.fetch(0);
    const n = ids.length;
    toast(fill(ngettext("%(n)s row is now “%(state)s”.", "%(n)s rows are now “%(state)s”.", n), { n, state: label }), "success");
  }

  /** Which rows cannot go there and why; the others can be moved without them. @param {Item[]} items @param {string} to @param {string} label @param {string} reason @param {any} answer */
  refused(items, to, label, reason, answer) {
    const { grid } = this.panels;
    const { column } = this;
    if (!column) return;
    /** @type {[string, {code: string, state: string, allowed: string[]}][]} */
    const refused = Object.entries(answer.details.refused);
    const gone = new Set(refused.map(([id]) => Number(id)));
    const rest = items.filter(({ id }) => !gone.has(id));
    const name = (/** @type {string} */ state) => grid.values.label(column, state);
    const lines = refused.slice(0, MOST_LISTED).map(([id, { code, state, allowed }]) => {
      const tag = h("span", { class: "tag" }, name(state));
      tag.dataset.status = state;
      const ways = allowed.length ? fill(gettext("possible: %(states)s"), { states: allowed.map(name).join(", ") }) : gettext("no move is possible");
      return h("li", {}, h("b", { class: "code" }, code || grid.nameOf(Number(id))), tag, h("span", { class: "faint" }, ways));
    });
    const more = refused.length > MOST_LISTED ? h("li", { class: "faint" }, fill(ngettext("and %(n)s more", "and %(n)s more", refused.length - MOST_LISTED), { n: refused.length - MOST_LISTED })) : null;
    const yes = rest.length ? fill(ngettext("Move the other %(n)s", "Move the other %(n)s", rest.length), { n: rest.length }) : gettext("Understood");
    formDialog(
      fill(ngettext("%(n)s row cannot become “%(state)s”", "%(n)s rows cannot become “%(state)s”", refused.length), { n: refused.length, state: label }),
      [h("p", { class: "dim" }, gettext("Nothing was moved.")), h("ul", { class: "gp-refused" }, lines, more)],
      yes,
      async () => {
        if (rest.length) await this.move(rest, to, label, reason);
        return null;
      },
      { closed: () => grid.input.focus() },
    );
  }
}
