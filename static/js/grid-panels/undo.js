// Undo and redo with what they would do, and how the saving stands.

import { gettext } from "../i18n.js";
import { h, iconButton } from "./dom.js";

export class UndoButtons {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    const { grid } = panels;
    const saving = h("button", { type: "button", class: "gp-saving", "data-grid-saving": true, "data-state": "saved", "aria-live": "polite" }, gettext("Saved"));
    this.undo = iconButton("undo", gettext("Undo"), () => grid.command("undo"), { title: `${gettext("Undo")} (Ctrl+Z)`, class: "btn quiet icon-only" });
    this.redo = iconButton("redo", gettext("Redo"), () => grid.command("redo"), { title: `${gettext("Redo")} (Ctrl+Shift+Z)`, class: "btn quiet icon-only" });
    panels.right.append(h("span", { class: "gp-line" }), this.undo, this.redo, saving);
  }
}
