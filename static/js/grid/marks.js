// What is marked on cells (not sent yet, refused, somebody is there) and what was typed but not taken.

export class Marks {
  /** @param {(id: number) => void} repaint */
  constructor(repaint) {
    this.repaint = repaint;
    /** @type {Map<string, Map<string, string>>} cell -> class -> title */
    this.classes = new Map();
    /** @type {Map<string, string>} cell -> text as typed, shown in place of the value */
    this.texts = new Map();
  }

  /** @param {number} id @param {string} field */
  key(id, field) {
    return `${id}/${field}`;
  }

  /** @param {number} id @param {string} field @param {string} className @param {string} [title] */
  mark(id, field, className, title = "") {
    const key = this.key(id, field);
    const classes = this.classes.get(key) ?? new Map();
    if (classes.get(className) === title) return;
    classes.set(className, title);
    this.classes.set(key, classes);
    this.repaint(id);
  }

  /** @param {number} id @param {string} field @param {string} className */
  unmark(id, field, className) {
    const key = this.key(id, field);
    const classes = this.classes.get(key);
    if (!classes?.delete(className)) return;
    if (!classes.size) this.classes.delete(key);
    this.repaint(id);
  }

  /** @param {number} id @param {string} field @param {string | null} text null: the value is shown again */
  type(id, field, text) {
    const key = this.key(id, field);
    if (text === null ? !this.texts.delete(key) : this.texts.get(key) === text) return;
    if (text !== null) this.texts.set(key, text);
    this.repaint(id);
  }

  /** @param {number} id @param {string} field @returns {string | undefined} */
  typed(id, field) {
    return this.texts.size ? this.texts.get(this.key(id, field)) : undefined;
  }

  /** @param {number} id @param {string} field @returns {{className: string, title: string} | null} */
  of(id, field) {
    const classes = this.classes.size ? this.classes.get(this.key(id, field)) : undefined;
    if (!classes) return null;
    return { className: [...classes.keys()].join(" "), title: [...classes.values()].filter(Boolean).join("\n") };
  }
}
