// Cells that somebody else changed since they were read: both values are shown, the person chooses per cell or for all.

import { chooseValues } from "../conflict.js";

/** @typedef {import("./saving.js").Edit} Edit */
/** @typedef {{edit: Edit, revision: number, theirs: any}} Conflict */

export class Conflicts {
  /** @param {import("./saving.js").Saving} saving */
  constructor(saving) {
    this.saving = saving;
    /** @type {Conflict[]} */
    this.list = [];
    this.isAsking = false;
  }

  /** @param {number} id @param {string} field */
  holds(id, field) {
    return this.list.some(({ edit }) => edit.id === id && edit.field === field);
  }

  /** A cell in conflict was written again: the newer text takes the place of the older, and is asked about. @param {Edit} edit */
  replace(edit) {
    const old = this.list.find((conflict) => conflict.edit.id === edit.id && conflict.edit.field === edit.field);
    if (!old) return;
    edit.revision = old.edit.revision;
    this.list = this.list.filter((conflict) => conflict !== old);
    this.saving.grid.marks.unmark(edit.id, edit.field, "is-conflict");
  }

  /**
   * The whole batch was refused because of some cells: the others go out again, these wait for the person.
   * @param {{gesture: import("./saving.js").Gesture, done: (answer: any) => void}} waiting
   * @param {{id: number, revision: number, current: Record<string, any>, yours: Record<string, any>}[]} found
   */
  ask({ gesture, done }, found) {
    /** @type {Edit[]} */
    const rest = [];
    for (const edit of gesture.edits) {
      const conflict = found.find(({ id, current }) => id === edit.id && edit.field in current);
      if (!conflict) rest.push(edit);
      else {
        const newest = this.newest(edit);
        this.list.push({ edit: newest, revision: conflict.revision, theirs: conflict.current[edit.field] });
        this.saving.grid.marks.mark(edit.id, edit.field, "is-conflict");
      }
    }
    if (rest.length || gesture.create.length || gesture.remove.length) this.saving.queue.unshift({ gesture: { ...gesture, edits: rest }, done });
    else done(null);
    queueMicrotask(() => this.settle());
  }

  /**
   * What was typed over a cell while its conflict was on the way: it is what is asked about, and is not sent before.
   * @param {Edit} edit @returns {Edit}
   */
  newest(edit) {
    let found = edit;
    const { queue } = this.saving;
    for (const waiting of queue.slice()) {
      const { gesture } = waiting;
      const later = gesture.edits.filter(({ id, field }) => id === edit.id && field === edit.field);
      if (!later.length) continue;
      found = /** @type {Edit} */ (later.at(-1));
      waiting.gesture = { ...gesture, edits: gesture.edits.filter((other) => !later.includes(other)) };
      if (waiting.gesture.edits.length || gesture.create.length || gesture.remove.length) continue;
      queue.splice(queue.indexOf(waiting), 1);
      waiting.done(null);
    }
    return { ...found, revision: edit.revision };
  }

  /** Show the choice; it can be put off, then the cells stay marked and nothing is lost. */
  async settle() {
    if (this.isAsking || !this.list.length) return;
    this.isAsking = true;
    const { grid } = this.saving;
    const asked = this.list.slice();
    const answers = await chooseValues(
      asked.map(({ edit, theirs }) => {
        const column = grid.column(edit.field);
        const item = grid.rows.byId.get(edit.id);
        const text = (/** @type {any} */ value) => (column ? grid.values.text(column, value) : String(value ?? ""));
        return { row: item?.code ?? item?.name ?? String(edit.id), field: column ? grid.columnSet.label(column) : edit.field, mine: edit.text ?? text(edit.value), theirs: text(theirs) };
      }),
    );
    this.isAsking = false;
    if (answers) this.decide(asked, answers);
    grid.input.focus();
    this.saving.pump();
  }

  /** @param {Conflict[]} asked @param {("mine" | "theirs")[]} answers */
  decide(asked, answers) {
    const { grid } = this.saving;
    this.list = this.list.filter((conflict) => !asked.includes(conflict));
    /** @type {Edit[]} */
    const mine = [];
    for (const [index, { edit, revision, theirs }] of asked.entries()) {
      grid.marks.unmark(edit.id, edit.field, "is-conflict");
      if (answers[index] === "mine") mine.push({ ...edit, revision });
      else {
        const item = grid.rows.byId.get(edit.id);
        if (item) item[edit.field] = theirs;
        grid.marks.type(edit.id, edit.field, null);
        grid.repaint(edit.id);
      }
    }
    if (mine.length) this.saving.add({ why: "conflict", edits: mine, create: [], remove: [] });
    grid.deltas.fetch();
  }
}
