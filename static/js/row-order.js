// Moving rows: by the handle with the mouse, by Alt and the arrows from the keyboard. What is sent are ids:
// `ids` (comma separated, in order), `before` (an id, or empty for the end) and `scene` of where they fall.

import { htmx } from "./util.js";

/** @param {HTMLElement} root @param {import("./shotlist.js").ShotList} list */
export function startReorder(root, list) {
  const url = root.dataset.reorderUrl;
  if (!url) return;

  /** @param {Element} row the scene whose heading stands above it */
  const sceneOf = (row) => {
    for (let at = row.previousElementSibling; at; at = at.previousElementSibling) {
      if (at instanceof HTMLElement && at.dataset.scene !== undefined && at.matches(".group")) return at.dataset.scene;
    }
    return row instanceof HTMLElement ? row.dataset.scene ?? "" : "";
  };

  /** @param {string[]} moved @param {string} before @param {string} scene */
  const post = (moved, before, scene) => {
    const target = document.querySelector(root.dataset.rows ?? "") ?? root;
    const values = { ids: moved.join(","), before, scene };
    // Without an answer the message is htmx's; the list comes back in the server's order with the connection.
    htmx().ajax("POST", url, { source: root, target, swap: "morph", values }).catch(() => {});
  };

  root.addEventListener("aip:move-row", (event) => {
    const { row: id, by } = /** @type {CustomEvent} */ (event).detail;
    const rows = list.rows();
    const at = rows.findIndex((row) => row.dataset.row === id);
    const to = at + by;
    if (at < 0 || to < 0 || to >= rows.length) return;
    const next = by < 0 ? rows[to] : rows[to + 1];
    if (by < 0) rows[to].before(rows[at]);
    else rows[to].after(rows[at]);
    list.restore();
    post([id], next?.dataset.row ?? "", sceneOf(rows[at]));
  });

  const Sortable = globalThis.Sortable;
  if (!Sortable) return;
  for (const body of root.querySelectorAll("tbody")) {
    Sortable.create(body, {
      handle: "[data-handle]",
      draggable: "tr[data-row]",
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
      forceFallback: true,
      fallbackOnBody: false,
      fallbackTolerance: 3,
      ghostClass: "is-ghost",
      chosenClass: "sortable-chosen",
      onEnd: (/** @type {{item: HTMLElement, oldIndex: number, newIndex: number}} */ { item, oldIndex, newIndex }) => {
        if (oldIndex === newIndex) return;
        const chosen = list.selection.ids();
        const id = item.dataset.row ?? "";
        const moved = chosen.includes(id) ? chosen : [id];
        const rows = list.rows();
        const after = rows.slice(rows.indexOf(/** @type {HTMLTableRowElement} */ (item)) + 1);
        const before = after.find((row) => !moved.includes(row.dataset.row ?? ""))?.dataset.row ?? "";
        list.restore();
        post(moved, before, sceneOf(item));
      },
    });
  }
}
