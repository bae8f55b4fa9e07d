// The page on which a workflow is brought along: a file is dropped, the table of its slots is corrected.

import { onElements, readData } from "./util.js";

/** @typedef {{node: string, label: string, inputs: [string, string, string][]}} NodeInputs */

onElements("[data-workflow-drop]", (element) => {
  const form = /** @type {HTMLFormElement} */ (element);
  const input = /** @type {HTMLInputElement} */ (form.querySelector('input[type="file"]'));
  const text = form.querySelector("textarea");
  const mark = (/** @type {boolean} */ over) => form.toggleAttribute("data-over", over);
  const page = form.closest(".workflow-page") ?? form;
  page.addEventListener("dragover", (event) => {
    if (!(event instanceof DragEvent) || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    mark(true);
  });
  page.addEventListener("dragleave", () => mark(false));
  page.addEventListener("drop", (event) => {
    if (!(event instanceof DragEvent) || !event.dataTransfer?.files.length || !form.isConnected) return;
    event.preventDefault();
    mark(false);
    send(event.dataTransfer.files);
  });
  form.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return; // a text goes into its field
    event.preventDefault();
    send(files);
  });
  input.addEventListener("change", () => {
    if (!input.files?.length) return;
    if (text) text.value = "";
    form.requestSubmit();
  });

  /** @param {FileList} files */
  function send(files) {
    input.files = files;
    if (text) text.value = "";
    form.requestSubmit();
  }
});

onElements("[data-workflow-form]", (form) => {
  const lines = /** @type {HTMLElement} */ (form.querySelector("[data-lines]"));
  const template = /** @type {HTMLTemplateElement} */ (form.querySelector("[data-line-template]"));
  /** @type {NodeInputs[]} */
  const nodes = readData("workflow-inputs") ?? [];
  /** @type {Map<string, string>} */
  const values = new Map();
  for (const { node, inputs } of nodes) {
    for (const [name, value] of inputs) values.set(place(node, name), value);
  }

  form.querySelector("[data-line-add]")?.addEventListener("click", () => {
    const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    lines.append(row);
    /** @type {HTMLElement | null} */ (row.querySelector('input[name="slot"]'))?.focus();
  });

  form.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-line-remove]") : null;
    button?.closest("[data-line]")?.remove();
  });

  // Hundreds of inputs in every line would be a heavy page: a drop-down is filled when it is about to open.
  for (const type of ["focusin", "pointerdown"]) {
    form.addEventListener(type, (event) => {
      if (event.target instanceof HTMLSelectElement && event.target.matches("[data-place]")) fill(event.target);
    });
  }

  form.addEventListener("change", (event) => {
    const select = event.target;
    if (!(select instanceof HTMLSelectElement) || !select.matches("[data-place]")) return;
    const shown = select.closest("[data-line]")?.querySelector("[data-value]");
    if (shown) shown.textContent = values.get(select.value) ?? "";
    const option = select.selectedOptions[0];
    const label = option?.parentElement instanceof HTMLOptGroupElement ? option.parentElement.label : "";
    if (label) option.textContent = `${JSON.parse(select.value)[1]} · ${label}`;
    select.title = option?.textContent ?? "";
  });

  /** @param {HTMLSelectElement} select */
  function fill(select) {
    if (select.dataset.filled) return;
    select.dataset.filled = "1";
    const chosen = select.value;
    const groups = nodes.map(({ node, label, inputs }) => {
      const group = document.createElement("optgroup");
      group.label = label;
      for (const [name, value] of inputs) {
        const key = place(node, name);
        const option = new Option(value ? `${name} = ${value}` : name, key, key === chosen, key === chosen);
        // A chosen line says its node too: the group's name is not seen when the list is closed.
        if (key === chosen) option.textContent = `${name} · ${label}`;
        group.append(option);
      }
      return group;
    });
    const empty = chosen ? [] : [...select.options];
    select.replaceChildren(...empty, ...groups);
    select.value = chosen;
  }
});

/** @param {string} node @param {string} name */
function place(node, name) {
  return JSON.stringify([node, name]);
}
