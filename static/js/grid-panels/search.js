// The search box: filters while typing, never in the middle of a syllable (ime.js says when a text rests).

import { gettext } from "../i18n.js";
import { icon } from "../util.js";
import { h } from "./dom.js";
import { searchWords } from "../grid/filter.js";

const PAINT_AFTER = 60;

export class SearchBox {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    this.box = /** @type {HTMLInputElement} */ (
      h("input", { class: "input", type: "search", maxlength: 200, "data-live-search": true, "data-search-box": true, placeholder: gettext("Search"), "aria-label": gettext("Search in the rows"), autocomplete: "off" })
    );
    panels.right.append(h("div", { class: "search gp-search" }, icon("search"), this.box, h("kbd", {}, "/")));
    if (!panels.grid.furniture.find("[data-grid-count]")) panels.right.append(h("output", { class: "gp-count faint", "data-grid-count": true }));
    this.box.addEventListener("aip:search", () => this.panels.state.change({ search: this.box.value }, true));
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.box.value) {
        event.preventDefault();
        event.stopPropagation();
        this.box.value = "";
        this.panels.state.change({ search: "" }, true);
      } else if (event.key === "Enter" || event.key === "ArrowDown") {
        event.preventDefault();
        this.panels.grid.range.setActive({ row: this.firstRow(), cell: 1 });
        this.panels.grid.input.focus();
      }
    });
    this.timer = 0;
    const later = () => {
      if (this.timer || !this.words.length) return;
      this.timer = setTimeout(() => this.paint(), PAINT_AFTER);
    };
    // Rows come and go while scrolling: what is found is lit up in those that are there.
    new MutationObserver(later).observe(panels.grid.board, { childList: true, subtree: true });
    /** @type {string[]} */
    this.words = [];
  }

  firstRow() {
    const rows = this.panels.grid.rows.rowOf.values();
    return rows.next().value ?? 0;
  }

  draw() {
    const { search } = this.panels.state.config;
    if (document.activeElement !== this.box && this.box.value !== search) this.box.value = search;
    this.box.classList.toggle("is-on", Boolean(search));
    this.words = searchWords(search);
    this.paint();
  }

  /** Light up the words with the browser's own highlights: the cells' nodes stay as they are. */
  paint() {
    this.timer = 0;
    const registry = /** @type {any} */ (CSS).highlights;
    if (!registry) return;
    registry.delete("grid-search");
    if (!this.words.length) return;
    const marks = new /** @type {any} */ (globalThis).Highlight();
    const walker = document.createTreeWalker(this.panels.grid.board, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!node.parentElement?.closest(".slick-cell")) continue;
      const text = node.nodeValue ?? "";
      const lower = text.toLowerCase();
      if (lower.length !== text.length) continue; // letters that grow when they are folded: positions would be wrong
      for (const word of this.words) {
        for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + word.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + word.length);
          marks.add(range);
        }
      }
    }
    registry.set("grid-search", marks);
  }
}
