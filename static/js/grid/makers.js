// New characters and environments, made from the list of a cell by their name.

import { gettext } from "../i18n.js";
import { toast } from "../toast.js";
import { request } from "../util.js";
import { bodyOf } from "./stream.js";

/** @typedef {import("./stream.js").Option} Option */

/** The options key of a column, and where such rows are made. @type {Record<string, string>} */
const PATHS = { characters: "characters/", environment: "environments/" };

/** @param {import("./grid.js").ShotGrid} grid once its head is there */
export function addMakers(grid) {
  if (!grid.may("assets.edit")) return;
  for (const [key, path] of Object.entries(PATHS)) if (grid.options(key).length || grid.columns.some(({ options }) => options === key)) grid.makers.set(key, (name) => make(grid, key, path, name));
}

/**
 * @param {import("./grid.js").ShotGrid} grid @param {string} key @param {string} path @param {string} name
 * @returns {Promise<Option | null>} null when the server would not make it; the message is shown
 */
async function make(grid, key, path, name) {
  try {
    const response = await request(new URL(`../${path}`, new URL(grid.url, location.href)).pathname, { method: "POST", json: { name } });
    const answer = await bodyOf(response);
    if (response.ok) {
      const option = { id: answer.id, label: answer.name ?? name, hint: "", color: "" };
      if (!grid.options(key).some(({ id }) => id === option.id)) grid.setOptions({ ...grid.values.options, [key]: [...grid.options(key), option] });
      return option;
    }
    toast([answer.message, ...Object.values(answer.fields ?? {}).flat()].filter(Boolean).join("\n") || gettext("That did not work."), "error");
  } catch {
    toast(gettext("The server did not answer. Check the connection and try again."), "error");
  }
  return null;
}
