// Choose a cinematic preset for a selection of shots: one request, one undo step.

import { notice } from "./assets-warnings.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { toast } from "./toast.js";
import { request } from "./util.js";

/** @typedef {{id: number, name: string, camera: string, lens: string, film_stock: string, lighting: string, filters: string, warnings: any[]}} Preset */

/** @param {string} project its code @returns {Promise<Preset[]>} all presets by name */
async function presetsOf(project) {
  /** @type {Preset[]} */
  const found = [];
  let url = `/api/v1/projects/${encodeURIComponent(project)}/presets/?page_size=500`;
  while (url) {
    const response = await request(url);
    const body = await response.json();
    if (!response.ok) throw new Error(body.message);
    found.push(...body.results);
    url = body.next ?? "";
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

/** @param {Preset} preset @returns {HTMLLabelElement} */
function choice(preset) {
  const label = document.createElement("label");
  label.className = "preset-choice";
  const radio = document.createElement("input");
  radio.type = "radio";
  radio.name = "preset";
  radio.value = String(preset.id);
  const words = document.createElement("span");
  const name = document.createElement("b");
  name.textContent = preset.name;
  const facts = document.createElement("small");
  facts.textContent = [preset.camera, preset.lens, preset.film_stock, preset.lighting, preset.filters].filter(Boolean).join(" · ");
  words.append(name, facts);
  label.append(radio, words);
  if (preset.warnings.length) {
    const mark = document.createElement("span");
    mark.className = "preset-mark";
    mark.textContent = "⚠";
    mark.title = preset.warnings.map((warning) => warning.message).join("\n");
    label.append(mark);
  }
  return label;
}

/** @param {string} title @returns {{dialog: HTMLDialogElement, body: HTMLElement, apply: HTMLButtonElement, search: HTMLInputElement}} */
function frame(title) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog apply-preset";
  dialog.setAttribute("aria-labelledby", "apply-preset-title");
  const form = document.createElement("form");
  form.method = "dialog";
  const header = document.createElement("header");
  const heading = document.createElement("h2");
  heading.id = "apply-preset-title";
  heading.textContent = title;
  header.append(heading);
  const search = document.createElement("input");
  search.className = "input";
  search.type = "search";
  search.placeholder = gettext("Search");
  search.setAttribute("aria-label", gettext("Search"));
  const body = document.createElement("div");
  body.className = "body stack s";
  body.append(search);
  const footer = document.createElement("footer");
  const cancel = document.createElement("button");
  cancel.type = "button";
  cancel.className = "btn";
  cancel.textContent = gettext("Cancel");
  cancel.addEventListener("click", () => dialog.close());
  const apply = document.createElement("button");
  apply.className = "btn primary";
  apply.textContent = gettext("Apply");
  apply.disabled = true;
  footer.append(cancel, apply);
  form.append(header, body, footer);
  dialog.append(form);
  document.body.append(dialog);
  return { dialog, body, apply, search };
}

/**
 * @param {string} project its code @param {number[]} ids of the shots
 * @returns {Promise<number[]>} the shots that were changed; none when the person leaves it
 */
export async function openApplyPreset(project, ids) {
  if (!ids.length) {
    toast(gettext("Choose the shots first."), "info");
    return [];
  }
  /** @type {Preset[]} */
  let presets;
  try {
    presets = await presetsOf(project);
  } catch (error) {
    toast(error instanceof Error && error.message ? error.message : gettext("The server does not answer. Try again."), "error");
    return [];
  }
  if (!presets.length) {
    toast(gettext("There are no presets yet. Add them in the library."), "info");
    return [];
  }
  const count = ids.length;
  const title = fill(ngettext("Preset for %(n)s shot", "Preset for %(n)s shots", count), { n: count });
  const { dialog, body, apply, search } = frame(title);
  const list = document.createElement("div");
  list.className = "preset-choices";
  list.setAttribute("role", "radiogroup");
  list.setAttribute("aria-label", title);
  const rows = presets.map((preset) => ({ preset, row: choice(preset) }));
  list.append(...rows.map(({ row }) => row));
  const told = document.createElement("div");
  told.className = "stack s";
  told.setAttribute("role", "status");
  body.append(list, told);
  search.addEventListener("input", () => {
    const wanted = search.value.normalize("NFC").toLowerCase();
    for (const { row } of rows) row.hidden = !(row.textContent ?? "").normalize("NFC").toLowerCase().includes(wanted);
  });
  const chosen = () => {
    const radio = list.querySelector("input:checked");
    return presets.find((preset) => radio instanceof HTMLInputElement && preset.id === Number(radio.value));
  };
  list.addEventListener("change", () => {
    apply.disabled = false;
    told.replaceChildren(...(chosen()?.warnings ?? []).map(notice));
  });
  return new Promise((resolve) => {
    /** @type {number[]} */
    let changed = [];
    dialog.querySelector("form")?.addEventListener("submit", async (event) => {
      event.preventDefault();
      const preset = chosen();
      if (!preset || apply.disabled) return;
      apply.disabled = true;
      const url = `/api/v1/projects/${encodeURIComponent(project)}/presets/${preset.id}/apply/`;
      const response = await request(url, { method: "POST", json: { shots: ids } }).catch(() => null);
      const answer = (await response?.json().catch(() => ({}))) ?? {};
      apply.disabled = false;
      if (!response?.ok) {
        toast(String(answer.message ?? gettext("The server does not answer. Try again.")), "error");
        return;
      }
      changed = answer.changed;
      toast(fill(gettext("“%(preset)s” is applied. Ctrl+Z takes it back."), { preset: preset.name }), "success");
      document.dispatchEvent(new CustomEvent("aip:changed", { detail: { by: "preset", ids: changed } }));
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(changed);
    });
    dialog.showModal();
  });
}
