// The outfits of a character: rows of a name and what it is, added and removed in place.

/** @typedef {{name: string, description: string}} Outfit */

/** @param {HTMLElement} holder @returns {import("./assets-control.js").Control} */
export function outfitsControl(holder) {
  const list = /** @type {HTMLElement} */ (holder.querySelector(".outfits"));
  const template = /** @type {HTMLTemplateElement} */ (holder.querySelector("[data-outfit-template]"));

  /** @param {Element} row @param {"name" | "description"} which @returns {HTMLInputElement} */
  const input = (row, which) => /** @type {HTMLInputElement} */ (row.querySelector(`[data-outfit="${which}"]`));

  /** @param {Outfit} [outfit] @returns {HTMLElement} */
  const add = (outfit) => {
    const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    input(row, "name").value = outfit?.name ?? "";
    input(row, "description").value = outfit?.description ?? "";
    list.append(row);
    return row;
  };

  const told = () => holder.dispatchEvent(new Event("change", { bubbles: true }));

  holder.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-outfit-add]")) {
      input(add(), "name").focus();
    } else if (target?.closest("[data-outfit-remove]")) {
      target.closest(".outfit")?.remove();
      told();
    }
  });
  holder.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    const row = event.target.closest(".outfit");
    if (event.target.dataset.outfit === "name" && row) input(row, "description").focus();
    else if (row?.nextElementSibling) input(row.nextElementSibling, "name").focus();
    else input(add(), "name").focus();
  });

  return {
    // A row without a name is not there yet: it is kept on the page and left out of what is saved.
    read: () =>
      [...list.children]
        .map((row) => ({ name: input(row, "name").value.trim(), description: input(row, "description").value.trim() }))
        .filter((outfit) => outfit.name),
    write: (value) => {
      list.replaceChildren();
      for (const outfit of Array.isArray(value) ? value : []) add(outfit);
    },
    immediate: false,
  };
}
