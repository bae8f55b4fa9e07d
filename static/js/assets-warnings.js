// What the rules say of a preset while it is written, before anything is saved.

import { debounce, icon, onElements, request } from "./util.js";

const FIELDS = ["camera", "lens", "film_stock", "lighting", "filters"];

/** @typedef {{rule: string, level: string, fields: string[], message: string, remedy: string}} Warning */

/** @param {HTMLElement} form @param {Warning[]} warnings */
function show(form, warnings) {
  const place = form.querySelector("[data-warnings]");
  place?.replaceChildren(...warnings.map(notice));
  const odd = new Set(warnings.flatMap((warning) => warning.fields));
  for (const name of FIELDS) form.querySelector(`[data-field="${name}"]`)?.classList.toggle("is-odd", odd.has(name));
}

/** @param {Warning} warning @returns {HTMLElement} */
export function notice(warning) {
  const box = document.createElement("div");
  box.className = `notice ${warning.level === "impossible" ? "bad" : "warn"}`;
  box.dataset.rule = warning.rule;
  const words = document.createElement("div");
  const message = document.createElement("b");
  message.textContent = warning.message;
  const remedy = document.createElement("span");
  remedy.textContent = warning.remedy;
  words.append(message, " ", remedy);
  box.append(icon("warning"), words);
  return box;
}

/** @param {HTMLElement} form */
function watch(form) {
  let asked = 0;
  const ask = async () => {
    asked += 1;
    const mine = asked;
    /** @type {Record<string, string>} */
    const values = {};
    for (const name of FIELDS) {
      const control = form.querySelector(`[data-control="${name}"]`);
      if (control instanceof HTMLInputElement) values[name] = control.value;
    }
    try {
      const response = await request(form.dataset.check ?? "", { method: "POST", json: values });
      // Of several answers only that to the newest question counts.
      if (response.ok && mine === asked) show(form, (await response.json()).warnings);
    } catch {
      // Away: the save that follows tells so.
    }
  };
  const soon = debounce(ask, 200);
  form.addEventListener("aip:field", soon);
  form.addEventListener("aip:row", soon);
  ask();
}

export function startWarnings() {
  onElements("[data-check]", watch);
}
