// How the saving stands; and on the site's undo and redo buttons, what they would do.

import { fill, gettext } from "../i18n.js";
import { debounce, request } from "../util.js";
import { h } from "./dom.js";

const ASK_AFTER = 400;

export class UndoButtons {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    const { grid } = panels;
    panels.right.append(h("button", { type: "button", class: "tg-saving", "data-grid-saving": true, "data-state": "saved", "aria-live": "polite" }, gettext("Saved")));
    // Asked when somebody comes near the buttons, and again when an edit arrives while they are there.
    this.near = false;
    const later = debounce(() => this.near && this.ask(), ASK_AFTER);
    for (const button of document.querySelectorAll("[data-undo], [data-redo]")) {
      for (const name of ["pointerenter", "focus"]) {
        button.addEventListener(name, () => {
          this.near = true;
          this.ask();
        });
      }
      for (const name of ["pointerleave", "blur"]) button.addEventListener(name, () => (this.near = false));
    }
    grid.addEventListener("rows", later);
  }

  async ask() {
    const url = document.body.dataset.undoUrl;
    if (!url) return;
    try {
      const response = await request(url);
      if (!response.ok || response.redirected) return;
      const next = await response.json();
      this.say("undo", next.undo ? fill(gettext("Undo: %(words)s"), { words: next.undo }) : gettext("There is nothing to undo."), "Ctrl+Z");
      this.say("redo", next.redo ? fill(gettext("Do again: %(words)s"), { words: next.redo }) : gettext("There is nothing to redo."), "Ctrl+Shift+Z");
    } catch {
      this.near = false; // no connection: the buttons say what they say without it
    }
  }

  /** @param {"undo" | "redo"} which @param {string} text @param {string} keys */
  say(which, text, keys) {
    for (const button of document.querySelectorAll(`[data-${which}]`)) button.setAttribute("title", `${text} (${keys})`);
  }
}
