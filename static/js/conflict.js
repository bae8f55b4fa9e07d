// Two people changed the same field: show both values, the person decides.

import { fill, gettext } from "./i18n.js";

/** @param {string} label @param {string} value @param {string} answer */
function option(label, value, answer) {
  const button = document.createElement("button");
  button.value = answer;
  const small = document.createElement("small");
  small.textContent = label;
  const text = document.createElement("span");
  text.textContent = value || gettext("(empty)");
  button.append(small, text);
  return button;
}

/**
 * @param {string} field what the column is called @param {string} mine @param {string} theirs
 * @returns {Promise<boolean>} true to keep mine
 */
export function chooseValue(field, mine, theirs) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const form = document.createElement("form");
  form.method = "dialog";
  const header = document.createElement("header");
  const title = document.createElement("h2");
  title.textContent = fill(gettext("“%(field)s” was changed meanwhile"), { field });
  header.append(title);
  const body = document.createElement("div");
  body.className = "body plain stack";
  const text = document.createElement("p");
  text.className = "dim";
  text.textContent = gettext("Someone saved another value after you had opened this. Which one stays?");
  const choice = document.createElement("div");
  choice.className = "conflict";
  choice.append(option(gettext("Yours"), mine, "mine"), option(gettext("Theirs, saved now"), theirs, "theirs"));
  body.append(text, choice);
  form.append(header, body);
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "mine");
    });
    dialog.showModal();
  });
}
