// Translations come from Django's JavaScriptCatalog; without it the English source text stands.

/** @param {string} text @returns {string} */
export function gettext(text) {
  return typeof globalThis.gettext === "function" ? globalThis.gettext(text) : text;
}

/** @param {string} one @param {string} many @param {number} count @returns {string} */
export function ngettext(one, many, count) {
  if (typeof globalThis.ngettext === "function") return globalThis.ngettext(one, many, count);
  return count === 1 ? one : many;
}

/**
 * Fill "%(name)s" places.
 * @param {string} text @param {Record<string, string | number>} values @returns {string}
 */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
