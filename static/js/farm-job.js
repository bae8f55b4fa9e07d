// The pages of one job and of one batch: pictures while they are made, texts to copy.

import { copyText } from "./clipboard.js";
import { startPreviews } from "./farm-preview.js";

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy-text]") : null;
  if (!(button instanceof HTMLElement)) return;
  copyText(document.getElementById(button.dataset.copyText ?? "")?.textContent?.trim() ?? "");
});
startPreviews();
