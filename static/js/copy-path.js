// Paths as this person's workstation writes them. The platform is guessed from the browser once and then kept.
//
//   data-copy-path="scenes/SCN_010"   a button that copies the path (with data-paths-url, where the forms are asked for)
//   data-platforms                    the switch of the platform, with a button of data-platform each
//   data-path-form="windows"          shown while its platform is chosen (tree.css, by the root's data-platform)

import { copyText } from "./clipboard.js";
import { fill, gettext } from "./i18n.js";
import { toast } from "./toast.js";
import { request } from "./util.js";

const KEY = "aip.platform";
/** @type {Record<string, string>} */
const NAMES = { windows: "Windows", macos: "macOS", linux: "Linux" };

/** @returns {string} windows, macos or linux */
export function platform() {
  let kept = document.documentElement.dataset.platform ?? "";
  try {
    kept ||= localStorage.getItem(KEY) ?? "";
  } catch {
    kept ||= ""; // private mode: guessed anew
  }
  if (kept in NAMES) return kept;
  const told = /** @type {any} */ (navigator).userAgentData?.platform || navigator.platform || "";
  return /win/i.test(told) ? "windows" : /mac|iphone|ipad/i.test(told) ? "macos" : "linux";
}

/** @param {string} name */
function choose(name) {
  document.documentElement.dataset.platform = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    return; // private mode: it lasts until the page is left
  }
}

/** Press the button of the chosen platform. @param {ParentNode} root */
function showPlatform(root) {
  const now = platform();
  for (const button of root.querySelectorAll("button[data-platform]")) {
    if (button instanceof HTMLElement) button.setAttribute("aria-pressed", String(button.dataset.platform === now));
  }
}

/** @param {string} url of the three forms @param {string} path below the project */
export async function copyPath(url, path) {
  const answer = await request(`${url}?${new URLSearchParams({ path })}`).catch(() => null);
  if (!answer?.ok) {
    toast(gettext("The path could not be asked for. Check the connection and try again."), "error");
    return;
  }
  const now = platform();
  const form = (await answer.json())[now];
  if (form.path) await copyText(form.path, fill(gettext("Copied for %(platform)s: %(path)s"), { platform: NAMES[now], path: form.path }));
  else toast(form.note, "warning");
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const choice = target?.closest("button[data-platform]");
  if (choice instanceof HTMLElement) {
    choose(choice.dataset.platform ?? "");
    showPlatform(document);
  }
  const button = target?.closest("[data-copy-path]");
  if (button instanceof HTMLElement) {
    event.preventDefault();
    copyPath(button.dataset.pathsUrl ?? "", button.dataset.copyPath ?? "");
  }
});
document.documentElement.dataset.platform = platform();
document.addEventListener("htmx:load", (event) => showPlatform(/** @type {Element} */ (event.target)));
document.addEventListener("htmx:afterSettle", () => showPlatform(document)); // a morph puts the attribute back
showPlatform(document);
