// Reference pictures: dropped or chosen, several at once, each with its progress and its own error.

import { fill, gettext } from "./i18n.js";
import { refresh } from "./refresh.js";
import { toast } from "./toast.js";
import { csrfToken, onElements, request, tabId } from "./util.js";

const LARGEST = 2 * 1024 ** 3;
const PICTURE = /\.(png|jpe?g|webp|tiff?|exr)$/i;

/**
 * @param {string} url @param {File} file @param {(share: number) => void} progress
 * @returns {Promise<string>} "" when it is published, else what is wrong
 */
function send(url, file, progress) {
  const body = new FormData();
  body.append("file", file);
  body.append("comment", file.name.slice(0, 500));
  return new Promise((resolve) => {
    // fetch tells nothing of an upload's progress.
    const xhr = new XMLHttpRequest();
    xhr.open("POST", url);
    xhr.setRequestHeader("X-CSRFToken", csrfToken());
    xhr.setRequestHeader("X-AIP-Tab", tabId());
    xhr.setRequestHeader("Accept", "application/json");
    xhr.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
    xhr.addEventListener("load", () => {
      if (xhr.status === 201) return resolve("");
      let message = "";
      try {
        message = JSON.parse(xhr.responseText).message ?? "";
      } catch {
        message = xhr.status === 413 ? gettext("The file is too large for the server.") : "";
      }
      return resolve(message || fill(gettext("The server refused it (%(status)s)."), { status: xhr.status }));
    });
    xhr.addEventListener("error", () => resolve(gettext("The server does not answer. Try again.")));
    xhr.send(body);
  });
}

/** @param {File} file @returns {string} why it is not taken, or "" */
function refusal(file) {
  if (!PICTURE.test(file.name)) return gettext("This is no picture: PNG, JPEG, WebP, TIFF or EXR.");
  if (file.size > LARGEST) return gettext("The file is larger than 2 GB.");
  return file.size ? "" : gettext("The file is empty.");
}

class Drop {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.list = /** @type {HTMLElement} */ (root.querySelector("[data-uploads]"));
    this.queue = Promise.resolve();
    const input = /** @type {HTMLInputElement} */ (root.querySelector("input[type=file]"));
    input.addEventListener("change", () => {
      this.take([...(input.files ?? [])]);
      input.value = "";
    });
    let depth = 0;
    const over = (/** @type {boolean} */ on) => root.classList.toggle("is-over", on);
    const holdsFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    const area = root.closest(".references") ?? root;
    area.addEventListener("dragenter", (event) => {
      if (!holdsFiles(/** @type {DragEvent} */ (event))) return;
      depth += 1;
      over(true);
    });
    area.addEventListener("dragleave", () => {
      depth = Math.max(0, depth - 1);
      over(depth > 0);
    });
    area.addEventListener("dragover", (event) => {
      if (holdsFiles(/** @type {DragEvent} */ (event))) event.preventDefault();
    });
    area.addEventListener("drop", (event) => {
      const files = /** @type {DragEvent} */ (event).dataTransfer?.files;
      if (!files?.length) return;
      event.preventDefault();
      depth = 0;
      over(false);
      this.take([...files]);
    });
  }

  /** One after another: the numbers of the versions follow the order of the files. @param {File[]} files */
  take(files) {
    for (const file of files) {
      const line = document.createElement("li");
      const name = document.createElement("span");
      name.className = "clip";
      name.textContent = file.name;
      const bar = document.createElement("progress");
      bar.max = 1;
      bar.value = 0;
      bar.setAttribute("aria-label", file.name);
      line.append(name, bar);
      this.list.append(line);
      const why = refusal(file);
      if (why) this.fail(line, bar, why);
      else this.queue = this.queue.then(() => this.upload(file, line, bar));
    }
  }

  /** @param {File} file @param {HTMLElement} line @param {HTMLProgressElement} bar */
  async upload(file, line, bar) {
    const why = await send(this.root.dataset.drop ?? "", file, (share) => (bar.value = share));
    if (why) {
      this.fail(line, bar, why);
      return;
    }
    line.remove();
    const gallery = document.getElementById("references");
    if (gallery) refresh(gallery);
  }

  /** @param {HTMLElement} line @param {Element} bar @param {string} why */
  fail(line, bar, why) {
    const error = document.createElement("span");
    error.className = "error";
    error.setAttribute("role", "alert");
    error.textContent = why;
    bar.replaceWith(error);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn quiet s";
    close.textContent = gettext("Dismiss");
    close.addEventListener("click", () => line.remove());
    line.append(close);
  }
}

/** @param {HTMLButtonElement} button */
async function generate(button) {
  button.disabled = true;
  const { generate: url = "", owner = "", id = "", workflow = "" } = button.dataset;
  try {
    const response = await request(url, { method: "POST", json: { [owner]: [Number(id)], workflow } });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) toast(String(body.message ?? gettext("It could not be started.")), "error");
    else if (!body.jobs?.length) toast(gettext("It is being made already."), "info");
    else toast(gettext("It is in the queue."), "success");
    const gallery = document.getElementById("references");
    if (gallery) refresh(gallery);
  } catch {
    toast(gettext("The server does not answer. Try again."), "error");
  } finally {
    button.disabled = false;
  }
}

export function startReferences() {
  onElements("[data-drop]", (element) => new Drop(element));
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-generate]") : null;
    if (button instanceof HTMLButtonElement) generate(button);
  });
}
