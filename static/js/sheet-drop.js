// The dialog that takes a sheet: a file is dropped on it or chosen; and the download of the present view.

import { onElements } from "./util.js";

onElements("[data-sheet-drop]", (dialog) => {
  const input = /** @type {HTMLInputElement | null} */ (dialog.querySelector('input[type="file"]'));
  const form = dialog.querySelector("form");
  if (!input || !form) return;
  const mark = (/** @type {boolean} */ over) => dialog.toggleAttribute("data-over", over);
  dialog.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    mark(true);
  });
  dialog.addEventListener("dragleave", () => mark(false));
  dialog.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    mark(false);
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
  input.addEventListener("change", () => {
    if (input.files?.length) form.requestSubmit();
  });
});

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-view-sheet]") : null;
  if (!(link instanceof HTMLAnchorElement)) return;
  // The view stands in the page's own address, in the words that the export understands.
  const url = new URL(link.href);
  url.search = location.search;
  link.href = url.href;
});
