// How rows look: height, lengths as timecode, frames or seconds, how many columns stand still.

import { gettext } from "../i18n.js";
import { icon } from "../util.js";
import { h, panelFor, select } from "./dom.js";

export class LookMenu {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    const button = h("button", { type: "button", class: "btn quiet icon-only", dataset: { panel: "look" }, "aria-label": gettext("Look of the rows"), title: gettext("Look of the rows") }, icon("rows"));
    panels.left.append(button);
    this.panel = panelFor(button, gettext("Look of the rows"), () => this.content(), { className: "gp-look" });
  }

  draw() {
    this.panel.redraw();
  }

  content() {
    const { config } = this.panels.state;
    const change = (/** @type {any} */ patch) => this.panels.state.change(patch, true);
    const most = Math.min(8, config.columns.length);
    return [
      this.choice(gettext("Row height"), "row", [["s", gettext("Low")], ["m", gettext("Middle")], ["l", gettext("High")]]),
      this.choice(gettext("Lengths"), "duration", [["timecode", gettext("Timecode")], ["frames", gettext("Frames")], ["seconds", gettext("Seconds")]]),
      h(
        "label",
        { class: "gp-pair" },
        gettext("Columns that stand still"),
        select(gettext("Columns that stand still"), Array.from({ length: most + 1 }, (_, n) => [n, String(n)]), config.frozen, (value) => change({ frozen: Number(value) }), { "data-key": "frozen" }),
      ),
    ];
  }

  /** @param {string} label @param {"row" | "duration"} key @param {[string, string][]} pairs */
  choice(label, key, pairs) {
    const { config } = this.panels.state;
    const buttons = pairs.map(([value, text]) => h("button", { type: "button", "data-key": `${key}-${value}`, "aria-pressed": String(config[key] === value), onclick: () => this.panels.state.change({ [key]: value }, true) }, text));
    return h("div", { class: "gp-pair" }, h("span", {}, label), h("div", { class: "segmented", role: "group", "aria-label": label }, buttons));
  }
}
