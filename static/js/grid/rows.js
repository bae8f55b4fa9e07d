// The rows that the grid shows: all items in story order, less what the filter hides, sorted and grouped.

import { isEmpty } from "./values.js";

/** @typedef {import("./stream.js").Item} Item */
/** @typedef {import("./stream.js").Column} Column */
/**
 * @typedef {{isGroup: true, key: string, level: number, column: Column, value: any, count: number, sums: Record<string, number>, open: boolean}} Group
 */
/** @typedef {[string, "asc" | "desc"]} Order */

/** @param {any} row @returns {row is Group} */
export function isGroup(row) {
  return Boolean(row?.isGroup);
}

export class RowModel {
  /** @param {import("./values.js").Values} values @param {(name: string) => Column | undefined} column */
  constructor(values, column) {
    this.values = values;
    this.column = column;
    /** @type {Item[]} in story order */
    this.items = [];
    /** @type {Map<number, Item>} */
    this.byId = new Map();
    /** @type {Item[]} what passed the filter, also inside closed groups */
    this.passed = [];
    /** @type {(Item | Group)[]} what the grid shows */
    this.shown = [];
    /** @type {Map<number, number>} id -> row */
    this.rowOf = new Map();
    /** @type {number[]} the number of each row, group heads not counted */
    this.numbers = [];
    /** @type {((item: Item) => boolean) | null} */
    this.filter = null;
    /** @type {Order[]} */
    this.sort = [];
    /** @type {Order[]} */
    this.group = [];
    /** @type {string[]} the columns that are added up per group */
    this.summed = [];
    /** @type {Set<string>} keys of closed groups */
    this.closed = new Set();
  }

  getLength() {
    return this.shown.length;
  }

  /** @param {number} row */
  getItem(row) {
    return this.shown[row];
  }

  /** @param {number} row @returns {object | null} */
  getItemMetadata(row) {
    const item = this.shown[row];
    if (isGroup(item)) return { cssClasses: `tg-group tg-group-${item.level}` };
    const classes = [item?.locked && "is-locked", item && this.leaves(item) && "is-leaving"].filter(Boolean);
    return classes.length ? { cssClasses: classes.join(" ") } : null;
  }

  /** @param {Item} item @returns {boolean} true for a row that is still shown, but was edited out of the filter */
  leaves(item) {
    return this.filter !== null && !this.filter(item);
  }

  /** @param {number} row @returns {Item | null} */
  itemAt(row) {
    const item = this.shown[row];
    return item && !isGroup(item) ? item : null;
  }

  clear() {
    this.items = [];
    this.byId.clear();
    this.refresh();
  }

  /** More items at the end. @param {Item[]} items */
  append(items) {
    for (const item of items) {
      if (!this.byId.has(item.id)) this.items.push(item);
      this.byId.set(item.id, item);
    }
  }

  /**
   * Newer rows. @param {Item[]} items whole rows @param {number[]} removed @param {(item: Item, fresh: Item) => void} merge
   * @returns {boolean} true when the set of rows or their order changed
   */
  patch(items, removed, merge) {
    let changed = false;
    for (const fresh of items) {
      const item = this.byId.get(fresh.id);
      if (!item) {
        this.items.push(fresh);
        this.byId.set(fresh.id, fresh);
        changed = true;
      } else {
        if (item.position !== fresh.position) changed = true;
        merge(item, fresh);
      }
    }
    for (const id of removed) changed = this.byId.delete(id) || changed;
    if (removed.length) this.items = this.items.filter((item) => this.byId.has(item.id));
    if (changed) this.order();
    return changed;
  }

  order() {
    this.items.sort((a, b) => a.position - b.position || a.id - b.id);
  }

  /** Compute what is shown. */
  refresh() {
    let list = this.filter ? this.items.filter(this.filter) : this.items.slice();
    this.passed = list;
    if (this.sort.length) list = this.sorted(list);
    this.shown = this.group.length ? this.grouped(list, 0, "") : list;
    this.rowOf = new Map();
    this.numbers = new Array(this.shown.length);
    for (const [row, item] of this.shown.entries()) {
      if (isGroup(item)) continue;
      this.rowOf.set(item.id, row);
      this.numbers[row] = this.rowOf.size;
    }
  }

  /** @param {Item[]} list @returns {Item[]} */
  sorted(list) {
    const rules = this.sort
      .map(([name, direction]) => ({ name, column: this.column(name), sign: direction === "desc" ? -1 : 1 }))
      .filter((rule) => rule.column)
      .map(({ name, column, sign }) => ({ name, sign, compare: this.values.comparer(/** @type {Column} */ (column)) }));
    return list.sort((a, b) => {
      for (const { name, sign, compare } of rules) {
        const [x, y] = [a[name], b[name]];
        const [noX, noY] = [isEmpty(x), isEmpty(y)];
        if (noX || noY) {
          if (noX !== noY) return noX ? 1 : -1;
          continue;
        }
        const result = compare(x, y);
        if (result) return result * sign;
      }
      return a.position - b.position || a.id - b.id;
    });
  }

  /** @param {Item[]} list @param {number} level @param {string} path @returns {(Item | Group)[]} */
  grouped(list, level, path) {
    const rule = this.group[level];
    const column = rule && this.column(rule[0]);
    if (!column) return list;
    /** @type {Map<string, Item[]>} */
    const parts = new Map();
    for (const item of list) {
      const key = isEmpty(item[column.name]) ? "" : JSON.stringify(item[column.name]);
      const part = parts.get(key);
      if (part) part.push(item);
      else parts.set(key, [item]);
    }
    const compare = this.values.comparer(column);
    const sign = rule[1] === "desc" ? -1 : 1;
    const keys = [...parts.keys()].sort((a, b) => {
      if (!a || !b) return a ? -1 : b ? 1 : 0;
      return compare(JSON.parse(a), JSON.parse(b)) * sign;
    });
    /** @type {(Item | Group)[]} */
    const rows = [];
    for (const part of keys) {
      const members = parts.get(part) ?? [];
      const key = `${path}/${column.name}=${part}`;
      const open = !this.closed.has(key);
      const value = part ? JSON.parse(part) : null;
      rows.push({ isGroup: true, key, level, column, value, count: members.length, sums: this.sums(members), open });
      if (open) for (const row of this.grouped(members, level + 1, key)) rows.push(row);
    }
    return rows;
  }

  /** @param {Item[]} items @returns {Record<string, number>} */
  sums(items) {
    return Object.fromEntries(this.summed.map((name) => [name, items.reduce((sum, item) => sum + (item[name] ?? 0), 0)]));
  }

  /** @param {number} row @returns {Group | null} the innermost group that a row stands in */
  groupOf(row) {
    for (let at = row; at >= 0; at -= 1) {
      const item = this.shown[at];
      if (isGroup(item)) return item;
    }
    return null;
  }
}
