// Two people changed the same cells: show both values, the person decides.

import { fill, gettext, ngettext } from "./i18n.js";

/** @typedef {{row: string, field: string, mine: string, theirs: string}} Difference */
/** @typedef {"mine" | "theirs"} Choice */

/** @param {string} tag @param {string} className @param {string} [text] */
function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** @param {string} label @param {string} value @param {Choice} answer @param {boolean} [several] */
function option(label, value, answer, several = false) {
  const button = /** @type {HTMLButtonElement} */ (make("button", ""));
  button.type = several ? "button" : "submit";
  button.value = answer;
  button.append(make("small", "", label), make("span", "", value || gettext("(empty)")));
  return button;
}

/** @param {string} title @param {string} text @returns {{dialog: HTMLDialogElement, body: HTMLElement, form: HTMLElement}} */
function frame(title, text) {
  const dialog = /** @type {HTMLDialogElement} */ (make("dialog", "dialog"));
  dialog.dataset.modalOnly = "";
  const form = /** @type {HTMLFormElement} */ (make("form", ""));
  form.method = "dialog";
  const header = make("header", "");
  header.append(make("h2", "", title));
  const body = make("div", "body plain stack");
  body.append(make("p", "dim", text));
  form.append(header, body);
  dialog.append(form);
  document.body.append(dialog);
  return { dialog, body, form };
}

/**
 * Ask for each difference; with several there are buttons for all. Escape puts the decision off.
 * @param {Difference[]} differences at least one
 * @returns {Promise<Choice[] | null>} one choice each, or null when it was put off
 */
export function chooseValues(differences) {
  return differences.length === 1 ? chooseOne(differences[0]) : chooseMany(differences);
}

/** @param {Difference} difference @returns {Promise<Choice[] | null>} */
function chooseOne({ row, field, mine, theirs }) {
  const title = fill(gettext("“%(field)s” was changed meanwhile"), { field: row ? `${row} · ${field}` : field });
  const { dialog, body } = frame(title, gettext("Someone saved another value after you had opened this. Which one stays?"));
  const choice = make("div", "conflict");
  choice.append(option(gettext("Yours"), mine, "mine"), option(gettext("Theirs, saved now"), theirs, "theirs"));
  body.append(choice);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "mine" || dialog.returnValue === "theirs" ? [dialog.returnValue] : null);
    });
    dialog.showModal();
  });
}

/** @param {Difference[]} differences @returns {Promise<Choice[] | null>} */
function chooseMany(differences) {
  const n = differences.length;
  const title = fill(ngettext("%(n)s cell was changed meanwhile", "%(n)s cells were changed meanwhile", n), { n });
  const { dialog, body, form } = frame(title, gettext("Someone saved other values after you had read these. Choose for each cell, or for all."));
  dialog.classList.add("wide");
  /** @type {Choice[]} */
  const answers = differences.map(() => "mine");
  const list = make("div", "conflict-list");
  const rows = differences.map(({ row, field, mine, theirs }, index) => {
    const line = make("div", "conflict");
    const buttons = [option(gettext("Yours"), mine, "mine", true), option(gettext("Theirs, saved now"), theirs, "theirs", true)];
    for (const button of buttons) button.addEventListener("click", () => set(index, /** @type {Choice} */ (button.value)));
    list.append(make("h3", "", row ? `${row} · ${field}` : field), line);
    line.append(...buttons);
    return buttons;
  });
  const set = (/** @type {number} */ index, /** @type {Choice} */ answer) => {
    answers[index] = answer;
    for (const button of rows[index]) button.setAttribute("aria-pressed", String(button.value === answer));
  };
  for (const index of differences.keys()) set(index, "mine");
  const footer = make("footer", "");
  for (const [label, answer] of /** @type {[string, Choice][]} */ ([[gettext("All mine"), "mine"], [gettext("All theirs"), "theirs"]])) {
    const button = /** @type {HTMLButtonElement} */ (make("button", "btn", label));
    button.type = "button";
    button.addEventListener("click", () => differences.forEach((difference, index) => set(index, answer)));
    footer.append(button);
  }
  const save = /** @type {HTMLButtonElement} */ (make("button", "btn primary", gettext("Save the choice")));
  save.value = "save";
  footer.append(save);
  body.append(list);
  form.append(footer);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "save" ? answers : null);
    });
    dialog.showModal();
  });
}
