// A row of chips under the toolbar: what is filtered, sorted and grouped, each with its way out.

import { partsOf } from "../grid/filter.js";
import { fill, gettext } from "../i18n.js";
import { icon } from "../util.js";
import { h } from "./dom.js";
import { nodeWords } from "./filter-words.js";

/** @typedef {import("../grid/filter.js").Node} Node */

export class Chips {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    panels.below.setAttribute("aria-label", gettext("What limits the rows"));
  }

  draw() {
    const { state, below } = this.panels;
    const { filter } = state.config;
    below.hidden = !filter;
    if (!filter) {
      below.replaceChildren();
      return;
    }
    const parts = partsOf(filter);
    const join = "or" in filter ? "or" : "and";
    const without = (/** @type {number} */ index) => {
      const rest = (parts ?? []).filter((part, at) => at !== index);
      state.change({ filter: rest.length ? /** @type {Node} */ ({ [join]: rest }) : null });
    };
    const chips = (parts ?? [filter]).flatMap((part, index) => {
      const words = nodeWords(this.panels, part);
      const chip = h(
        "span",
        { class: "gp-chip" },
        h("button", { type: "button", class: "gp-chip-text", title: words, onclick: () => this.panels.filter.panel.open() }, words),
        h("button", { type: "button", "aria-label": fill(gettext("Remove: %(words)s"), { words }), onclick: () => without(index) }, icon("x", "s")),
      );
      return index ? [h("span", { class: "faint" }, join === "or" ? gettext("or") : gettext("and")), chip] : [chip];
    });
    below.replaceChildren(icon("filter", "s"), ...chips, h("button", { type: "button", class: "btn quiet s", onclick: () => state.change({ filter: null }) }, gettext("Clear all")));
  }
}
