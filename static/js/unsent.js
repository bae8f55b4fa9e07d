// Cell edits that could not be sent: kept for this tab, shown as unsaved, sent again until the server answers.

import { gettext } from "./i18n.js";

const TRY_EVERY = 2000;

/** @typedef {{row: string, field: string, value: string, revision: string}} Edit */

export class UnsentEdits {
  /**
   * @param {(edit: Edit) => Promise<boolean>} send resolves to true once the server has answered, whatever it said
   * @param {(edit: Edit) => Element | null} find the cell of an edit, when it is on the page
   */
  constructor(send, find) {
    this.send = send;
    this.find = find;
    this.name = `aip-unsent:${location.pathname}`;
    this.trying = false;
    this.timer = 0;
    /** @type {Map<string, Edit>} */
    this.edits = new Map();
    for (const edit of this.stored()) this.edits.set(`${edit.row}/${edit.field}`, edit);
    addEventListener("beforeunload", (event) => {
      if (this.edits.size) event.preventDefault();
    });
    this.show();
    this.later();
  }

  /** @returns {Edit[]} */
  stored() {
    try {
      return JSON.parse(sessionStorage.getItem(this.name) ?? "[]");
    } catch {
      return []; // storage is switched off: edits live as long as the page
    }
  }

  store() {
    try {
      if (this.edits.size) sessionStorage.setItem(this.name, JSON.stringify([...this.edits.values()]));
      else sessionStorage.removeItem(this.name);
    } catch {
      // The same: without storage nothing outlives the page.
    }
  }

  /** A later edit of the same cell takes the place of the earlier one, but keeps the revision that was read. @param {Edit} edit */
  keep(edit) {
    const key = `${edit.row}/${edit.field}`;
    this.edits.set(key, { ...edit, revision: this.edits.get(key)?.revision ?? edit.revision });
    this.store();
    this.show();
    this.later();
  }

  /** After any swap the cells may be new elements with the server's older text. */
  show() {
    for (const edit of this.edits.values()) {
      const cell = this.find(edit);
      if (!(cell instanceof HTMLElement) || cell.classList.contains("is-editing")) continue;
      cell.classList.add("is-unsent");
      cell.title = gettext("Not saved yet: the server does not answer. It is sent again by itself.");
      const place = cell.querySelector("[data-text]") ?? cell;
      if (place !== cell || cell.childElementCount === 0) place.textContent = edit.value;
    }
  }

  later() {
    clearTimeout(this.timer);
    if (this.edits.size) this.timer = setTimeout(() => this.tryAll(), TRY_EVERY);
  }

  async tryAll() {
    if (this.trying) return;
    this.trying = true;
    for (const [key, edit] of [...this.edits]) {
      if (!(await this.send(edit))) break;
      if (this.edits.get(key) === edit) this.edits.delete(key);
      this.find(edit)?.classList.remove("is-unsent");
      this.store();
    }
    this.trying = false;
    this.later();
  }
}
