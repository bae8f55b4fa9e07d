// Saved views: choose, save, save as, rename, share, make it the project's default, remove.

import { copyText } from "../clipboard.js";
import { confirmDialog } from "../dialogs.js";
import { fill, gettext } from "../i18n.js";
import { toast } from "../toast.js";
import { icon, request } from "../util.js";
import { bodyOf } from "../grid/stream.js";
import { formDialog, h, openMenu } from "./dom.js";

/** @typedef {import("./view-state.js").SavedView} SavedView */

/** What a refusal says. @param {any} answer @returns {string} */
export function problemOf(answer) {
  const first = Object.values(answer.fields ?? {}).flat()[0];
  return answer.message || (typeof first === "string" ? first : "") || gettext("That did not work.");
}

/** @param {string} url @param {string} method @param {unknown} [json] @returns {Promise<{ok: boolean, status: number, answer: any}>} status 0: no connection */
export async function ask(url, method, json) {
  try {
    const response = await request(url, { method, json });
    const answer = response.status === 204 ? {} : await bodyOf(response);
    return { ok: response.ok && !response.redirected, status: response.status, answer };
  } catch {
    return { ok: false, status: 0, answer: { message: gettext("The server did not answer. Check the connection.") } };
  }
}

export class ViewMenu {
  /** @param {import("./index.js").Panels} panels */
  constructor(panels) {
    this.panels = panels;
    this.state = panels.state;
    this.name = h("span", { class: "gp-view-name" });
    this.dot = h("span", { class: "gp-dirty", hidden: true, title: gettext("Changed since it was saved") });
    this.button = h("button", { type: "button", class: "btn quiet gp-view", dataset: { panel: "views" }, "aria-haspopup": "menu", "aria-label": gettext("View"), onclick: () => this.open() }, icon("eye"), this.name, this.dot, icon("chevron-down", "s"));
    this.save = h("button", { type: "button", class: "btn quiet s gp-save", hidden: true, onclick: () => this.update() }, gettext("Save view"));
    panels.left.append(this.button, this.save, h("span", { class: "gp-line" }));
  }

  /** @param {SavedView} view @returns {boolean} */
  mayChange(view) {
    return view.mine || (view.shared && this.panels.grid.may("project.edit"));
  }

  draw() {
    const { saved, dirty } = this.state;
    this.name.textContent = saved?.name ?? gettext("All rows");
    this.dot.hidden = !dirty;
    this.save.hidden = !dirty || !saved || !this.mayChange(saved);
    this.button.setAttribute("aria-label", fill(dirty ? gettext("View: %(name)s, changed") : gettext("View: %(name)s"), { name: this.name.textContent }));
  }

  open() {
    const { saved, dirty, views, id } = this.state;
    const { grid } = this.panels;
    const entry = (/** @type {SavedView} */ view) => ({ label: view.name, icon: view.default ? "star" : view.shared ? "users" : "user", current: view.id === id, act: () => this.state.choose(view.id) });
    const shared = views.filter((view) => view.shared).map(entry);
    const mine = views.filter((view) => !view.shared).map(entry);
    const change = saved && this.mayChange(saved);
    const may = { share: grid.canEdit, lead: grid.may("project.edit") };
    openMenu(this.button, gettext("Views"), [
      { label: gettext("All rows"), icon: "rows", current: id === null, act: () => this.state.choose(null) },
      ...(shared.length ? [{ title: gettext("Shared with the project") }, ...shared] : []),
      ...(mine.length ? [{ title: gettext("Only mine") }, ...mine] : []),
      null,
      ...(dirty && change ? [{ label: gettext("Save the changes"), icon: "check", act: () => this.update() }] : []),
      ...(dirty ? [{ label: saved ? gettext("Back to the saved view") : gettext("Back to all rows"), icon: "undo", act: () => this.state.reset() }] : []),
      { label: gettext("Save as a new view…"), icon: "plus", act: () => this.create() },
      ...(saved && change ? [null, { label: gettext("Rename…"), icon: "edit", act: () => this.rename(saved) }] : []),
      ...(saved && change && (may.share || saved.shared) ? [{ label: saved.shared ? gettext("Make it only mine") : gettext("Share with the project"), icon: "users", act: () => this.patch(saved, { shared: !saved.shared }) }] : []),
      ...(saved?.shared && may.lead ? [{ label: saved.default ? gettext("No longer the project's default") : gettext("Make it the project's default"), icon: "star", act: () => this.patch(saved, { default: !saved.default }) }] : []),
      { label: gettext("Copy the link"), icon: "copy", act: () => copyText(location.href) },
      ...(grid.may("sheets.export") ? [{ label: gettext("Export the current view"), icon: "download", act: () => this.download() }] : []),
      ...(saved && change ? [{ label: gettext("Remove the view"), icon: "trash", danger: true, act: () => this.remove(saved) }] : []),
    ]);
  }

  /** The sheet of what is shown now. */
  download() {
    const link = /** @type {HTMLAnchorElement} */ (h("a", { href: this.exportUrl("xlsx"), download: true }));
    document.body.append(link);
    link.click();
    link.remove();
  }

  /** @param {string} format xlsx, csv or json @returns {string} */
  exportUrl(format) {
    const { grid } = this.panels;
    return `${grid.url.replace(/[^/]+\/$/, "")}sheets/${grid.table}.${format}?${this.exportQuery()}`;
  }

  /** @returns {URLSearchParams} what a sheet of the present view holds */
  exportQuery() {
    const { config } = this.state;
    const query = new URLSearchParams({ headers: "labels" });
    for (const key of /** @type {const} */ (["filter", "sort"])) if (config[key]) query.set(key, JSON.stringify(config[key]));
    if (config.search) query.set("search", config.search);
    query.set("columns", config.columns.map(([name]) => name).join(","));
    return query;
  }

  /** @param {SavedView[]} views */
  setViews(views) {
    this.panels.grid.setViews(views);
  }

  async update() {
    const { saved } = this.state;
    if (saved) await this.patch(saved, { config: this.state.compact() }, gettext("View saved."));
  }

  /** @param {SavedView} view @param {object} fields @param {string} [words] @returns {Promise<string | null>} what is wrong */
  async patch(view, fields, words = "") {
    const { ok, answer } = await ask(`${this.panels.grid.url}views/${view.id}/`, "PATCH", fields);
    if (!ok) {
      toast(problemOf(answer), "error");
      return problemOf(answer);
    }
    const chosen = /** @type {any} */ (fields).default;
    this.setViews(
      this.state.views.map((other) => {
        if (other.id === view.id) return { ...other, name: answer.name, shared: answer.shared, config: answer.config, default: chosen ?? other.default };
        return chosen ? { ...other, default: false } : other;
      }),
    );
    if (words) toast(words, "success");
    return null;
  }

  create() {
    const name = h("input", { class: "input", name: "name", maxlength: 80, required: true, autofocus: true, "aria-label": gettext("Name of the view") });
    const shared = h("input", { type: "checkbox", name: "shared" });
    const may = this.panels.grid.canEdit;
    formDialog(gettext("Save as a new view"), [name, may ? h("label", { class: "check" }, shared, gettext("Everybody in the project sees it")) : null], gettext("Save"), async () => {
      const { ok, answer } = await ask(`${this.panels.grid.url}views/`, "POST", {
        name: /** @type {HTMLInputElement} */ (name).value, shared: /** @type {HTMLInputElement} */ (shared).checked, config: this.state.compact(),
      });
      if (!ok) return problemOf(answer);
      const made = { ...answer, default: false };
      this.state.id = made.id;
      this.setViews([...this.state.views.filter(({ id }) => id !== made.id), made].sort((a, b) => a.name.localeCompare(b.name)));
      this.state.change({});
      return null;
    });
  }

  /** @param {SavedView} view */
  rename(view) {
    const name = h("input", { class: "input", maxlength: 80, required: true, value: view.name, autofocus: true, "aria-label": gettext("Name of the view") });
    formDialog(gettext("Rename the view"), [name], gettext("Rename"), () => this.patch(view, { name: /** @type {HTMLInputElement} */ (name).value }));
  }

  /** @param {SavedView} view */
  async remove(view) {
    const text = view.shared ? gettext("Remove “%(name)s” for everybody? No row is changed, and Ctrl+Z brings it back.") : gettext("Remove “%(name)s”? No row is changed, and Ctrl+Z brings it back.");
    if (!(await confirmDialog(fill(text, { name: view.name }), { yes: gettext("Remove"), danger: true }))) return;
    const { ok, answer } = await ask(`${this.panels.grid.url}views/${view.id}/`, "DELETE");
    if (!ok) {
      toast(problemOf(answer), "error");
      return;
    }
    this.state.id = null;
    this.setViews(this.state.views.filter(({ id }) => id !== view.id));
    this.state.change({}); // what is shown stays as it is
  }
}
