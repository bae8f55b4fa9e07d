// The library's pages: fields that save themselves, references, LoRAs, presets.

import { fieldSets, startFields } from "./assets-fields.js";
import { startReferences } from "./assets-references.js";
import { startWarnings } from "./assets-warnings.js";
import { gettext } from "./i18n.js";
import { toast } from "./toast.js";
import { onElements, request } from "./util.js";

/** @param {string} url @param {object} [json] @returns {Promise<any>} the answer, or null after its error was told */
async function post(url, json = {}) {
  try {
    const response = await request(url, { method: "POST", json });
    const body = await response.json().catch(() => ({}));
    if (response.ok) return body;
    toast(String(body.message ?? gettext("Not saved.")), response.status === 409 ? "warning" : "error");
  } catch {
    toast(gettext("The server does not answer. Try again."), "error");
  }
  return null;
}

/** The strength that an engine gets: the file's own times the character's. @param {HTMLElement} form */
function showStrength(form) {
  const output = form.querySelector("[data-effective]");
  const select = form.querySelector('[data-control="lora"]');
  const use = form.querySelector('[data-control="use_lora"]');
  const own = form.querySelector('[data-control="lora_strength"]');
  if (!output || !(select instanceof HTMLSelectElement) || !(use instanceof HTMLInputElement) || !(own instanceof HTMLInputElement)) return;
  const chosen = select.selectedOptions[0];
  const strength = use.checked && select.value ? Number(chosen?.dataset.strength ?? 0) * Number(own.value || 0) : 0;
  output.textContent = strength.toFixed(2);
  output.toggleAttribute("data-off", strength === 0);
  const words = form.querySelector("[data-lora-words]");
  const text = chosen?.dataset.words ?? "";
  if (words instanceof HTMLElement) {
    words.hidden = !text;
    words.textContent = text ? `${gettext("Of the LoRA:")} ${text}` : "";
  }
}

/** @param {HTMLElement} holder the colour's field: the picker and the text are one value */
function joinSwatch(holder) {
  const picker = /** @type {HTMLInputElement} */ (holder);
  const field = holder.closest("[data-field]");
  const text = field?.querySelector('[data-control="color"]');
  if (!(text instanceof HTMLInputElement)) return;
  picker.addEventListener("input", () => {
    text.value = picker.value;
  });
  const follow = () => {
    if (/^#[0-9a-f]{6}$/i.test(text.value)) picker.value = text.value;
  };
  text.addEventListener("input", follow);
  field?.closest("form")?.addEventListener("aip:row", follow);
}

/** @param {HTMLElement} element */
function newLora(element) {
  const form = /** @type {HTMLFormElement} */ (element);
  const errors = form.querySelector("[data-new-lora-errors]");
  const control = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  control("path").addEventListener("change", () => {
    const stem = control("path").value.split(/[/\\]/).pop()?.replace(/\.\w+$/, "") ?? "";
    if (!control("name").value) control("name").value = stem;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const names = ["path", "name", "base_model", "trigger_words"];
    const values = Object.fromEntries(names.map((name) => [name, control(name).value.trim()]));
    const response = await request(form.dataset.newLora ?? "", {
      method: "POST",
      json: { ...values, strength: Number(control("strength").value) },
    }).catch(() => null);
    const body = (await response?.json().catch(() => ({}))) ?? {};
    if (!response?.ok) {
      if (errors) errors.textContent = String(body.message ?? gettext("The server does not answer. Try again."));
      return;
    }
    if (errors) errors.textContent = "";
    const select = document.querySelector('select[data-control="lora"]');
    const option = new Option(`${body.name} · ${body.path}`, String(body.id));
    option.dataset.strength = String(body.strength);
    option.dataset.words = body.trigger_words;
    select?.append(option);
    form.reset();
    form.closest("dialog")?.close();
    for (const set of fieldSets()) {
      if (!set.fields.has("lora")) continue;
      set.put("lora", body.id);
      if (!set.fields.get("use_lora")?.control.read()) set.put("use_lora", true);
    }
  });
}

startFields();
startReferences();
startWarnings();
onElements("[data-swatch]", joinSwatch);
onElements("[data-new-lora]", newLora);
onElements("#asset-form", (form) => {
  showStrength(form);
  for (const type of ["aip:field", "aip:row", "input"]) form.addEventListener(type, () => showStrength(form));
});

document.addEventListener("aip:row", (event) => {
  const { row } = /** @type {CustomEvent} */ (event).detail;
  const title = document.getElementById("asset-title");
  if (title && event.target instanceof Element && event.target.id === "asset-form" && row.name) title.textContent = row.name;
});

document.addEventListener("click", async (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const clone = target?.closest("[data-clone]");
  if (clone instanceof HTMLElement) {
    const made = await post(clone.dataset.clone ?? "");
    if (made) location.assign((clone.dataset.goto ?? "").replace("/0/", `/${made.id}/`));
  }
  const starters = target?.closest("[data-starters]");
  if (starters instanceof HTMLElement) {
    const made = await post(starters.dataset.starters ?? "");
    if (made) location.reload();
  }
});
