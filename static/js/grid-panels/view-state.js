// The present view: which saved view it began with and what was changed since. It stands in the address, the grid shows
// it, and the server keeps it for this person. Event: "change".

import { DEFAULT_FROZEN } from "../grid/columns.js";
import { compileFilter, countConditions, searchTest, searchText, wellFormed } from "../grid/filter.js";
import { gettext } from "../i18n.js";
import { timecode } from "../timecode.js";
import { toast } from "../toast.js";
import { debounce, request } from "../util.js";

/** @typedef {import("../grid/columns.js").ViewConfig} ViewConfig */
/** @typedef {import("../grid/filter.js").Node} Node */
/** @typedef {{id: number, name: string, shared: boolean, mine: boolean, default: boolean, config: ViewConfig}} SavedView */
/** @typedef {{columns: [string, number][], frozen: number, filter: Node | null, sort: [string, "asc" | "desc"][],
 *   group: [string, "asc" | "desc"][], search: string, duration: string, row: string}} FullConfig */

/** @type {(keyof FullConfig)[]} */
const KEYS = ["columns", "frozen", "filter", "sort", "group", "search", "duration", "row"];
/** @type {("filter" | "sort" | "group" | "search")[]} */
const IN_ADDRESS = ["filter", "sort", "group", "search"];
/** @type {("columns" | "frozen" | "duration" | "row")[]} */
const NOT_IN_ADDRESS = ["columns", "frozen", "duration", "row"];
const KEEP_AFTER = 700;
const LEAVES_AFTER = 400;


export class ViewState extends EventTarget {
  /** @param {import("../grid/grid.js").ShotGrid} grid */
  constructor(grid) {
    super();
    this.grid = grid;
    /** @type {number | null} the saved view that this began with */
    this.id = null;
    /** @type {FullConfig} */
    this.config = this.full({});
    this.started = false;
    this.drawn = false;
    /** @type {WeakMap<object, string>} what of each row is searched */
    this.texts = new WeakMap();
    this.text = (/** @type {any} */ item) => "";
    this.unkept = false;
    this.keepSoon = debounce(() => this.send(), KEEP_AFTER);
    this.refilter = debounce(() => this.followRows(), LEAVES_AFTER);
    grid.addEventListener("head", () => this.start());
    grid.addEventListener("view", (event) => this.gridChanged(/** @type {CustomEvent} */ (event).detail));
    grid.addEventListener("columns", () => this.columnsChanged());
    grid.addEventListener("views", () => this.tell());
    grid.addEventListener("rows", (event) => this.rowsChanged(/** @type {CustomEvent} */ (event).detail?.ids));
    addEventListener("pagehide", () => this.send(true));
    addEventListener("popstate", () => this.started && grid.holder.isConnected && this.readAddress());
    if (grid.head) this.start();
  }

  /** @returns {SavedView[]} */
  get views() {
    return this.grid.head?.views ?? [];
  }

  /** @returns {SavedView | null} */
  get saved() {
    return this.views.find(({ id }) => id === this.id) ?? null;
  }

  /** @returns {FullConfig} the view as it was saved; everything in its default place without one */
  get base() {
    return this.full(this.saved?.config ?? {});
  }

  /** @returns {boolean} true when something differs from the saved view */
  get dirty() {
    const { base } = this;
    return KEYS.some((key) => JSON.stringify(base[key]) !== JSON.stringify(this.config[key]));
  }

  /** @returns {[string, number][]} */
  defaultColumns() {
    return this.grid.columns.filter((column) => !column.hidden).map((column) => [column.name, column.width]);
  }

  /** Every part of a config, with what is missing or unknown put right. @param {ViewConfig} config @returns {FullConfig} */
  full(config) {
    const { columns } = this.grid;
    const known = new Set(columns.map(({ name }) => name));
    const has = (/** @type {any} */ pair) => Array.isArray(pair) && known.has(pair[0]);
    const order = (/** @type {any} */ list, /** @type {number} */ most) => (Array.isArray(list) ? list.filter(has).map(([name, way]) => [name, way === "desc" ? "desc" : "asc"]).slice(0, most) : []);
    const shown = (config.columns ?? []).filter(has).map(([name, width]) => [name, Math.round(width)]);
    return /** @type {FullConfig} */ ({
      columns: shown.length ? shown : this.defaultColumns(),
      frozen: config.frozen ?? DEFAULT_FROZEN,
      filter: wellFormed(config.filter, columns),
      sort: order(config.sort, 5),
      group: order(config.group, 3),
      search: typeof config.search === "string" ? config.search.slice(0, 200) : "",
      duration: config.duration ?? "timecode",
      row: config.row ?? "m",
    });
  }

  /** What is stored: defaults are left out, so that columns which come later are shown. @returns {ViewConfig} */
  compact() {
    const plain = this.full({});
    const entries = KEYS.filter((key) => JSON.stringify(plain[key]) !== JSON.stringify(this.config[key])).map((key) => [key, this.config[key]]);
    return Object.fromEntries(entries);
  }

  start() {
    this.forgetTexts();
    if (this.started) {
      this.config = this.full(this.config);
      this.show();
      return;
    }
    this.started = true;
    if (!this.readAddress()) {
      const { id, config } = this.shownAs;
      this.id = id;
      this.config = this.full(config);
      this.show();
    }
    this.drawn = true;
    this.writeAddress(false);
  }

  /** @returns {{id: number | null, config: any}} what this person looks at, or looked at last */
  get shownAs() {
    if (this.drawn) return { id: this.id, config: this.config };
    const { id = null, config = {} } = this.grid.head?.view ?? {};
    return { id, config };
  }

  /** @returns {boolean} false when the address says nothing about the view */
  readAddress() {
    const query = new URLSearchParams(location.search);
    if (![...IN_ADDRESS, "view"].some((key) => query.has(key))) return false;
    const wanted = Number(query.get("view")) || null;
    const held = this.shownAs;
    this.id = this.views.some(({ id }) => id === wanted) ? wanted : null;
    if (wanted && !this.id) toast(gettext("The view of this link was removed or belongs to somebody else. All rows are shown."), "warning");
    const config = /** @type {any} */ ({ ...this.base });
    // Widths and heights are no part of a link: they stay as this person had them in this view.
    if (held.id === this.id) for (const key of NOT_IN_ADDRESS) if (key in held.config) config[key] = held.config[key];
    for (const key of IN_ADDRESS) {
      const text = query.get(key);
      if (text === null) continue;
      try {
        config[key] = key === "search" ? text : JSON.parse(text);
      } catch {
        toast(gettext("A part of this link cannot be read, it is left out."), "warning");
      }
    }
    this.config = this.full(config);
    this.show();
    return true;
  }

  /** @param {boolean} push a step that the browser's back button takes */
  writeAddress(push) {
    const query = new URLSearchParams(location.search);
    for (const [key, value] of Object.entries(this.query())) {
      if (value === null) query.delete(key);
      else query.set(key, value);
    }
    const url = `${location.pathname}?${query}${location.hash}`;
    if (url === `${location.pathname}${location.search}${location.hash}`) return;
    if (push) history.pushState({ aip: "view" }, "", url);
    else history.replaceState(history.state, "", url);
  }

  /** @returns {Record<string, string | null>} the address's part of the view; view 0: all rows */
  query() {
    const { base } = this;
    /** @type {Record<string, string | null>} */
    const query = { view: String(this.id ?? 0) };
    for (const key of IN_ADDRESS) {
      const same = JSON.stringify(base[key]) === JSON.stringify(this.config[key]);
      query[key] = same ? null : key === "search" ? this.config.search : JSON.stringify(this.config[key]);
    }
    return query;
  }

  /** Another filter, sort, group …; drawn, put into the address and kept. @param {Partial<FullConfig>} patch @param {boolean} [quiet] no step for the back button */
  change(patch, quiet = false) {
    this.config = this.full({ ...this.config, .../** @type {any} */ (patch) });
    this.show(Object.keys(patch));
    this.writeAddress(!quiet);
    this.keep();
  }

  /** @param {number | null} id of a saved view, null: all rows */
  choose(id) {
    this.id = id;
    this.config = this.base;
    this.show();
    this.writeAddress(true);
    this.keep();
  }

  /** Back to the view as it was saved. */
  reset() {
    this.choose(this.id);
  }

  /** @param {string[]} [keys] what changed; nothing: all */
  show(keys = KEYS) {
    const { grid, config } = this;
    const has = (/** @type {string[]} */ ...names) => names.some((name) => keys.includes(name));
    if (has("filter", "search")) {
      grid.rows.filter = this.test();
      Object.assign(grid.view, { filter: config.filter, search: config.search });
    }
    if (has("columns", "frozen", "duration", "row")) grid.applyView(/** @type {ViewConfig} */ ({ ...config }));
    else {
      if (has("sort")) grid.setSort(config.sort);
      if (has("group")) grid.setGroup(config.group);
      if (!has("sort", "group")) grid.setFilter(grid.rows.filter);
    }
    this.tell();
  }

  /** @returns {((item: any) => boolean) | null} */
  test() {
    const { filter, search } = this.config;
    if (!filter && !search.trim()) return null;
    const matches = compileFilter(filter, this.grid.columns);
    const found = searchTest(search, (item) => this.textOf(item));
    return (item) => matches(item) && found(item);
  }

  forgetTexts() {
    const { values } = this.grid;
    // A search must not depend on how this view shows lengths.
    this.text = searchText(this.grid.columns, (column, value) => (column.type === "duration" && typeof value === "number" ? timecode(value, values.rate) : values.text(column, value)));
    this.texts = new WeakMap();
  }

  /** @param {any} item @returns {string} */
  textOf(item) {
    let text = this.texts.get(item);
    if (text === undefined) {
      text = this.text(item);
      this.texts.set(item, text);
    }
    return text;
  }

  /** @param {number[] | null | undefined} ids null: all */
  rowsChanged(ids) {
    if (!ids) this.forgetTexts();
    else for (const id of ids) this.texts.delete(this.grid.item(id) ?? {});
    if (ids && this.grid.rows.filter) this.refilter();
  }

  /** A row that was edited out of the filter stays until the person leaves it; then what matches is shown again. */
  followRows() {
    const { grid } = this;
    const { filter, rowOf, closed } = grid.rows;
    if (!filter) return;
    // Rows of a closed group are not drawn: only what is drawn can be seen to be wrong.
    const wrong = (/** @type {any} */ item) => (rowOf.has(item.id) ? !filter(item) : !closed.size && filter(item));
    const moved = grid.items().filter(wrong);
    if (!moved.length) return;
    if (moved.some((item) => item === grid.range.item)) grid.addEventListener("active", () => this.refilter(), { once: true });
    else grid.rebuild();
  }

  /** The person dragged columns or sorted by a head. @param {ViewConfig} config */
  gridChanged(config) {
    if (!this.started || !config) return;
    const before = JSON.stringify(this.config.sort);
    this.config = this.full({ ...this.config, columns: config.columns, sort: config.sort, group: config.group, frozen: config.frozen ?? this.config.frozen });
    this.tell();
    this.writeAddress(before !== JSON.stringify(this.config.sort));
    this.keep();
  }

  columnsChanged() {
    const shown = JSON.stringify(this.config.columns);
    this.config = this.full(this.config);
    this.forgetTexts();
    this.grid.rows.filter = this.test();
    if (shown !== JSON.stringify(this.config.columns)) this.show();
    else this.tell();
  }

  /** @returns {number} conditions that are at work */
  get conditions() {
    return countConditions(this.config.filter);
  }

  tell() {
    this.dispatchEvent(new CustomEvent("change"));
  }

  keep() {
    this.unkept = true;
    this.keepSoon();
  }

  /** @param {boolean} [leaving] the page closes: the request outlives it */
  async send(leaving = false) {
    if (!this.unkept) return;
    this.unkept = false;
    try {
      await request(`${this.grid.url}view/`, { method: "PUT", json: { id: this.id, config: this.compact() }, keepalive: leaving });
    } catch {
      this.keep(); // no connection: it is kept with the next try
    }
  }
}
