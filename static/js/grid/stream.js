// What the server sends: lines of JSON (head, chunks of rows, end), and arrays per column that become rows.

/** @typedef {{id: number, revision: number, position: number, locked: boolean, job: [string, number] | null, [field: string]: any}} Item */
/** @typedef {{id: any, label: string, hint?: string, color?: string}} Option */
/**
 * @typedef {{name: string, label: string, own_label: string | null, type: string, width: number, editable: boolean,
 *   options: string, required: boolean, nullable: boolean, max_length: number | null, minimum: number | null, maximum: number | null,
 *   hidden: boolean, custom: boolean, help: string}} Column
 */
/**
 * @typedef {{type: "head", table: string, seq: number, total: number, fps: string, may: string[], edit: string, delete: string, movable: boolean, address: string, user: {id: number, name: string},
 *   columns: Column[], options: Record<string, Option[]>, moves: Record<string, string[]>, views: any[], view: {id: number | null, config: any}}} Head
 */

export class RefusedError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {Response} response @returns {Promise<any>} the body of an answer, {} when it has none that can be read */
export async function bodyOf(response) {
  try {
    return await response.json();
  } catch {
    return {}; // an error page of a proxy, or no body at all
  }
}

/** @param {Record<string, any[]>} columns arrays of equal length @returns {Item[]} */
export function itemsOf(columns) {
  const names = Object.keys(columns);
  const count = columns.id?.length ?? 0;
  const items = new Array(count);
  for (let row = 0; row < count; row += 1) {
    const item = /** @type {any} */ ({});
    for (const name of names) item[name] = columns[name][row];
    items[row] = item;
  }
  return items;
}

/**
 * Read the stream; every line is handed over as soon as it is whole.
 * @param {Response} response @param {(line: any) => void | Promise<void>} take
 * @returns {Promise<boolean>} true when the last line said that it was complete
 */
export async function readLines(response, take) {
  if (!response.ok) throw new RefusedError(response.status, (await bodyOf(response)).message ?? "");
  if (!response.body) throw new RefusedError(0, "");
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let ended = false;
  const line = async (/** @type {string} */ text) => {
    if (!text.trim()) return;
    const value = JSON.parse(text);
    if (value.type === "end") ended = true;
    await take(value);
  };
  for (;;) {
    const { done, value } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) await line(text);
    if (done) break;
  }
  await line(rest);
  return ended;
}
