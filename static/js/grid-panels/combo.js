// A field that picks from a list while typing; several values become chips. Korean initials find too.

import { match } from "../grid/hangul.js";
import { fill, gettext } from "../i18n.js";
import { icon, isComposing } from "../util.js";
import { h } from "./dom.js";

/** @typedef {import("../grid/stream.js").Option} Option */

const MOST = 100;
let number = 0;

/**
 * @param {{label: string, options: Option[], value: any[], several: boolean, change: (ids: any[]) => void, key?: string, placeholder?: string}} wanted
 * @returns {HTMLElement}
 */
export function combo({ label, options, value, several, change, key = "", placeholder = "" }) {
  number += 1;
  let chosen = [...value];
  let at = 0;
  /** @type {Option[]} */
  let shown = [];
  const list = h("div", { class: "gp-options", role: "listbox", id: `gp-list-${number}`, "aria-label": label, popover: "manual", "aria-multiselectable": several ? "true" : null });
  const input = /** @type {HTMLInputElement} */ (
    h("input", { role: "combobox", autocomplete: "off", "aria-label": label, "aria-expanded": "false", "aria-controls": list.id, "data-key": key || null })
  );
  const box = h("div", { class: "gp-combo input" }, input, list);
  const labelOf = (/** @type {any} */ id) => options.find((option) => option.id === id)?.label ?? String(id);
  const isOpen = () => list.matches(":popover-open");

  const close = () => {
    if (isOpen()) list.hidePopover();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const draw = () => {
    for (const chip of box.querySelectorAll(".gp-chip")) chip.remove();
    if (several) {
      input.before(
        ...chosen.map((id) =>
          h("span", { class: "gp-chip" }, labelOf(id), h("button", { type: "button", tabindex: -1, "aria-label": fill(gettext("Without %(name)s"), { name: labelOf(id) }), onclick: () => set(chosen.filter((one) => one !== id)) }, icon("x", "s"))),
        ),
      );
    }
    const text = several ? "" : labelOf(chosen[0] ?? "");
    if (document.activeElement !== input || several) input.value = document.activeElement === input ? input.value : text;
    input.placeholder = chosen.length ? "" : placeholder || gettext("Choose…");
  };
  const open = () => {
    const query = several || input.value !== labelOf(chosen[0] ?? "") ? input.value.trim() : "";
    const ranked = options.map((option) => ({ option, rank: query ? Math.min(...[option.label, String(option.hint ?? "")].map((text) => (text ? match(text, query) : -1)).map((rank) => (rank < 0 ? 9 : rank))) : 0 }));
    shown = ranked.filter(({ rank }) => rank < 9).sort((a, b) => a.rank - b.rank).map(({ option }) => option).slice(0, MOST);
    at = Math.max(0, Math.min(at, shown.length - 1));
    list.replaceChildren(
      ...shown.map((option, index) =>
        h(
          "div",
          { class: `gp-option${index === at ? " is-at" : ""}`, role: "option", id: `${list.id}-${index}`, "aria-selected": String(chosen.includes(option.id)), onpointerdown: (/** @type {Event} */ event) => event.preventDefault(), onclick: () => take(index) },
          option.color ? h("i", { class: "gp-color", style: { "--c": option.color } }) : null,
          h("span", {}, option.label),
          option.hint ? h("span", { class: "gp-hint" }, option.hint) : null,
          chosen.includes(option.id) ? icon("check", "s") : null,
        ),
      ),
    );
    if (!shown.length) list.append(h("p", { class: "dim" }, gettext("Nothing matches.")));
    if (!isOpen()) list.showPopover();
    const rect = box.getBoundingClientRect();
    list.style.minWidth = `${rect.width}px`;
    list.style.left = `${Math.max(8, Math.min(rect.left, innerWidth - list.offsetWidth - 8))}px`;
    list.style.top = `${rect.bottom + list.offsetHeight + 4 > innerHeight && rect.top > list.offsetHeight ? rect.top - list.offsetHeight - 3 : rect.bottom + 3}px`;
    input.setAttribute("aria-expanded", "true");
    mark();
  };
  const mark = () => {
    for (const [index, row] of [...list.children].entries()) row.classList.toggle("is-at", index === at);
    const row = list.children[at];
    if (!row?.id) return;
    row.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", row.id);
  };
  const set = (/** @type {any[]} */ ids) => {
    chosen = ids;
    input.value = several ? "" : labelOf(ids[0] ?? "");
    draw();
    change(ids);
  };
  const take = (/** @type {number} */ index) => {
    const option = shown[index];
    if (!option) return;
    if (!several) {
      set([option.id]);
      close();
      return;
    }
    set(chosen.includes(option.id) ? chosen.filter((id) => id !== option.id) : [...chosen, option.id]);
    if (input.isConnected) open();
  };

  input.addEventListener("focus", () => {
    at = 0;
    if (!several) input.select();
    open();
  });
  input.addEventListener("click", () => !isOpen() && open());
  input.addEventListener("blur", () => {
    close();
    if (!several) input.value = labelOf(chosen[0] ?? "");
    else input.value = "";
  });
  input.addEventListener("input", () => {
    at = 0;
    open();
  });
  input.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen()) open();
      else {
        at = (at + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(1, shown.length);
        mark();
      }
    } else if (event.key === "Enter" && isOpen()) {
      event.preventDefault();
      take(at);
    } else if (event.key === "Escape" && isOpen()) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Backspace" && several && !input.value && chosen.length) set(chosen.slice(0, -1));
  });
  box.addEventListener("pointerdown", (event) => {
    if (event.target === box) {
      event.preventDefault();
      input.focus();
    }
  });
  draw();
  return box;
}
