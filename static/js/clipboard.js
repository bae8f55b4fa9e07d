// Text to the clipboard, also on plain http, where there is no clipboard API.

import { gettext } from "./i18n.js";
import { toast } from "./toast.js";

/** @param {string} text @param {string} [said] what the toast says when it is done @returns {Promise<void>} */
export async function copyText(text, said = gettext("Copied.")) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const box = document.createElement("textarea");
    box.value = text;
    box.className = "sr";
    (document.querySelector("dialog[open]") ?? document.body).append(box);
    const before = document.activeElement;
    box.select();
    document.execCommand("copy");
    box.remove();
    if (before instanceof HTMLElement) before.focus();
  }
  toast(said, "success");
}
