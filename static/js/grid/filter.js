// Filters and searches of rows. One meaning with aipipeline/tables/filters.py: the same file of cases proves both.

import { isEmpty } from "./values.js";

/** @typedef {import("./stream.js").Item} Item */
/** @typedef {import("./stream.js").Column} Column */
/** @typedef {{field: string, op: string, value?: any}} Condition */
/** @typedef {{and: Node[]} | {or: Node[]} | Condition} Node */
/** @typedef {(item: any) => boolean} Test */

export const MAX_DEPTH = 5;
export const MAX_CONDITIONS = 50;

const EMPTY = ["empty", "not_empty"];
const TEXT_OPS = ["contains", "not_contains", "is", "is_not", "starts", ...EMPTY];
const ORDER_OPS = ["is", "is_not", "lt", "le", "gt", "ge", ...EMPTY];
const ONE_OPS = ["is", "is_not", "any_of", "none_of", ...EMPTY];

/** @type {Record<string, string[]>} operators by column type */
export const OPS = {
  text: TEXT_OPS, long_text: TEXT_OPS, link: TEXT_OPS, code: TEXT_OPS,
  number: ORDER_OPS, duration: ORDER_OPS, date: ORDER_OPS,
  choice: ONE_OPS, status: ONE_OPS, person: ONE_OPS, reference: ONE_OPS,
  references: ["has_any", "has_all", "has_none", ...EMPTY],
  tick: ["is"],
  image: EMPTY,
};
const TEXTS = new Set(["text", "long_text", "link", "code"]);
const NOT_SEARCHED = new Set(["image", "tick"]);
// What Unicode's case folding does and lower case does not: ß, long s, the final sigma, ligatures, Armenian ligature.
const UNFOLDED = /[ßſςŉǰΐΰև\ufb00-\ufb06\ufb13-\ufb17]/g;
/** @type {Record<string, string>} */
const FOLDS = { "ß": "ss", "ſ": "s", "ς": "σ", "ŉ": "ʼn", "ǰ": "ǰ".normalize("NFD"), "ΐ": "ΐ".normalize("NFD"), "ΰ": "ΰ".normalize("NFD"), "և": "եւ" };
// Python's white space; JavaScript's \s has the byte order mark too, and lacks these controls.
const SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** Text in the form in which it is compared: composed, case folded, spaces evened. @param {unknown} text @returns {string} */
export function folded(text) {
  const lower = String(text).normalize("NFC").toLowerCase().replace(UNFOLDED, (letter) => FOLDS[letter] ?? letter.normalize("NFKC"));
  return lower.split(SPACES).filter(Boolean).join(" ");
}

/** @param {Node} node @returns {Node[] | null} the parts of a group, null for a condition */
export function partsOf(node) {
  if ("and" in node) return node.and;
  return "or" in node ? node.or : null;
}

/**
 * A filter with all that this table does not know taken out (a column that went, an operator of another type).
 * @param {any} node @param {Column[]} columns @returns {Node | null} null when nothing is left
 */
export function wellFormed(node, columns) {
  const known = new Map(columns.map((column) => [column.name, column]));
  let left = MAX_CONDITIONS;
  /** @param {any} part @param {number} depth @returns {Node | null} */
  const clean = (part, depth) => {
    if (!part || typeof part !== "object" || Array.isArray(part) || depth > MAX_DEPTH) return null;
    for (const join of ["and", "or"]) {
      if (!Array.isArray(part[join])) continue;
      const parts = part[join].map((/** @type {any} */ child) => clean(child, depth + 1)).filter(Boolean);
      return parts.length ? /** @type {Node} */ ({ [join]: parts }) : null;
    }
    const column = known.get(part.field);
    if (!column || !OPS[column.type]?.includes(part.op) || left <= 0) return null;
    left -= 1;
    return "value" in part ? { field: part.field, op: part.op, value: part.value } : { field: part.field, op: part.op };
  };
  return clean(node, 1);
}

/** @param {Node | null} node @returns {number} how many conditions it has */
export function countConditions(node) {
  if (!node) return 0;
  const parts = partsOf(node);
  return parts ? parts.reduce((sum, part) => sum + countConditions(part), 0) : 1;
}

/** A test of a row for a filter that is well formed. @param {Node | null} node @param {Column[]} columns @returns {Test} */
export function compileFilter(node, columns) {
  const known = new Map(columns.map((column) => [column.name, column]));
  /** @param {Node} part @returns {Test} */
  const build = (part) => {
    const parts = partsOf(part);
    if (parts) {
      const tests = parts.map(build);
      if ("and" in part) return (item) => tests.every((test) => test(item));
      return (item) => !tests.length || tests.some((test) => test(item));
    }
    const { field, op, value } = /** @type {Condition} */ (part);
    const column = known.get(field);
    if (!column) return () => true;
    const matches = condition(column, op, value);
    return (item) => matches(item[field]);
  };
  return node ? build(node) : () => true;
}

/** @param {Column} column @param {string} op @param {any} value @returns {(cell: any) => boolean} */
function condition(column, op, value) {
  if (op === "empty") return isEmpty;
  if (op === "not_empty") return (cell) => !isEmpty(cell);
  if (TEXTS.has(column.type)) return ofText(op, folded(value ?? ""));
  if (column.type === "tick") return (cell) => Boolean(cell) === Boolean(value);
  if (column.type === "references") return ofList(op, setOf(value));
  if (op === "any_of" || op === "none_of") {
    const wanted = setOf(value);
    return (cell) => wanted.has(cell ?? null) === (op === "any_of");
  }
  return compared(op, value);
}

/** @param {string} op @param {string} wanted @returns {(cell: any) => boolean} */
function ofText(op, wanted) {
  const text = (/** @type {any} */ cell) => folded(cell || "");
  switch (op) {
    case "contains":
      return (cell) => text(cell).includes(wanted);
    case "not_contains":
      return (cell) => !text(cell).includes(wanted);
    case "is":
      return (cell) => text(cell) === wanted;
    case "is_not":
      return (cell) => text(cell) !== wanted;
    default:
      return (cell) => text(cell).startsWith(wanted);
  }
}

/** @param {string} op @param {Set<any>} wanted @returns {(cell: any) => boolean} */
function ofList(op, wanted) {
  const held = (/** @type {any} */ cell) => new Set(cell ?? []);
  if (op === "has_all") {
    return (cell) => {
      const have = held(cell);
      return [...wanted].every((one) => have.has(one));
    };
  }
  const any = (/** @type {any} */ cell) => (cell ?? []).some((/** @type {any} */ one) => wanted.has(one));
  return op === "has_any" ? any : (cell) => !any(cell);
}

/** @param {string} op @param {any} value @returns {(cell: any) => boolean} */
function compared(op, value) {
  if (op === "is") return (cell) => cell === value && !isEmpty(cell);
  if (op === "is_not") return (cell) => (cell ?? null) !== (value ?? null);
  // What is not of one kind is neither before nor after: such a row does not match.
  const alike = (/** @type {any} */ cell) => typeof cell === typeof value && (typeof cell === "number" || typeof cell === "string");
  /** @type {Record<string, (cell: any) => boolean>} */
  const tests = { lt: (cell) => cell < value, le: (cell) => cell <= value, gt: (cell) => cell > value, ge: (cell) => cell >= value };
  const test = tests[op];
  return (cell) => alike(cell) && test(cell);
}

/** @param {any} value @returns {Set<any>} */
function setOf(value) {
  const parts = Array.isArray(value) ? value : [value];
  return new Set(parts.filter((part) => ["string", "number"].includes(typeof part)));
}

/** @param {string} words @returns {string[]} the words that a search looks for */
export function searchWords(words) {
  const text = folded(words);
  return text ? text.split(" ") : [];
}

/**
 * What of a row is searched: its shown texts, hidden columns too, lengths always as timecode.
 * @param {Column[]} columns @param {(column: Column, value: any) => string} shown @returns {(item: any) => string}
 */
export function searchText(columns, shown) {
  const searched = columns.filter(({ type }) => !NOT_SEARCHED.has(type));
  return (item) => searched.map((column) => folded(shown(column, item[column.name]))).join("\n");
}

/**
 * A test whether every word stands somewhere in the row's texts.
 * @param {string} words @param {(item: any) => string} text of `searchText`, perhaps remembered @returns {Test}
 */
export function searchTest(words, text) {
  const wanted = searchWords(words);
  if (!wanted.length) return () => true;
  return (item) => {
    const all = text(item);
    return wanted.every((word) => all.includes(word));
  };
}
