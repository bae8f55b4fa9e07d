// Tables on the clipboard as Excel, Google Sheets and plain text write them, to rows of texts and back. No grid here.

const MOST_CELLS = 1_000_000;

/**
 * Tab separated text: quotes as in CSV, any line end, one trailing line end is none.
 * @param {string} text @returns {string[][]}
 */
export function parseText(text) {
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let cell = "";
  let quoted = false;
  let start = true;
  const clean = text.replace(/\r\n?/g, "\n");
  for (let at = 0; at < clean.length; at += 1) {
    const letter = clean[at];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (clean[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (letter === '"' && start && closes(clean, at + 1)) {
      quoted = true;
      start = false;
    } else if (letter === "\t" || letter === "\n") {
      row.push(cell);
      cell = "";
      start = true;
      if (letter === "\n") {
        rows.push(row);
        row = [];
      }
    } else {
      cell += letter;
      start = false;
    }
  }
  if (cell !== "" || row.length) rows.push([...row, cell]);
  return rows;
}

/** A quote that begins a cell is one only when it also ends it: "Hey" he said is text. @param {string} text @param {number} from */
function closes(text, from) {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] !== '"') continue;
    if (text[at + 1] === '"') {
      at += 1;
      continue;
    }
    return at + 1 === text.length || text[at + 1] === "\t" || text[at + 1] === "\n";
  }
  return false;
}

/**
 * The first table of a piece of HTML; merged cells keep their text in their first place.
 * @param {string} html @returns {string[][] | null} null when there is no table
 */
export function parseHtml(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const table = page.querySelector("table");
  if (!table) return null;
  /** @type {string[][]} */
  const rows = [];
  /** @type {Map<number, number>} column -> how many more rows a merged cell reaches down */
  const reach = new Map();
  let count = 0;
  for (const line of table.querySelectorAll("tr")) {
    if (line.closest("table") !== table || isHidden(line)) continue;
    /** @type {string[]} */
    const row = [];
    let column = 0;
    const skip = () => {
      while ((reach.get(column) ?? 0) > 0) {
        reach.set(column, (reach.get(column) ?? 0) - 1);
        row[column] = "";
        column += 1;
      }
    };
    for (const cell of line.children) {
      if (!(cell instanceof HTMLTableCellElement) && !/^t[dh]$/i.test(cell.tagName)) continue;
      if (isHidden(cell)) continue;
      skip();
      const wide = span(cell, "colspan");
      const high = span(cell, "rowspan");
      for (let extra = 0; extra < wide; extra += 1) {
        row[column] = extra ? "" : cellText(cell);
        if (high > 1) reach.set(column, high - 1);
        column += 1;
      }
    }
    skip();
    count += row.length;
    if (count > MOST_CELLS) break;
    if (row.length) rows.push(row);
  }
  return rows.length ? rows : null;
}

/** @param {Element} element */
function isHidden(element) {
  return /display\s*:\s*none/i.test(element.getAttribute("style") ?? "");
}

/** @param {Element} cell @param {string} name */
function span(cell, name) {
  return Math.max(1, Math.min(1000, Number.parseInt(cell.getAttribute(name) ?? "1", 10) || 1));
}

/** What a person sees in a cell: white space as a browser shows it, <br> and paragraphs as line ends. @param {Element} cell */
function cellText(cell) {
  let text = "";
  const walk = (/** @type {Node} */ node) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) text += (child.nodeValue ?? "").replace(/[ \t\r\n]+/g, " ");
      else if (child instanceof Element || child.nodeType === Node.ELEMENT_NODE) {
        const element = /** @type {Element} */ (child);
        const tag = element.tagName.toLowerCase();
        if (tag === "br") text += "\n";
        else if (tag !== "style" && tag !== "script" && !isHidden(element)) {
          if (/^(p|div|li)$/.test(tag) && text && !text.endsWith("\n")) text += "\n";
          walk(element);
        }
      }
    }
  };
  walk(cell);
  return text.replace(/\u00a0/g, " ").replace(/ *\n */g, "\n").replace(/ {2,}/g, " ").trim();
}

/** @param {string[][]} rows @returns {string} */
export function toText(rows) {
  return rows.map((row) => row.map((cell) => (/[\t\n\r"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join("\t")).join("\r\n");
}

/** @param {string[][]} rows @returns {string} a table that Excel and Google Sheets take, as text cells */
export function toHtml(rows) {
  const table = document.createElement("table");
  for (const row of rows) {
    const line = table.insertRow();
    for (const cell of row) {
      const place = line.insertCell();
      for (const [index, part] of cell.split("\n").entries()) {
        if (index) place.append(document.createElement("br"));
        place.append(part);
      }
    }
  }
  return `<meta charset="utf-8">${table.outerHTML}`;
}
