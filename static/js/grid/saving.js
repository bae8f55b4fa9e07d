// Edits on their way to the server: shown at once, sent in order with one request at a time, kept until the server
// has answered. What is refused stays in its cell, marked, for the person to correct.

import { fill, gettext, ngettext } from "../i18n.js";
import { toast } from "../toast.js";
import { randomId, request } from "../util.js";
import { Conflicts } from "./conflicts.js";
import { bodyOf } from "./stream.js";
import { UnsentStore } from "./unsent.js";

/** @typedef {{id: number, field: string, value?: any, text?: string, revision: number}} Edit */
/** @typedef {{fields: Record<string, any>, texts?: Record<string, string>, before?: number | null}} NewRow */
/**
 * @typedef {{why: string, edits: Edit[], create: NewRow[], remove: number[], key?: string, tried?: boolean}} Gesture one
 *   thing that the person did; `key`: when it makes or removes rows, so that the server does it once however often it is
 *   sent; `tried`: it was sent, and may be written although no answer came
 */
/** @typedef {"saved" | "saving" | "offline" | "conflict" | "error"} SavingState */
/** @typedef {{gesture: Gesture, done: (answer: any) => void}} Waiting */

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;
const MOST_ITEMS = 10_000;
const AWAY = new Set([0, 401, 408, 425, 429]);

export class Saving {
  /** @param {import("./grid.js").ShotGrid} grid */
  constructor(grid) {
    this.grid = grid;
    /** @type {Waiting[]} */
    this.queue = [];
    /** @type {Waiting | null} */
    this.flying = null;
    /** @type {SavingState} */
    this.state = "saved";
    this.attempt = 0;
    this.timer = 0;
    this.recovered = false;
    /** @type {Set<string>} cells that the server refused */
    this.refused = new Set();
    this.conflicts = new Conflicts(this);
    this.store = new UnsentStore(grid);
    /** @type {(() => void)[]} */
    this.idle = [];
    addEventListener("online", () => this.again());
    addEventListener("beforeunload", (event) => {
      if (this.waiting || this.refused.size) event.preventDefault();
    });
  }

  /** The rows are there (again): show what waits, at first also what was not sent when this page was last open. */
  recover() {
    if (!this.recovered) for (const gesture of this.store.take()) this.queue.push({ gesture, done: () => {} });
    this.recovered = true;
    for (const gesture of this.all()) for (const edit of gesture.edits) this.show(edit);
    this.pump();
  }

  /** @returns {number} cells and rows that the server does not have yet */
  get waiting() {
    const all = [...this.queue, ...(this.flying ? [this.flying] : [])];
    return all.reduce((sum, { gesture }) => sum + gesture.edits.length + gesture.create.length + gesture.remove.length, this.conflicts.list.length);
  }

  /** @param {Gesture} gesture @returns {Promise<any>} the answer; null when it was refused */
  add(gesture) {
    if (gesture.create.length || gesture.remove.length) gesture.key ??= randomId();
    for (const edit of gesture.edits) {
      this.conflicts.replace(edit);
      // Written over what this page has not sent yet: no newer value of the server's was seen in between.
      const pending = this.pending(edit);
      if (pending) edit.revision = Math.min(edit.revision, pending.revision);
      this.refused.delete(this.grid.marks.key(edit.id, edit.field));
      this.grid.marks.unmark(edit.id, edit.field, "is-refused");
      this.show(edit);
    }
    return new Promise((done) => {
      this.queue.push({ gesture, done });
      this.store.save(this.all());
      this.pump();
    });
  }

  /** @returns {Gesture[]} */
  all() {
    const open = this.conflicts.list.map(({ edit }) => ({ why: "edit", edits: [edit], create: [], remove: [] }));
    return [...open, ...[...(this.flying ? [this.flying] : []), ...this.queue].map(({ gesture }) => gesture)];
  }

  /** Put an edit into its row, before the server has it. @param {Edit} edit */
  show(edit) {
    const item = this.grid.rows.byId.get(edit.id);
    const column = this.grid.column(edit.field);
    if (!item || !column) return;
    const read = edit.text === undefined ? { value: edit.value } : this.grid.values.read(column, edit.text);
    if ("value" in read) {
      item[edit.field] = read.value;
      this.grid.marks.type(edit.id, edit.field, null);
    } else this.grid.marks.type(edit.id, edit.field, edit.text ?? "");
    this.grid.repaint(edit.id);
  }

  /** @param {number} id @param {string} field @returns {boolean} true while a newer value than the server's is shown */
  holds(id, field) {
    if (!this.flying && !this.queue.length && !this.conflicts.list.length) return false;
    const has = (/** @type {Waiting | null} */ waiting) => waiting?.gesture.edits.some((edit) => edit.id === id && edit.field === field) ?? false;
    return has(this.flying) || this.queue.some(has) || this.conflicts.holds(id, field);
  }

  /** @param {Edit} edit @returns {Edit | null} the newest one of the same cell that the server has not taken yet */
  pending({ id, field }) {
    const waiting = [...(this.flying ? [this.flying] : []), ...this.queue].flatMap(({ gesture }) => gesture.edits);
    return waiting.findLast((edit) => edit.id === id && edit.field === field) ?? null;
  }

  /** @returns {Promise<void>} when everything is sent; at once while the server is away */
  flush() {
    if (!this.flying && !this.queue.length) return Promise.resolve();
    this.again();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  again() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.pump();
  }

  /** Send the next batch, if nothing is on its way. */
  pump() {
    if (this.flying || this.timer || !this.queue.length || this.conflicts.isAsking) {
      this.tell();
      return;
    }
    this.flying = this.next();
    this.tell();
    this.send(this.flying);
  }

  /** The next gesture, with the single edits that came after it: they go together. @returns {Waiting} */
  next() {
    const first = /** @type {Waiting} */ (this.queue.shift());
    const merged = [first];
    const single = (/** @type {Waiting} */ waiting) => waiting.gesture.why === "edit" && !waiting.gesture.key;
    while (single(first) && this.queue.length && single(this.queue[0]) && merged.length < MOST_ITEMS) {
      const [next] = this.queue;
      // One row is named once in a batch, with the revision that was seen: another one waits for the next batch. So does
      // what was typed over a cell whose answer was lost: if that was written, it is no longer what was seen.
      const clash = next.gesture.edits.some((edit) =>
        merged.some(({ gesture }) => gesture.edits.some((old) => old.id === edit.id && (old.revision !== edit.revision || (gesture.tried && old.field === edit.field)))),
      );
      if (clash) break;
      merged.push(/** @type {Waiting} */ (this.queue.shift()));
    }
    if (merged.length === 1) return first;
    /** @type {Map<string, Edit>} */
    const edits = new Map();
    for (const { gesture } of merged) for (const edit of gesture.edits) edits.set(`${edit.id}/${edit.field}`, edit);
    return {
      gesture: { why: "edit", edits: [...edits.values()], create: [], remove: [] },
      done: (answer) => {
        for (const { done } of merged) done(answer);
      },
    };
  }

  /** @param {Gesture} gesture @returns {{body: any, ids: number[]}} ids: the rows by their number in the request */
  bodyOf(gesture) {
    /** @type {Map<number, any>} */
    const items = new Map();
    for (const edit of gesture.edits) {
      const item = items.get(edit.id) ?? { id: edit.id, revision: edit.revision, fields: {}, texts: {} };
      item.revision = Math.min(item.revision, edit.revision);
      delete item.fields[edit.field];
      delete item.texts[edit.field];
      if (edit.text === undefined) item.fields[edit.field] = edit.value;
      else item.texts[edit.field] = edit.text;
      items.set(edit.id, item);
    }
    const body = { items: [...items.values()], create: gesture.create, delete: gesture.remove, on_conflict: "fail", since: this.grid.seq, key: gesture.key };
    return { body, ids: [...items.keys()] };
  }

  /** @param {Waiting} waiting */
  async send(waiting) {
    const { body, ids } = this.bodyOf(waiting.gesture);
    if (!waiting.gesture.tried) {
      waiting.gesture.tried = true;
      this.store.save(this.all());
    }
    let status = 0;
    let answer = /** @type {any} */ ({});
    try {
      const response = await request(`${this.grid.url}batch/`, { method: "POST", json: body });
      status = response.redirected ? 401 : response.status;
      answer = await bodyOf(response);
    } catch {
      status = 0; // no answer: the network, or the server is down
    }
    if (AWAY.has(status) || status >= 500) {
      this.away(waiting, status);
      return;
    }
    this.flying = null;
    this.attempt = 0;
    if (status < 300) this.accept(waiting, answer);
    else if (status === 409 && answer.details?.conflicts) this.conflicts.ask(waiting, answer.details.conflicts);
    else this.refuse(waiting, ids, answer, status);
    this.store.save(this.all());
    this.pump();
  }

  /** @param {Waiting} waiting @param {number} status */
  away(waiting, status) {
    this.flying = null;
    this.queue.unshift(waiting);
    const why = status === 401 ? gettext("Not saved yet: log in again in another tab.") : gettext("Not saved yet: the server does not answer. It is sent again by itself.");
    for (const { gesture } of this.queue) for (const edit of gesture.edits) this.grid.marks.mark(edit.id, edit.field, "is-unsent", why);
    this.attempt += 1;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.attempt - 1));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.again(), wait * (0.8 + Math.random() * 0.4));
    this.tell();
  }

  /** @param {Waiting} waiting @param {any} answer */
  accept({ gesture, done }, answer) {
    const revisions = this.revisions(answer);
    for (const edit of gesture.edits) {
      this.grid.marks.unmark(edit.id, edit.field, "is-unsent");
      this.grid.marks.type(edit.id, edit.field, null);
      // A second try writes nothing and so tells no row: what it wrote at the first try came with the changes.
      const revision = revisions.get(edit.id) ?? this.grid.rows.byId.get(edit.id)?.revision;
      // Our own change is not somebody else's: what waits for the same cell, or is being typed into it, builds on it.
      if (revision !== undefined) this.grid.input.builtOn(edit.id, edit.field, revision);
      for (const { gesture: later } of this.queue) {
        for (const next of later.edits) if (next.id === edit.id && next.field === edit.field) next.revision = revision ?? next.revision;
      }
    }
    if (answer.changes) this.grid.deltas.apply(answer.changes);
    done(answer);
  }

  /** @param {any} answer @returns {Map<number, number>} */
  revisions(answer) {
    const found = new Map();
    for (const row of answer.results ?? []) found.set(row.id, row.revision);
    const { id = [], revision = [] } = answer.changes?.rows ?? {};
    for (const [index, one] of id.entries()) found.set(one, revision[index]);
    return found;
  }

  /**
   * The server would not take some cells: they are marked and keep what was typed; the rest is sent again.
   * @param {Waiting} waiting @param {number[]} ids @param {any} answer @param {number} status
   */
  refuse({ gesture, done }, ids, answer, status) {
    /** @type {Record<string, Record<string, string[]>>} */
    const fields = answer.fields ?? {};
    const bad = new Map();
    const gone = new Set();
    for (const [number, messages] of Object.entries(fields)) {
      const id = ids[Number(number)];
      if (id === undefined || typeof messages !== "object") continue;
      if (messages.id) gone.add(id); // removed meanwhile: there is nothing to write to
      for (const [field, texts] of Object.entries(messages)) bad.set(`${id}/${field}`, [texts].flat().join(" "));
    }
    const general = answer.message || (status === 403 ? gettext("You may not change this.") : gettext("That did not work."));
    for (const id of answer.details?.locked ?? []) bad.set(`${id}/scene`, general);
    const some = gone.size > 0 || gesture.edits.some((edit) => bad.has(`${edit.id}/${edit.field}`));
    /** @type {Edit[]} */
    const rest = [];
    for (const edit of gesture.edits.filter(({ id }) => !gone.has(id))) {
      const why = some ? bad.get(`${edit.id}/${edit.field}`) : general;
      if (why === undefined) rest.push(edit);
      else this.mark(edit, why);
    }
    const created = Object.keys(fields).some((number) => number.startsWith("create."));
    if (created) for (const edit of rest.splice(0)) this.mark(edit, general); // they went together: none was saved
    if (some && !created && (rest.length || gesture.create.length || gesture.remove.length)) this.queue.unshift({ gesture: { ...gesture, edits: rest }, done });
    else done(null);
    const texts = [...new Set([...bad.values(), ...createErrors(fields)])].slice(0, 3);
    const marked = gesture.edits.length - rest.length;
    const left = fill(ngettext("%(n)s cell was not saved: it is marked.", "%(n)s cells were not saved: they are marked.", marked), { n: marked });
    const told = some && !created && !answer.details?.locked && marked ? left : general; // the rest is sent again
    toast([told, ...texts.filter((text) => text !== told)].join("\n"), "error");
    this.grid.deltas.fetch();
  }

  /** @param {Edit} edit @param {string} why */
  mark(edit, why) {
    const column = this.grid.column(edit.field);
    const text = edit.text ?? (column ? this.grid.values.text(column, edit.value) : String(edit.value));
    this.refused.add(this.grid.marks.key(edit.id, edit.field));
    this.grid.marks.unmark(edit.id, edit.field, "is-unsent");
    this.grid.marks.type(edit.id, edit.field, text);
    this.grid.marks.mark(edit.id, edit.field, "is-refused", why);
  }

  tell() {
    /** @type {SavingState} */
    let state = "saved";
    if (this.conflicts.list.length) state = "conflict";
    else if (this.timer) state = "offline";
    else if (this.flying || this.queue.length) state = "saving";
    else if (this.refused.size) state = "error";
    this.state = state;
    this.grid.tell("saving", { state, waiting: this.waiting });
    if (this.flying || (this.queue.length && !this.timer)) return;
    this.store.save(this.all());
    for (const resolve of this.idle.splice(0)) resolve();
  }

  /** @returns {string} what the indicator says */
  words() {
    const n = this.waiting;
    return {
      saved: gettext("Saved"),
      saving: gettext("Saving"),
      offline: fill(ngettext("%(n)s edit waits for the connection", "%(n)s edits wait for the connection", n), { n }),
      conflict: gettext("Somebody else changed the same cell: choose"),
      error: fill(ngettext("%(n)s cell needs a correction", "%(n)s cells need a correction", this.refused.size), { n: this.refused.size }),
    }[this.state];
  }
}

/** @param {Record<string, Record<string, string[]>>} fields @returns {string[]} what is wrong with new rows */
function createErrors(fields) {
  return Object.entries(fields).filter(([key]) => key.startsWith("create.")).flatMap(([, messages]) => Object.values(messages).flat().map(String));
}
