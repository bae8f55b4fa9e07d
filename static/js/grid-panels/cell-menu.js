// The menu of cells and rows (right click, menu key, Shift+F10), and the keys that do the same.

import { copyText } from "../clipboard.js";
import { gettext } from "../i18n.js";
import { isGroup } from "../grid/rows.js";
import { isEmpty } from "../grid/values.js";
import { isComposing, keyName } from "../util.js";
import { openMenu } from "./dom.js";

/** @typedef {import("../grid/stream.js").Item} Item */
/** @typedef {import("../grid/stream.js").Column} Column */
/** @typedef {import("../grid/filter.js").Condition} Condition */

export class CellMenu {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    const { holder } = panels.grid;
    holder.addEventListener("contextmenu", (event) => this.onMenu(event));
    holder.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** @param {MouseEvent} event */
  onMenu(event) {
    const { grid } = this.panels;
    const target = event.target instanceof Element ? event.target : null;
    if (!target || target.closest(".slick-header, [popover], dialog") || grid.input.isOpen) return;
    if (target === grid.input.area) {
      event.preventDefault();
      const box = grid.input.rect();
      if (box) this.open({ x: box.left + 12, y: box.bottom - 4 });
      return;
    }
    const place = grid.pointer.placeOf(target);
    if (!place) return;
    event.preventDefault();
    const row = grid.rows.shown[place.row];
    if (isGroup(row)) {
      this.openGroup(row, { x: event.clientX, y: event.clientY });
      return;
    }
    const { box } = grid.range;
    const inside = box && place.row >= box.top && place.row <= box.bottom && (place.cell === 0 || (place.cell >= box.left && place.cell <= box.right));
    if (!inside) grid.range.setActive({ row: place.row, cell: Math.max(1, place.cell) }, { scroll: false });
    this.open({ x: event.clientX, y: event.clientY });
  }

  /** @param {import("../grid/rows.js").Group} group @param {{x: number, y: number}} at */
  openGroup(group, at) {
    const { grid, group: panel } = this.panels;
    openMenu(at, gettext("Group"), [
      { label: group.open ? gettext("Close the group") : gettext("Open the group"), icon: "chevron-right", act: () => grid.openGroup(group.key, !group.open) },
      { label: gettext("Close all"), icon: "minus", act: () => panel.fold(true) },
      { label: gettext("Open all"), icon: "plus", act: () => panel.fold(false) },
      null,
      { label: gettext("Only this value"), icon: "filter", act: () => this.filter(group.column, group.value, true) },
      { label: gettext("Not this value"), icon: "filter", act: () => this.filter(group.column, group.value, false) },
    ]);
  }

  /** @param {{x: number, y: number}} at */
  open(at) {
    const { grid, history, status } = this.panels;
    const { item, column } = grid.range;
    if (!item || !column) return;
    const { canEdit, canRemove } = grid;
    const command = (/** @type {string} */ name) => () => grid.command(name);
    const filters = column.type !== "image";
    openMenu(
      at,
      grid.nameOf(item.id),
      [
        { label: gettext("Open"), icon: "external", act: () => location.assign(grid.studioUrl(item.id)) },
        { label: gettext("History"), icon: "clock", key: "Alt+H", act: () => history.open(item.id) },
        ...(canEdit && status.column ? [{ label: gettext("Status…"), icon: "flag", key: "Alt+S", act: () => status.open(at, status.targets(item)) }] : []),
        { label: gettext("Copy the link"), icon: "copy", act: () => copyText(new URL(grid.studioUrl(item.id), location.href).href) },
        null,
        ...(filters
          ? [
              { label: gettext("Only this value"), icon: "filter", act: () => this.filter(column, item[column.name], true) },
              { label: gettext("Not this value"), icon: "filter", act: () => this.filter(column, item[column.name], false) },
              null,
            ]
          : []),
        { label: gettext("Copy"), icon: "copy", key: "Ctrl+C", act: command("copy") },
        ...(canEdit
          ? [
              { label: gettext("Cut"), icon: "x", key: "Ctrl+X", act: command("cut") },
              { label: gettext("Paste"), icon: "sheet", key: "Ctrl+V", act: command("paste") },
              { label: gettext("Fill down"), icon: "download", key: "Ctrl+D", act: command("fillDown") },
              { label: gettext("Clear"), icon: "minus", key: "Del", act: command("clear") },
              null,
              { label: gettext("Insert a row above"), icon: "plus", key: "Alt+Shift+Enter", act: command("insertAbove") },
              { label: gettext("Insert a row below"), icon: "plus", key: "Alt+Enter", act: command("insertBelow") },
              { label: gettext("Duplicate"), icon: "copy", key: "Alt+D", act: command("duplicate") },
            ]
          : []),
        ...(canRemove ? [{ label: gettext("Remove"), icon: "trash", key: "Alt+Del", danger: true, act: command("remove") }] : []),
      ],
      { closed: () => grid.input.focus() },
    );
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { grid, history, status } = this.panels;
    if (event.defaultPrevented || isComposing(event) || !event.altKey || event.ctrlKey || event.metaKey || event.target !== grid.input.area || grid.input.isOpen) return;
    const { item } = grid.range;
    /** @type {Record<string, () => void>} */
    const keys = {
      h: () => item && history.open(item.id),
      s: () => item && grid.canEdit && status.open(this.activeCell(), status.targets(item)),
      d: () => grid.command("duplicate"),
      Enter: () => grid.command(event.shiftKey ? "insertAbove" : "insertBelow"),
      Delete: () => grid.command("remove"),
    };
    const act = keys[keyName(event)];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** @returns {{x: number, y: number}} */
  activeCell() {
    const box = this.panels.grid.input.rect();
    return box ? { x: box.left, y: box.bottom } : { x: 80, y: 80 };
  }

  /** One more condition that every row must hold. @param {Column} column @param {any} value @param {boolean} only */
  filter(column, value, only) {
    const { state } = this.panels;
    const wanted = conditionFor(column, value, only);
    const now = state.config.filter;
    const parts = now && "and" in now ? [...now.and] : now ? [now] : [];
    // "Not this" twice on one column is one condition with two values.
    const same = parts.findIndex((part) => "field" in part && part.field === wanted.field && part.op === wanted.op && ["none_of", "has_none"].includes(wanted.op));
    if (same >= 0) {
      const held = /** @type {Condition} */ (parts[same]);
      parts[same] = { ...held, value: [...new Set([...held.value, ...wanted.value])] };
    } else if (!parts.some((part) => JSON.stringify(part) === JSON.stringify(wanted))) parts.push(wanted);
    state.change({ filter: { and: parts } });
  }
}

/** @param {Column} column @param {any} value @param {boolean} only @returns {Condition} */
export function conditionFor(column, value, only) {
  const field = column.name;
  if (column.type === "tick") return { field, op: "is", value: only ? Boolean(value) : !value };
  if (isEmpty(value)) return { field, op: only ? "empty" : "not_empty" };
  if (column.type === "references") return { field, op: only ? "has_all" : "has_none", value: [...value] };
  if (column.options) return { field, op: only ? "any_of" : "none_of", value: [value] };
  return { field, op: only ? "is" : "is_not", value };
}
