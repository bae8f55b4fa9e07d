// SlickGrid draws rows and headers and sorts, resizes and drags columns. Focus, keys, selection and editing are ours:
// what it would do about them is switched off here.

export const ROW_HEIGHTS = { s: 28, m: 44, l: 72 };

/** @typedef {any} Renderer a Slick.Grid */

/** The class is made on demand: the library is a classic script. @returns {any} */
function rendererClass() {
  const Slick = globalThis.Slick;
  return class extends Slick.Grid {
    /** Rules go into a constructed sheet: the CSP allows no <style>. */
    createCssRules() {
      const sheet = new CSSStyleSheet();
      const height = this._options.rowHeight;
      const name = `.${this.uid}`;
      for (const rule of [`.slick-cell { height: ${height}px; }`, `.slick-row { height: ${height}px; }`]) sheet.insertRule(`${name} ${rule}`);
      this.columnCssRulesL = [];
      this.columnCssRulesR = [];
      for (const [index] of this.columns.entries()) {
        this.columnCssRulesL[index] = sheet.cssRules[sheet.insertRule(`${name} .l${index} { }`, sheet.cssRules.length)];
        this.columnCssRulesR[index] = sheet.cssRules[sheet.insertRule(`${name} .r${index} { }`, sheet.cssRules.length)];
      }
      this.stylesheet = sheet;
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }

    removeCssRules() {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.stylesheet);
      this.stylesheet = null;
    }

    /** Text is text, never markup. @param {Element | null} target @param {Node | string | number} content */
    applyHtmlCode(target, content = "") {
      if (!target) return;
      if (content instanceof Node) target.replaceChildren(content);
      else target.textContent = String(content ?? "");
    }

    setFocus() {}

    handleKeyDown() {}

    handleClick() {}

    handleDblClick() {}
  };
}

/**
 * @param {HTMLElement} holder @param {import("./rows.js").RowModel} rows @param {object[]} columns
 * @param {{frozen: number, row: keyof typeof ROW_HEIGHTS}} look frozen: index of the last frozen column
 * @returns {Renderer}
 */
export function createRenderer(holder, rows, columns, { frozen, row }) {
  const Renderer = rendererClass();
  const slick = new Renderer(holder, rows, columns, {
    rowHeight: ROW_HEIGHTS[row] ?? ROW_HEIGHTS.m,
    headerHeight: 30,
    frozenColumn: frozen,
    skipFreezeColumnValidation: true,
    enableCellNavigation: false,
    enableColumnReorder: true,
    enableMouseWheelScrollHandler: false, // the stock one moves one row per event, whatever its delta
    multiColumnSort: true,
    tristateMultiColumnSort: false,
    numberedMultiColumnSort: false,
    rowTopOffsetRenderType: "transform",
    scrollRenderThrottling: 0,
    minRowBuffer: 6,
    syncColumnCellResize: false,
    suppressCssChangesOnHiddenInit: true,
    editable: false,
  });
  forwardWheel(holder);
  followHeads(holder);
  return slick;
}

/** The browser scrolls a head into view by itself (focus, find in page): the rows follow. @param {HTMLElement} holder */
function followHeads(holder) {
  const heads = holder.querySelector(".slick-header-right");
  const rows = holder.querySelector(".slick-viewport-top.slick-viewport-right");
  heads?.addEventListener("scroll", () => {
    if (rows && rows.scrollLeft !== heads.scrollLeft) rows.scrollLeft = heads.scrollLeft;
  });
}

/** The frozen pane has no scroll bar of its own: the wheel over it moves the other one. @param {HTMLElement} holder */
function forwardWheel(holder) {
  const left = holder.querySelector(".slick-viewport-top.slick-viewport-left");
  const right = holder.querySelector(".slick-viewport-top.slick-viewport-right");
  left?.addEventListener(
    "wheel",
    (event) => {
      const { deltaX, deltaY, deltaMode, ctrlKey } = /** @type {WheelEvent} */ (event);
      if (ctrlKey || !right) return;
      right.scrollTop += deltaMode ? deltaY * 40 : deltaY;
      right.scrollLeft += deltaMode ? deltaX * 40 : deltaX;
      event.preventDefault();
    },
    { passive: false },
  );
}
