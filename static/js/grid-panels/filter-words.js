// A condition in words, and what its value is when a person has just chosen column and operator.

import { partsOf } from "../grid/filter.js";
import { gettext } from "../i18n.js";

/** @typedef {import("../grid/stream.js").Column} Column */
/** @typedef {import("../grid/filter.js").Node} Node */
/** @typedef {import("../grid/filter.js").Condition} Condition */

const ONE_OF = new Set(["choice", "status", "person", "reference"]);

/** @param {string} type of a column @param {string} op @returns {string} */
export function opWord(type, op) {
  if (type === "date") {
    const words = { is: gettext("is on"), is_not: gettext("is not on"), lt: gettext("is before"), le: gettext("is at the latest"), gt: gettext("is after"), ge: gettext("is at the earliest") };
    if (op in words) return words[/** @type {keyof typeof words} */ (op)];
  }
  /** @type {Record<string, string>} */
  const words = {
    contains: gettext("contains"), not_contains: gettext("does not contain"), is: gettext("is"), is_not: gettext("is not"), starts: gettext("begins with"),
    empty: gettext("is empty"), not_empty: gettext("is not empty"), lt: "<", le: "≤", gt: ">", ge: "≥",
    any_of: gettext("is one of"), none_of: gettext("is none of"), has_any: gettext("has one of"), has_all: gettext("has all of"), has_none: gettext("has none of"),
  };
  return words[op] ?? op;
}

/** @param {string} op */
export function takesNothing(op) {
  return op === "empty" || op === "not_empty";
}

/** @param {string} op */
export function takesSeveral(op) {
  return ["any_of", "none_of", "has_any", "has_all", "has_none"].includes(op);
}

/** The value to begin with, keeping what still fits. @param {Column} column @param {string} op @param {any} held @returns {any} */
export function valueFor(column, op, held) {
  if (takesNothing(op)) return undefined;
  if (column.type === "tick") return typeof held === "boolean" ? held : true;
  if (takesSeveral(op)) return Array.isArray(held) ? held : held === undefined || held === null || held === "" ? [] : [held];
  return Array.isArray(held) ? held[0] ?? null : held ?? null;
}

/** @param {Column} column @returns {string} the operator that people want first */
export function firstOp(column) {
  if (column.type === "references") return "has_any";
  if (ONE_OF.has(column.type)) return "any_of";
  if (column.type === "image") return "not_empty";
  if (["number", "duration"].includes(column.type)) return "ge";
  return column.type === "tick" || column.type === "date" ? "is" : "contains";
}

/** @param {any} condition @returns {boolean} true while a value is missing: such a condition hides nothing yet */
export function isUnfinished(condition) {
  if (takesNothing(condition.op)) return false;
  const { value } = condition;
  return value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length);
}

/** @param {import("./index.js").Panels} panels @param {Condition} condition @returns {string} */
export function conditionWords(panels, { field, op, value }) {
  const column = panels.grid.column(field);
  if (!column) return field;
  const head = `${panels.label(column)} ${opWord(column.type, op)}`;
  if (takesNothing(op)) return head;
  const values = Array.isArray(value) ? value : [value];
  const texts = values.map((one) => (column.type === "references" ? panels.grid.values.label(column, one) : panels.grid.values.text(column, one)) || "“”");
  const some = texts.slice(0, 3).join(", ") + (texts.length > 3 ? ` +${texts.length - 3}` : "");
  return `${head} ${some}`;
}

/** @param {import("./index.js").Panels} panels @param {Node} node @returns {string} */
export function nodeWords(panels, node) {
  const parts = partsOf(node);
  if (!parts) return conditionWords(panels, /** @type {Condition} */ (node));
  const join = "or" in node ? gettext("or") : gettext("and");
  return parts.map((part) => (partsOf(part) ? `(${nodeWords(panels, part)})` : nodeWords(panels, part))).join(` ${join} `);
}
