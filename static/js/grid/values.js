// The values of cells: how they read as text, how they compare, and what a typed text means.

import { fill, gettext } from "../i18n.js";
import { parseLength, timecode } from "../timecode.js";

/** @typedef {import("./stream.js").Column} Column */
/** @typedef {import("./stream.js").Option} Option */

// As the server reads them (aipipeline/tables/cells.py), which has the last word.
const YES = new Set(["true", "yes", "y", "1", "x", "✓", "✔", "☑", "o", "예", "네", "참"]);
const NO = new Set(["false", "no", "n", "0", "☐", "아니오", "아니요", "거짓"]);
const collator = new Intl.Collator(["ko", "en"], { numeric: true, sensitivity: "base" });

/** Text as it is compared. @param {unknown} text @returns {string} */
export function folded(text) {
  return String(text ?? "").normalize("NFC").toLowerCase();
}

/** Everything that reading a value needs: the options by key, the rate, how lengths are shown. */
export class Values {
  /** @param {Record<string, Option[]>} options @param {import("../timecode.js").Rate} rate */
  constructor(options, rate) {
    this.rate = rate;
    /** @type {"timecode" | "frames" | "seconds"} */
    this.duration = "timecode";
    this.setOptions(options);
  }

  /** @param {Record<string, Option[]>} options */
  setOptions(options) {
    this.options = options;
    /** @type {Map<string, Map<string, {option: Option, order: number}>>} */
    this.index = new Map();
    for (const [key, list] of Object.entries(options)) {
      this.index.set(key, new Map(list.map((option, order) => [String(option.id), { option, order }])));
    }
  }

  /** @param {Column} column @param {unknown} id @returns {Option | null} */
  option(column, id) {
    return this.index.get(column.options)?.get(String(id))?.option ?? null;
  }

  /** @param {Column} column @param {unknown} id @returns {string} */
  label(column, id) {
    if (id === null || id === undefined || id === "") return "";
    return this.option(column, id)?.label ?? String(id);
  }

  /** The text of a cell, as it is copied and searched. @param {Column} column @param {any} value @returns {string} */
  text(column, value) {
    if (value === null || value === undefined || value === "") return "";
    switch (column.type) {
      case "duration":
        return this.length(value);
      case "choice":
      case "status":
      case "person":
      case "reference":
        return this.label(column, value);
      case "references":
        return joinNames(value.map((/** @type {unknown} */ id) => this.label(column, id)));
      case "tick":
        return value ? gettext("Yes") : gettext("No");
      default:
        return String(value);
    }
  }

  /** A length as this view shows it. @param {number} frames */
  length(frames) {
    if (this.duration === "frames") return String(frames);
    if (this.duration === "timecode") return timecode(frames, this.rate);
    const hundredths = Math.round((frames * this.rate.den * 100) / this.rate.num);
    return `${String(Math.floor(hundredths / 100))}${hundredths % 100 ? `.${String(hundredths % 100).padStart(2, "0").replace(/0$/, "")}` : ""}s`;
  }

  /** @param {Column} column @returns {(a: any, b: any) => number} empty values come last in either direction */
  comparer(column) {
    const order = this.index.get(column.options);
    if (["number", "duration"].includes(column.type)) return (a, b) => a - b;
    if (column.type === "tick") return (a, b) => Number(a) - Number(b);
    if (order && column.type !== "references") {
      return (a, b) => (order.get(String(a))?.order ?? 1e9) - (order.get(String(b))?.order ?? 1e9);
    }
    if (column.type === "references") return (a, b) => collator.compare(this.text(column, a), this.text(column, b));
    return (a, b) => collator.compare(a, b);
  }

  /**
   * What a typed or pasted text means, as far as this page can tell.
   * @param {Column} column @param {string} typed
   * @returns {{value: any} | {why: string}} why: what is wrong with it
   */
  read(column, typed) {
    const text = typed.normalize("NFC").trim();
    if (text === "") return { value: emptyValue(column) };
    switch (column.type) {
      case "number":
        return this.number(column, text);
      case "duration": {
        const frames = parseLength(text, this.rate);
        return frames === null ? { why: gettext("Write a length as frames (72), seconds (3s) or timecode (00:00:03:00).") } : { value: frames };
      }
      case "choice":
      case "status":
      case "person":
      case "reference": {
        const option = this.find(column, text);
        return option ? { value: option.id } : { why: fill(gettext("There is no “%(text)s” to choose."), { text }) };
      }
      case "references": {
        const found = splitNames(text).map((part) => this.find(column, part) ?? part);
        const missing = found.find((part) => typeof part === "string");
        if (missing) return { why: fill(gettext("There is no “%(text)s” to choose."), { text: String(missing) }) };
        return { value: [...new Set(found.map((option) => /** @type {Option} */ (option).id))] };
      }
      case "tick":
        if (YES.has(folded(text)) || folded(text) === folded(gettext("Yes"))) return { value: true };
        if (NO.has(folded(text)) || folded(text) === folded(gettext("No"))) return { value: false };
        return { why: gettext("Write yes or no.") };
      case "date":
        return readDate(text);
      default:
        return { value: column.type === "long_text" ? typed.normalize("NFC") : text };
    }
  }

  /** @param {Column} column @param {string} text @returns {{value: number} | {why: string}} */
  number(column, text) {
    const plain = text.replace(/[,\s]/g, "");
    const value = Number(plain);
    if (plain === "" || !Number.isFinite(value)) return { why: gettext("Write a number.") };
    if (column.minimum !== null && value < column.minimum) return { why: fill(gettext("At least %(n)s."), { n: column.minimum }) };
    if (column.maximum !== null && value > column.maximum) return { why: fill(gettext("At most %(n)s."), { n: column.maximum }) };
    return { value };
  }

  /** @param {Column} column @param {string} text @returns {Option | null} by key or label, whatever the case */
  find(column, text) {
    const wanted = folded(text);
    const list = this.options[column.options] ?? [];
    return list.find((option) => folded(option.label) === wanted) ?? list.find((option) => folded(option.id) === wanted) ?? null;
  }
}

/** Names in one text; one that holds a sign that splits names stands in quotes. @param {string[]} names @returns {string} */
export function joinNames(names) {
  return names.map((name) => (/^"|[,;，、\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)).join(", ");
}

/** The opposite: those in quotes whole, empty ones passed over. @param {string} text @returns {string[]} */
export function splitNames(text) {
  const found = text.matchAll(/[^\S\n]*"((?:[^"]|"")*)"[^\S\n]*(?:[,;，、\n]|$)|([^,;，、\n]+)/g);
  return Array.from(found, ([, quoted, plain]) => (quoted?.replaceAll('""', '"') ?? plain).trim()).filter(Boolean);
}

/** @param {Column} column @returns {any} */
export function emptyValue(column) {
  if (column.type === "references") return [];
  return ["text", "long_text", "link", "code"].includes(column.type) ? "" : null;
}

/** @param {Column} column @returns {boolean} true when a cell may hold nothing */
export function mayBeEmpty(column) {
  return !column.required && (column.nullable !== false || column.type === "references" || typeof emptyValue(column) === "string");
}

/** @param {any} value @returns {boolean} */
export function isEmpty(value) {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** @param {any} a @param {any} b @returns {boolean} */
export function sameValue(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, index) => value === b[index]);
  return (a ?? "") === (b ?? "");
}

/** @param {string} text @returns {{value: string} | {why: string}} */
function readDate(text) {
  const found = /^(\d{4})[-./년]\s*(\d{1,2})[-./월]\s*(\d{1,2})[일.]?$/.exec(text);
  const [year, month, day] = found ? found.slice(1).map(Number) : [0, 0, 0];
  const date = new Date(Date.UTC(year, month - 1, day));
  if (!found || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return { why: gettext("Write a date as 2026-11-25.") };
  return { value: date.toISOString().slice(0, 10) };
}

/** Cell texts that this page writes as values, not as texts that the server reads. @param {Column} column */
export function isTyped(column) {
  return ["text", "long_text", "number", "duration", "link"].includes(column.type);
}
