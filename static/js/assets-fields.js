// A row whose fields save themselves one by one: [data-autosave="API address"][data-revision], with [data-field]s in it.
//
// Each PATCH carries the revision at which its field was read. When somebody else changed the same field meanwhile
// (409), both values are shown and the person chooses; other fields merge. What could not be sent is sent again.

import { controlOf, wordsOf } from "./assets-control.js";
import { chooseValue } from "./conflict.js";
import { gettext } from "./i18n.js";
import { toast } from "./toast.js";
import { onElements, request } from "./util.js";

const PAUSE = 700;
const TRY_AGAIN = 2000;

/**
 * @typedef {object} Field
 * @property {string} name @property {HTMLElement} holder @property {import("./assets-control.js").Control} control
 * @property {string} base the JSON of what the server has @property {boolean} dirty @property {number} seen @property {number} timer
 */

export class FieldSet {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.url = root.dataset.autosave ?? "";
    /** @type {Map<string, Field>} */
    this.fields = new Map();
    this.queue = Promise.resolve();
    this.waiting = 0;
    const id = root.id;
    // Fields of a form may stand outside it, as the name in the page's head does.
    const outside = id ? [...document.querySelectorAll(`[form="${CSS.escape(id)}"]`)] : [];
    const holders = [...root.querySelectorAll("[data-field]"), ...outside.map((element) => element.closest("[data-field]"))];
    for (const holder of holders) if (holder instanceof HTMLElement) this.watch(holder);
    root.addEventListener("submit", (event) => event.preventDefault());
    sets.add(this);
  }

  get revision() {
    return Number(this.root.dataset.revision ?? 0);
  }

  set revision(value) {
    this.root.dataset.revision = String(value);
  }

  get dirty() {
    return [...this.fields.values()].some((field) => field.dirty);
  }

  /** @param {HTMLElement} holder */
  watch(holder) {
    const control = controlOf(holder);
    if (!control) return;
    const name = holder.dataset.field ?? "";
    /** @type {Field} */
    const field = { name, holder, control, base: JSON.stringify(control.read()), dirty: false, seen: 0, timer: 0 };
    this.fields.set(name, field);
    // What a person sees when they come to a field is what they change: an edit by others from then on is a conflict.
    holder.addEventListener("focusin", (event) => {
      if (field.dirty || holder.contains(/** @type {Node | null} */ (event.relatedTarget))) return;
      field.base = JSON.stringify(control.read());
      field.seen = this.revision;
    });
    holder.addEventListener("input", (event) => {
      if (/** @type {InputEvent} */ (event).isComposing) return;
      this.typed(field);
    });
    holder.addEventListener("compositionend", () => this.typed(field));
    holder.addEventListener("change", () => {
      this.typed(field);
      this.save(field);
    });
    holder.addEventListener("focusout", (event) => {
      if (!holder.contains(/** @type {Node | null} */ (event.relatedTarget))) this.save(field);
    });
    holder.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target instanceof HTMLInputElement && !event.isComposing) this.save(field);
    });
  }

  /** @param {Field} field */
  typed(field) {
    if (!field.dirty && !isTyped(field)) field.seen = this.revision;
    field.dirty = JSON.stringify(field.control.read()) !== field.base;
    tell(field.holder, "aip:field", { name: field.name, set: this });
    clearTimeout(field.timer);
    if (field.dirty) {
      showState("editing");
      field.timer = setTimeout(() => this.save(field), field.control.immediate ? 0 : PAUSE);
    } else {
      this.error(field, "");
      showState("saved");
    }
  }

  /** Send one field after those that are on their way. @param {Field} field @returns {Promise<void>} */
  save(field) {
    clearTimeout(field.timer);
    if (!field.dirty) return Promise.resolve();
    this.queue = this.queue.then(() => this.send(field));
    return this.queue;
  }

  /** Set and save a field from a script. @param {string} name @param {any} value */
  put(name, value) {
    const field = this.fields.get(name);
    if (!field) return;
    field.control.write(value);
    this.typed(field);
    this.save(field);
  }

  /** @param {Field} field */
  async send(field) {
    const value = field.control.read();
    if (!field.dirty || !this.root.isConnected) return;
    if (value === undefined) {
      this.error(field, gettext("A number is needed."));
      return;
    }
    showState("saving");
    let response;
    try {
      response = await request(this.url, { method: "PATCH", json: { [field.name]: value, revision: field.seen } });
    } catch {
      this.later(field);
      return;
    }
    if (response.status >= 500 || response.status === 429) {
      this.later(field);
      return;
    }
    const body = await response.json().catch(() => ({}));
    if (response.ok) {
      field.base = JSON.stringify(field.name in body ? body[field.name] : value);
      field.dirty = JSON.stringify(field.control.read()) !== JSON.stringify(value);
      if (!field.dirty && field.name in body && JSON.stringify(value) !== field.base && !isTyped(field)) {
        field.control.write(body[field.name]); // as the server cleaned it
      }
      this.absorb(body);
      field.seen = this.revision;
      this.error(field, "");
      if (field.dirty) this.typed(field);
    } else if (response.status === 409 && body.details?.current && field.name in body.details.current) {
      await this.choose(field, value, body.details);
    } else {
      const [words] = Object.values(body.fields ?? {}).flat();
      this.error(field, response.status === 422 && words ? String(words) : String(body.message ?? gettext("Not saved.")));
    }
    showState(anyDirty() ? "editing" : "saved");
  }

  /** @param {Field} field @param {any} mine @param {{revision: number, current: Record<string, any>}} details */
  async choose(field, mine, details) {
    const theirs = details.current[field.name];
    const label = field.holder.dataset.label ?? field.name;
    const keep = await chooseValue(label, wordsOf(field.holder, mine), wordsOf(field.holder, theirs));
    field.seen = details.revision;
    if (keep) {
      await this.send(field);
      return;
    }
    field.control.write(theirs);
    field.base = JSON.stringify(theirs);
    field.dirty = false;
    this.error(field, "");
    tell(field.holder, "aip:field", { name: field.name, set: this });
    await this.reload();
  }

  /** @param {Field} field */
  later(field) {
    showState("waiting");
    clearTimeout(field.timer);
    field.timer = setTimeout(() => this.save(field), TRY_AGAIN);
  }

  /** Take the server's values into every field that nobody writes in. @param {Record<string, any>} body */
  absorb(body) {
    if (typeof body.revision === "number") this.revision = Math.max(this.revision, body.revision);
    for (const field of this.fields.values()) {
      if (!(field.name in body) || field.dirty) continue;
      if (isTyped(field)) continue;
      field.base = JSON.stringify(body[field.name]);
      if (JSON.stringify(field.control.read()) !== field.base) field.control.write(body[field.name]);
    }
    for (const place of this.root.querySelectorAll("[data-answer]")) {
      const value = body[/** @type {HTMLElement} */ (place).dataset.answer ?? ""];
      if (typeof value === "number") place.textContent = value.toFixed(2);
    }
    tell(this.root, "aip:row", { row: body, set: this });
  }

  /** Read the row anew: after an undo, or when a colleague changed it. */
  async reload() {
    try {
      const response = await request(this.url);
      if (response.ok) this.absorb(await response.json());
      else if (response.status === 404) toast(gettext("This is not there any more."), "warning");
    } catch {
      // Away: the next event, or the next save, finds it again.
    }
  }

  /** @param {Field} field @param {string} message */
  error(field, message) {
    const place = field.holder.querySelector("[data-field-error]");
    if (place) place.textContent = message;
    for (const control of field.holder.querySelectorAll("[data-control], [data-outfit]")) {
      if (message) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    if (message) showState("error");
  }
}

/** @type {Set<FieldSet>} */
const sets = new Set();

/** @returns {FieldSet[]} those on the page */
export function fieldSets() {
  for (const set of sets) if (!set.root.isConnected) sets.delete(set);
  return [...sets];
}

/** @param {Field} field true while a person is in it */
function isTyped(field) {
  return field.holder.contains(document.activeElement);
}

function anyDirty() {
  return fieldSets().some((set) => set.dirty);
}

/** @param {Element} element @param {string} type @param {object} detail */
function tell(element, type, detail) {
  element.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
}

/** @param {"saved" | "editing" | "saving" | "waiting" | "error"} state */
function showState(state) {
  const words = {
    saved: gettext("Saved"),
    editing: gettext("Editing"),
    saving: gettext("Saving…"),
    waiting: gettext("Not saved yet: the server does not answer. It is sent again by itself."),
    error: gettext("Not saved"),
  };
  for (const place of document.querySelectorAll("[data-save-state]")) {
    place.setAttribute("data-state", state);
    if (place.textContent !== words[state]) place.textContent = words[state];
  }
}

export function startFields() {
  onElements("[data-autosave]", (element) => new FieldSet(element));
  addEventListener("beforeunload", (event) => {
    if (anyDirty()) event.preventDefault();
  });
  document.addEventListener("aip:changed", () => {
    for (const set of fieldSets()) set.reload();
  });
  document.addEventListener("aip:live-event", (message) => {
    const { event } = /** @type {CustomEvent} */ (message).detail;
    for (const set of fieldSets()) {
      const { id, event: type } = set.root.dataset;
      const revision = id && event.type === type ? event.revisions?.[id] : undefined;
      if (typeof revision === "number" && revision > set.revision) set.reload();
    }
  });
}
