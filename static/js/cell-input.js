// The one text input of a table. It always lies over the active cell and always holds the focus, invisible, so that
// the first syllable of an input method is composed in it and not lost; it turns into the editor when text comes.

import { gettext } from "./i18n.js";
import { parseLength, parseRate } from "./timecode.js";
import { toast } from "./toast.js";
import { htmx, isComposing, readData } from "./util.js";

const ONE_LINE = 48;
const TYPED = new Set(["text", "longtext", "number", "duration"]);

export class CellInput {
  /** @param {import("./shotlist.js").ShotList} list */
  constructor(list) {
    this.list = list;
    /** @type {HTMLTableCellElement | null} */
    this.cell = null;
    /** @type {"rest" | "text" | "choice" | "remote"} */
    this.mode = "rest";
    this.holder = list.root.querySelector(".sheet-scroll") ?? list.root;
    this.area = document.createElement("textarea");
    this.area.className = "cell-input";
    this.area.rows = 1;
    this.area.hidden = true;
    this.area.spellcheck = false;
    this.area.autocomplete = "off";
    this.area.dataset.idle = "";
    this.select = document.createElement("select");
    this.select.className = "cell-input cell-select";
    this.select.hidden = true;
    this.popup = document.createElement("div");
    this.popup.className = "cell-popup menu";
    this.popup.popover = "auto";
    this.holder.append(this.area, this.select, this.popup);
    this.bind();
  }

  get isOpen() {
    return this.mode !== "rest";
  }

  bind() {
    this.area.addEventListener("compositionstart", () => this.begin());
    this.area.addEventListener("input", () => {
      this.begin();
      this.grow();
    });
    this.area.addEventListener("keydown", (event) => this.onKey(event));
    this.area.addEventListener("blur", () => {
      if (this.mode === "text") this.commit();
      this.cell?.classList.toggle("is-active", false);
    });
    this.area.addEventListener("focus", () => this.cell?.classList.add("is-active"));
    this.select.addEventListener("change", () => this.commitChoice());
    this.select.addEventListener("blur", () => this.mode === "choice" && this.close());
    this.select.addEventListener("keydown", (event) => {
      if (isComposing(event)) return;
      if (event.key === "Escape" || event.key === "Tab") {
        event.preventDefault();
        this.close();
        if (event.key === "Tab") this.list.move(0, event.shiftKey ? -1 : 1);
      }
    });
    this.popup.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "closed" && this.mode === "remote") this.close();
    });
    this.popup.addEventListener("htmx:afterRequest", (event) => {
      const { successful, requestConfig } = /** @type {CustomEvent} */ (event).detail;
      if (successful && requestConfig.verb !== "get") this.popup.hidePopover();
    });
  }

  /** Lie invisible over the active cell, with the focus. @param {HTMLTableCellElement} cell */
  rest(cell) {
    if (this.isOpen && this.cell !== cell) this.commit();
    this.follow(cell);
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(0, 0);
  }

  /** Only the place: the focus stays where the person has it. @param {HTMLTableCellElement} cell */
  follow(cell) {
    this.cell = cell;
    this.area.hidden = false;
    const head = this.list.root.querySelector(`th[data-column="${CSS.escape(cell.dataset.field ?? "")}"]`)?.textContent?.trim() ?? "";
    this.area.setAttribute("aria-label", `${head}: ${cell.textContent?.trim() ?? ""}`);
    this.place(this.area);
  }

  /** @param {HTMLElement} element */
  place(element) {
    if (!this.cell) return;
    const cell = this.cell.getBoundingClientRect();
    const holder = this.holder.getBoundingClientRect();
    element.style.left = `${cell.left - holder.left + this.holder.scrollLeft}px`;
    element.style.top = `${cell.top - holder.top + this.holder.scrollTop}px`;
    element.style.width = `${cell.width}px`;
    element.style.minHeight = `${cell.height}px`;
    element.style.height = `${cell.height}px`;
  }

  hide() {
    this.area.hidden = true;
    this.cell = null;
    this.area.blur();
  }

  /** Text arrives while resting: it replaces the cell's text. */
  begin() {
    if (this.isOpen || !this.cell) return;
    const kind = this.cell.dataset.editor ?? "";
    if (TYPED.has(kind) && !this.refuses(this.cell)) {
      this.show("text");
      return;
    }
    this.area.value = "";
    if (kind === "choice" || kind === "remote") this.open(this.cell);
  }

  /** @param {HTMLTableCellElement} cell */
  refuses(cell) {
    return !cell.dataset.editor || cell.getAttribute("aria-readonly") === "true";
  }

  /** Open with the present value. @param {HTMLTableCellElement} cell */
  open(cell) {
    if (this.cell !== cell) this.list.activate(cell);
    if (this.refuses(cell)) {
      if (cell.dataset.why) toast(cell.dataset.why, "info");
      return;
    }
    const kind = cell.dataset.editor ?? "";
    if (kind === "choice") this.openChoice();
    else if (kind === "remote") this.openRemote();
    else if (kind === "check") this.list.save(cell, cell.dataset.value === "true" ? "false" : "true");
    else {
      this.area.value = cell.dataset.value ?? "";
      this.show("text");
      this.area.focus({ preventScroll: true });
      this.area.setSelectionRange(this.area.value.length, this.area.value.length);
      if (kind === "number" || kind === "duration") this.area.select();
      this.grow();
    }
  }

  /** @param {"text" | "choice" | "remote"} mode */
  show(mode) {
    this.mode = mode;
    this.cell?.classList.add("is-editing");
    if (mode !== "text") return;
    delete this.area.dataset.idle;
    this.area.classList.add("is-open");
    this.area.classList.toggle("is-long", this.cell?.dataset.editor === "longtext");
    this.area.removeAttribute("aria-invalid");
  }

  grow() {
    if (this.mode !== "text" || this.cell?.dataset.editor !== "longtext") return;
    this.area.classList.remove("is-one");
    this.area.style.height = "auto";
    this.area.classList.toggle("is-one", this.area.scrollHeight <= ONE_LINE);
    this.area.style.height = `${Math.min(220, this.area.scrollHeight + 2)}px`;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (isComposing(event)) return;
    if (this.mode === "rest") {
      if (this.list.key(event)) {
        event.preventDefault();
        event.stopPropagation();
      } else if ((event.key === "Delete" || event.key === "Backspace") && this.cell && TYPED.has(this.cell.dataset.editor ?? "")) {
        event.preventDefault();
        if (["text", "longtext"].includes(this.cell.dataset.editor ?? "") && !this.refuses(this.cell)) this.list.save(this.cell, "");
      }
      return;
    }
    const newLine = event.key === "Enter" && (event.altKey || event.shiftKey) && this.cell?.dataset.editor === "longtext";
    if (newLine) {
      if (event.altKey) {
        event.preventDefault();
        this.area.setRangeText("\n", this.area.selectionStart, this.area.selectionEnd, "end");
        this.grow();
      }
      return;
    }
    if (event.key === "Enter" || event.key === "Tab") {
      event.preventDefault();
      if (!this.commit()) return;
      if (event.key === "Tab") this.list.move(0, event.shiftKey ? -1 : 1);
      else this.list.move(event.shiftKey ? -1 : 1, 0);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
  }

  /** @returns {boolean} false when the text cannot be taken and the editor stays open */
  commit() {
    const { cell } = this;
    if (this.mode !== "text" || !cell) return true;
    const text = this.area.value.trim();
    if (cell.dataset.editor === "duration") {
      const frames = parseLength(text, parseRate(this.list.root.dataset.fps || "24"));
      if (frames === null) return this.refuse(gettext("Write a length as frames (72), seconds (3s) or timecode (00:00:03:00)."));
      this.close();
      this.list.save(cell, String(frames));
      return true;
    }
    if (cell.dataset.editor === "number" && text !== "" && !/^-?\d+$/.test(text)) return this.refuse(gettext("Write a whole number."));
    this.close();
    this.list.save(cell, text);
    return true;
  }

  /** @param {string} why */
  refuse(why) {
    if (document.activeElement !== this.area) {
      this.close();
      toast(why, "warning");
      return true;
    }
    this.area.setAttribute("aria-invalid", "true");
    toast(why, "warning");
    return false;
  }

  openChoice() {
    const { cell } = this;
    if (!cell) return;
    /** @type {[string, string][]} */
    const choices = readData(cell.dataset.choices ?? "") ?? [];
    this.select.replaceChildren(...choices.map(([value, label]) => new Option(label, value, false, value === (cell.dataset.value ?? ""))));
    this.select.hidden = false;
    this.place(this.select);
    this.show("choice");
    this.select.focus({ preventScroll: true });
    try {
      this.select.showPicker?.();
    } catch {
      this.select.dataset.picker = "none"; // without a user gesture the list opens with the next key
    }
  }

  commitChoice() {
    const { cell } = this;
    const option = this.select.selectedOptions[0];
    this.close();
    if (cell && option) this.list.save(cell, option.value, option.text);
  }

  async openRemote() {
    const { cell } = this;
    const url = cell?.dataset.editorUrl;
    if (!cell || !url) return;
    this.show("remote");
    this.popup.replaceChildren();
    await htmx().ajax("GET", url, { source: cell, target: this.popup, swap: "innerHTML" });
    if (this.mode !== "remote") return;
    this.popup.showPopover();
    const at = cell.getBoundingClientRect();
    this.popup.style.left = `${Math.max(8, Math.min(at.left, innerWidth - this.popup.offsetWidth - 8))}px`;
    this.popup.style.top = `${Math.max(8, Math.min(at.bottom + 2, innerHeight - this.popup.offsetHeight - 8))}px`;
    const first = this.popup.querySelector("input, button, select");
    if (first instanceof HTMLElement) first.focus();
  }

  /** Back to rest; nothing is saved. */
  close() {
    if (this.mode === "rest") return;
    const { cell } = this;
    const hadFocus = this.holder.contains(document.activeElement) || document.activeElement === document.body;
    this.mode = "rest";
    this.select.hidden = true;
    if (this.popup.matches(":popover-open")) this.popup.hidePopover();
    this.area.value = "";
    this.area.dataset.idle = "";
    this.area.classList.remove("is-open", "is-long", "is-one");
    cell?.classList.remove("is-editing");
    if (cell?.isConnected) {
      this.place(this.area);
      if (hadFocus) this.area.focus({ preventScroll: true });
    } else this.list.restore();
  }
}
