// The page of an imported sheet: what to take is said by mouse or keys, kept on the server at once.

import { gettext } from "./i18n.js";
import { toast } from "./toast.js";
import { htmx, isTextField, isComposing, keyName, onElements, request } from "./util.js";

/** @typedef {{scope: string, key: string, accept: boolean | null}} Word */
/** @typedef {{cells: number, rows: number, open: number}} Will */

class SheetDiff {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.url = root.dataset.decideUrl ?? "";
    /** @type {Promise<unknown>} one request after the other, so that the newest word is the last */
    this.line = Promise.resolve();
    root.addEventListener("click", (event) => this.onClick(event));
    root.addEventListener("change", (event) => this.onChange(event));
    root.addEventListener("keydown", (event) => this.onKey(event));
    this.places()[0]?.setAttribute("tabindex", "0");
    const told = /** @type {HTMLElement | null} */ (root.querySelector("[data-applied-toast]"));
    if (told) toast(told.dataset.appliedToast ?? "", "success", { undo: true });
  }

  /** Everything on this page about which something can be said. @returns {HTMLElement[]} */
  places() {
    return /** @type {HTMLElement[]} */ ([...this.root.querySelectorAll("[data-cell]")]);
  }

  /** @param {Event} event */
  onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    const button = /** @type {HTMLElement | null} */ (target?.closest("button[data-accept]") ?? null);
    const place = /** @type {HTMLElement | null} */ (target?.closest("[data-cell]") ?? null);
    if (button?.dataset.say) {
      this.sayWhole({ scope: button.dataset.say, key: button.dataset.key ?? "", accept: button.dataset.accept === "1" });
    } else if (button && place) {
      this.focus(place);
      this.say(place, button.dataset.accept === "1");
    } else if (place) {
      this.focus(place);
    }
  }

  /** @param {Event} event */
  onChange(event) {
    const box = event.target;
    if (!(box instanceof HTMLInputElement)) return;
    if (box.dataset.move) this.send([{ scope: "cell", key: box.dataset.move, accept: box.checked }]);
    if ("skipErrors" in box.dataset) this.sayWhole({ scope: "errors", key: "", accept: box.checked });
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (isComposing(event) || event.ctrlKey || event.metaKey || event.altKey || isTextField(document.activeElement)) return;
    const place = document.activeElement?.closest("[data-cell]");
    if (!(place instanceof HTMLElement)) return;
    const key = keyName(event);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e6, End: 1e6 }[event.key];
    if (step) {
      const all = this.places();
      const next = Math.max(0, Math.min(all.length - 1, all.indexOf(place) + step));
      this.focus(all[next]);
    } else if (event.key === " " || event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const take = event.key === " " ? place.dataset.take !== "1" : event.key === "ArrowRight";
      this.say(place, take);
    } else if (key === "a" || key === "r") {
      this.say(place, key === "a");
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {HTMLElement | undefined} place */
  focus(place) {
    if (!place) return;
    for (const other of this.root.querySelectorAll('[data-cell][tabindex="0"]')) other.setAttribute("tabindex", "-1");
    place.setAttribute("tabindex", "0");
    place.focus({ preventScroll: false });
    place.scrollIntoView({ block: "nearest" });
  }

  /** One cell, or one row that is new or missing. @param {HTMLElement} place @param {boolean} accept */
  say(place, accept) {
    place.dataset.take = accept ? "1" : "0";
    delete place.dataset.open;
    for (const button of place.querySelectorAll("button[data-accept]")) {
      button.setAttribute("aria-pressed", String((button instanceof HTMLElement && button.dataset.accept === "1") === accept));
    }
    this.send([{ scope: place.dataset.scope ?? "cell", key: place.dataset.cell ?? "", accept }]);
  }

  /** Many at once: the page is drawn anew. @param {Word} word */
  async sayWhole(word) {
    if (!(await this.send([word]))) return;
    const scroll = this.root.querySelector(".diff-scroll")?.scrollTop ?? 0;
    await htmx().ajax("GET", location.pathname + location.search, { target: "#sheet-import-page", swap: "outerHTML" });
    const again = document.querySelector("#sheet-import-page .diff-scroll");
    if (again) again.scrollTop = scroll;
  }

  /** @param {Word[]} words @returns {Promise<boolean>} false when it was not kept; the person is told */
  send(words) {
    const work = this.line.then(async () => {
      try {
        const answer = await request(this.url, { method: "POST", json: { words } });
        if (!answer.ok) throw new Error(String(answer.status));
        this.tell((await answer.json()).apply);
        return true;
      } catch {
        toast(gettext("This choice was not kept. Reload the page and try again."), "error");
        return false;
      }
    });
    this.line = work;
    return work;
  }

  /** @param {Will} will */
  tell(will) {
    const set = (/** @type {string} */ name, /** @type {number} */ value) => {
      const element = this.root.querySelector(`[data-diff-foot] [data-${name}]`);
      if (element) element.textContent = String(value);
    };
    set("cells", will.cells);
    set("rows", will.rows);
    set("open", will.open);
    const open = /** @type {HTMLElement | null} */ (this.root.querySelector("[data-open-text]"));
    if (open) open.hidden = !will.open;
    const apply = /** @type {HTMLButtonElement | null} */ (this.root.querySelector("[data-apply]"));
    const skip = /** @type {HTMLInputElement | null} */ (this.root.querySelector("[data-skip-errors]"));
    if (apply) apply.disabled = (!will.cells && !will.rows) || (skip !== null && !skip.checked);
  }
}

onElements("[data-sheet-diff]", (element) => new SheetDiff(element));
onElements("[data-resubmit]", (element) => {
  element.addEventListener("change", () => element.closest("form")?.requestSubmit());
});
