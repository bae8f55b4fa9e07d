// What stands in a cell. Nodes, never markup: what people write is text.

import { fill, gettext, ngettext } from "../i18n.js";
import { icon } from "../util.js";
import { isGroup } from "./rows.js";
import { tint } from "./tint.js";

/** @typedef {import("./stream.js").Item} Item */
/** @typedef {import("./stream.js").Column} Column */
/** @typedef {import("./grid.js").ShotGrid} ShotGrid */
/** @typedef {(value: any, column: Column, item: Item, grid: ShotGrid, width: number) => Node | string} Drawer width: of the column */

const SHORT = 5;
const LETTER = 6.4; // px, about
const WIDE_LETTER = 10.4; // Hangul

/**
 * @param {string} tag @param {string} className @param {string | Node | null} [content] @returns {HTMLElement}
 */
export function make(tag, className, content = null) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content !== null) element.append(content);
  return element;
}

/** A choice, a person, a character: dot or tint in its own colour. @param {import("./stream.js").Option | null} option @param {string} text @param {string} kind */
export function pill(option, text, kind) {
  const element = make("span", `tg-pill ${kind}`, text);
  if (option?.color) element.style.setProperty("--c", option.color);
  tint(element, `pill ${option?.color ?? ""}`);
  element.title = option?.hint ? `${text} · ${option.hint}` : text;
  return element;
}

/** @param {string} name @returns {string} up to two letters for a round mark */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  if (/[가-힣]/.test(name)) return name.trim().slice(-2);
  return words.slice(0, 2).map((word) => word[0] ?? "").join("").toUpperCase();
}

/** @param {string} text @returns {number} px, about */
function lengthOf(text) {
  return [...text].reduce((sum, letter) => sum + (letter >= "\u1100" ? WIDE_LETTER : LETTER), 0);
}

/** @type {Record<string, Drawer>} */
const DRAW = {
  long_text: (value) => make("span", "tg-long", value),
  duration: (value, column, item, grid) => grid.values.length(value),
  choice(value, column, item, grid, width) {
    const option = grid.values.option(column, value);
    const label = grid.values.label(column, value);
    const short = option?.hint && option.hint.length <= SHORT && width < lengthOf(label) + 34; // MCU for Medium close-up
    const element = pill(option, short ? option.hint ?? "" : label, "");
    if (short) element.title = `${label} · ${option.hint}`;
    return element;
  },
  status(value, column, item, grid) {
    const tag = make("span", "tag", grid.values.label(column, value));
    tag.dataset.status = value;
    tint(tag, `tag ${value}`);
    return tag;
  },
  person(value, column, item, grid) {
    const name = grid.values.label(column, value);
    const element = make("span", "tg-person");
    element.append(make("i", "tg-face", initials(name)), name);
    return element;
  },
  reference(value, column, item, grid) {
    const option = grid.values.option(column, value);
    const element = make("span", "tg-ref");
    element.append(make("span", "tg-ref-name", option?.label ?? String(value)));
    if (option?.hint) element.append(make("span", "tg-hint", option.hint));
    return element;
  },
  references(value, column, item, grid) {
    const list = make("span", "tg-chips");
    for (const id of value) list.append(pill(grid.values.option(column, id), grid.values.label(column, id), "chip-of"));
    return list;
  },
  tick(value) {
    const box = make("span", "tg-tick-box");
    box.dataset.on = String(Boolean(value));
    if (value) box.append(icon("check", "s"));
    return box;
  },
  link(value) {
    const link = /** @type {HTMLAnchorElement} */ (make("a", "tg-link", value.replace(/^https?:\/\/(www\.)?/, "")));
    if (/^https?:\/\//i.test(value)) link.href = value;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.tabIndex = -1;
    return link;
  },
  image: (value, column, item, grid) => thumb(value, item, grid),
  code(value, column, item, grid) {
    const box = make("span", "tg-code");
    const link = /** @type {HTMLAnchorElement} */ (make("a", "code", value));
    link.href = grid.studioUrl(item.id);
    link.tabIndex = -1;
    box.append(link);
    if (item.locked) {
      const lock = make("span", "tg-lock", icon("lock", "s"));
      lock.title = gettext("Locked by a confirm: its scene and folder stay, and it cannot be removed. Unlock it on its page, or check it and press Unlock.");
      box.append(lock);
    }
    if (item.seen === false || item.seen_by_person === false) {
      const dot = make("span", "unseen");
      dot.title = gettext("Made by the machine; nobody has looked at it yet.");
      box.append(dot);
    }
    return box;
  },
};

/** @param {string | null} value @param {Item} item @param {ShotGrid} grid */
function thumb(value, item, grid) {
  const link = /** @type {HTMLAnchorElement} */ (make("a", "tg-thumb"));
  link.href = grid.studioUrl(item.id);
  link.tabIndex = -1;
  link.setAttribute("aria-label", fill(gettext("Open %(code)s"), { code: item.code ?? item.name ?? String(item.id) }));
  if (value) {
    const image = document.createElement("img");
    image.loading = "lazy";
    image.decoding = "async";
    image.alt = "";
    image.src = value;
    image.draggable = false;
    link.append(image);
  }
  if (item.job) link.append(ring(item.job[0], item.job[1]));
  return link;
}

/** The share of a job that is done, moved by the live events. @param {string} job @param {number | null} share 0 to 1 */
function ring(job, share) {
  const percent = Math.round((share ?? 0) * 100);
  const box = make("span", "tg-ring");
  box.dataset.jobProgress = String(job);
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("class", "ring");
  svg.setAttribute("viewBox", "0 0 36 36");
  for (const name of ["track", "value"]) {
    const circle = document.createElementNS(ns, "circle");
    for (const [key, number] of Object.entries({ cx: 18, cy: 18, r: 15, pathLength: 100 })) circle.setAttribute(key, String(number));
    circle.setAttribute("class", name);
    if (name === "value") circle.setAttribute("stroke-dasharray", `${percent} 100`);
    svg.append(circle);
  }
  const text = make("b", "", `${percent}%`);
  text.dataset.progressText = "";
  box.append(svg, text);
  return box;
}

/** @param {number} row @param {Item} item @param {ShotGrid} grid the handle, the number and the box of a row */
function rowHead(row, item, grid) {
  const box = make("span", "tg-rowhead");
  const grip = make("span", "tg-grip", icon("grip", "s"));
  const check = /** @type {HTMLInputElement} */ (document.createElement("input"));
  check.type = "checkbox";
  check.tabIndex = -1;
  check.checked = grid.chosen.has(item.id);
  check.setAttribute("aria-label", fill(gettext("Choose %(code)s"), { code: item.code ?? item.name ?? String(item.id) }));
  box.append(grip, make("span", "tg-number", String(grid.numberOf(row))), check);
  if (grid.rows.leaves(item)) box.title = gettext("This row no longer matches the filter. It is hidden once you leave it.");
  return box;
}

/** @param {import("./rows.js").Group} group @param {any} slickColumn @param {ShotGrid} grid */
function groupCell(group, slickColumn, grid) {
  const { column } = group;
  if (slickColumn.id === grid.groupColumns.title) {
    const box = make("span", "tg-group-title");
    box.style.paddingInlineStart = `${group.level * 16}px`;
    const toggle = make("button", "tg-group-toggle", icon("chevron-right", "s"));
    toggle.setAttribute("aria-expanded", String(group.open));
    toggle.setAttribute("aria-label", group.open ? gettext("Close the group") : gettext("Open the group"));
    toggle.tabIndex = -1;
    const empty = group.value === null;
    const text = empty ? gettext("(empty)") : grid.values.text(column, group.value);
    const value = empty || !["status", "choice"].includes(column.type) ? make("b", "", text) : DRAW[column.type](group.value, column, /** @type {any} */ ({}), grid, Infinity);
    box.append(toggle, value, make("span", "count", String(group.count)));
    return box;
  }
  if (slickColumn.id === grid.groupColumns.hint) {
    const hint = group.value === null || Array.isArray(group.value) ? "" : grid.values.option(column, group.value)?.hint ?? "";
    if (!(slickColumn.id in group.sums)) return make("span", "tg-group-hint", hint);
  }
  const sum = group.sums[slickColumn.id];
  if (sum === undefined) return "";
  const cell = make("span", "tg-sum", grid.values.length(sum));
  cell.title = fill(ngettext("Sum of %(n)s row", "Sum of %(n)s rows", group.count), { n: group.count });
  return cell;
}

/**
 * The formatter of every column.
 * @param {ShotGrid} grid
 */
export function formatterFor(grid) {
  return (/** @type {number} */ row, /** @type {number} */ cell, /** @type {any} */ value, /** @type {any} */ slickColumn, /** @type {any} */ item) => {
    if (isGroup(item)) return groupCell(item, slickColumn, grid);
    if (slickColumn.id === "_row") return rowHead(row, item, grid);
    const column = /** @type {Column} */ (slickColumn.column);
    const marks = grid.marks.of(item.id, column.name);
    const typed = grid.marks.typed(item.id, column.name);
    let html;
    if (typed !== undefined) html = make("span", column.type === "long_text" ? "tg-long" : "", typed);
    else if (column.type === "image") html = thumb(value, item, grid);
    else if (value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length)) {
      html = column.type === "tick" ? DRAW.tick(false, column, item, grid, slickColumn.width) : "";
    } else html = (DRAW[column.type] ?? ((text) => String(text)))(value, column, item, grid, slickColumn.width);
    const node = html instanceof Node || !html ? html : make("span", "tg-text", html);
    const fragment = document.createDocumentFragment();
    fragment.append(node);
    return { html: fragment, addClasses: marks?.className ?? "", toolTip: marks?.title ?? "" };
  };
}
