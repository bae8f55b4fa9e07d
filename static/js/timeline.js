// The timeline: clips one after another, reorder and trim with ripple, whole frames only.
// The page gives the data as a JSON block and takes changes as operations (see timeline-model.js).

import { gettext } from "./i18n.js";
import { parseRate } from "./timecode.js";
import { Cut, snap } from "./timeline-model.js";
import { TimelineView } from "./timeline-view.js";
import { toast } from "./toast.js";
import { htmx, isComposing, isTextField, onElements, readData, request } from "./util.js";

const SNAP_PIXELS = 8;
const DRAG_STARTS_AT = 4;
const EDGE = 40;
const GATHER_LENGTHS = 450;

/** @typedef {import("./timeline-model.js").Clip} Clip */
/** @typedef {import("./timeline-model.js").Op} Op */


/** The server's clip in our words. @param {any} clip @returns {Clip} */
function fromServer(clip) {
  const { shot, duration, description, url, code, thumb, kind, max } = clip;
  return { id: shot, frames: duration, title: description, href: url, code, thumb, kind, max };
}

export class Timeline {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.cut = new Cut([]);
    this.rate = parseRate("24");
    this.revision = 0;
    this.editable = false;
    this.frame = 0;
    /** @type {number[]} */
    this.markers = [];
    /** @type {string | null} */
    this.selected = null;
    /** @type {any} the drag that is under way */
    this.drag = null;
    /** @type {Op[]} */
    this.waiting = [];
    this.saving = false;
    this.lengthTimer = 0;
    this.magnet = true;
    this.view = new TimelineView(root, this);
    this.bind();
    this.reload();
    this.view.fit();
  }

  /** Read the data block again; what is being dragged is left alone. */
  reload() {
    const data = readData(this.root.dataset.timeline ?? "timeline-data");
    if (!data || this.drag || this.saving || this.waiting.length) return;
    this.rate = parseRate(Array.isArray(data.fps) ? data.fps.join("/") : data.fps);
    this.start = data.start_frame ?? 0;
    this.revision = data.revision ?? 0;
    this.editable = this.root.dataset.editable === "true";
    this.markers = (data.markers ?? []).map((/** @type {any} */ marker) => marker.frame);
    this.cut = new Cut((data.clips ?? []).map(fromServer));
    this.view.setData(data);
  }

  get player() {
    const id = this.root.dataset.playerId;
    return id ? document.getElementById(id) : null;
  }

  /** @param {number} frame @param {boolean} [tell] move the player too */
  setFrame(frame, tell = false) {
    this.frame = Math.max(0, Math.min(Math.max(0, this.cut.length - 1), frame));
    this.view.drawHead();
    if (tell) {
      this.player?.dispatchEvent(new CustomEvent("aip:seek", { detail: { frame: this.frame } }));
      this.root.dispatchEvent(new CustomEvent("aip:playhead", { bubbles: true, detail: { frame: this.frame } }));
    }
  }

  /** @param {string | number | null} id @param {boolean} [focus] */
  select(id, focus = false) {
    this.selected = id === null ? null : String(id);
    this.view.drawSelection(focus);
    const clip = this.cut.clips[this.cut.indexOf(this.selected ?? "")];
    this.root.dispatchEvent(new CustomEvent("aip:select", { bubbles: true, detail: { id: this.selected, clip } }));
  }

  bind() {
    const { inner } = this.view;
    inner.addEventListener("pointerdown", (event) => this.onDown(event));
    inner.addEventListener("pointermove", (event) => this.onMove(event));
    inner.addEventListener("pointerup", (event) => this.onUp(event));
    inner.addEventListener("pointercancel", () => this.cancelDrag());
    inner.addEventListener("dblclick", (event) => {
      const clip = this.clipOf(event.target);
      if (clip?.href) location.assign(clip.href);
    });
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-tl-do]") : null;
      if (button instanceof HTMLElement) this.act(button.dataset.tlDo ?? "", button);
    });
    document.addEventListener("aip:frame", (event) => {
      if (event.target !== this.player) return;
      const { frame, playing } = /** @type {CustomEvent} */ (event).detail;
      this.setFrame(frame);
      if (playing) this.view.follow();
    });
    document.addEventListener("htmx:afterSettle", () => this.reload());
  }

  /** @param {EventTarget | null} target @returns {Clip | undefined} */
  clipOf(target) {
    const element = target instanceof Element ? target.closest(".tl-clip") : null;
    return element instanceof HTMLElement ? this.cut.clips[this.cut.indexOf(element.dataset.clip ?? "")] : undefined;
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    if (event.button !== 0 || this.drag) return;
    const target = /** @type {Element} */ (event.target);
    const clip = this.clipOf(target);
    const x = this.view.xOf(event.clientX);
    if (!clip) {
      if (target.closest(".tl-ruler")) {
        this.drag = { kind: "scrub" };
        this.setFrame(this.view.frameAt(x), true);
      } else this.select(null);
    } else {
      this.select(clip.id, true);
      const index = this.cut.indexOf(clip.id);
      const trim = target.closest(".trim") !== null;
      if (!this.editable) return;
      this.drag = { kind: trim ? "trim" : "move", clip, index, x, began: false, from: index, frames: clip.frames };
    }
    if (this.drag) {
      this.drag.clientX = event.clientX;
      this.view.inner.setPointerCapture(event.pointerId);
      event.preventDefault();
    }
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const { drag } = this;
    if (!drag) return;
    drag.clientX = event.clientX;
    drag.ticking ||= requestAnimationFrame(() => this.tick());
  }

  tick() {
    const { drag } = this;
    if (!drag) return;
    drag.ticking = 0;
    const edge = drag.kind === "scrub" ? 0 : this.view.edgeScroll(drag.clientX, EDGE);
    const x = this.view.xOf(drag.clientX);
    if (drag.kind === "scrub") this.setFrame(this.view.frameAt(x), true);
    else {
      if (!drag.began && Math.abs(x - drag.x) < DRAG_STARTS_AT) return;
      drag.began = true;
      this.root.classList.add("is-dragging");
      if (drag.kind === "trim") this.trimTo(x);
      else this.moveTo(x);
    }
    if (edge) drag.ticking = requestAnimationFrame(() => this.tick());
  }

  /** @param {number} x */
  trimTo(x) {
    const { drag } = this;
    const start = drag.clip.start ?? 0;
    const wanted = start + drag.frames + (x - drag.x) / this.view.ppf;
    const targets = this.magnet ? [this.frame, ...this.markers].filter((frame) => frame > start) : [];
    const { frame, snapped } = snap(wanted, targets, SNAP_PIXELS / this.view.ppf);
    this.cut.setLength(drag.index, frame - start);
    this.view.showSnap(snapped ? frame : null);
    this.view.layout(drag.index);
  }

  /** @param {number} x */
  moveTo(x) {
    const { drag } = this;
    const left = (drag.left ??= drag.clip.start ?? 0) + (x - drag.x) / this.view.ppf;
    const to = this.cut.dropIndex(drag.index, left + drag.clip.frames / 2);
    if (to !== drag.index) {
      this.cut.move(drag.index, to);
      drag.index = to;
    }
    this.view.hold(drag.clip, left);
  }

  /** @param {PointerEvent} event */
  onUp(event) {
    const { drag } = this;
    if (!drag) return;
    drag.clientX = event.clientX;
    if (drag.ticking) {
      cancelAnimationFrame(drag.ticking);
      this.tick();
      cancelAnimationFrame(drag.ticking);
    }
    this.endDrag();
    if (drag.kind === "scrub") return;
    if (!drag.began) {
      if (drag.kind === "move") this.setFrame(drag.clip.start ?? 0, true);
    } else if (drag.kind === "trim" && drag.clip.frames !== drag.frames) this.commit(this.cut.lengthOp(drag.index));
    else if (drag.kind === "move" && drag.index !== drag.from) this.commit(this.cut.moveOp(drag.index));
  }

  cancelDrag() {
    const { drag } = this;
    if (!drag) return;
    if (drag.kind === "trim") this.cut.setLength(drag.index, drag.frames);
    if (drag.kind === "move") this.cut.move(drag.index, drag.from);
    this.endDrag();
  }

  endDrag() {
    this.drag = null;
    this.root.classList.remove("is-dragging");
    this.view.showSnap(null);
    this.view.release();
    this.view.layout(0);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (isComposing(event) || isTextField(/** @type {Element} */ (event.target)) || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && this.drag) {
      this.cancelDrag();
      event.preventDefault();
      return;
    }
    const index = this.selected === null ? -1 : this.cut.indexOf(this.selected);
    const onClip = event.target instanceof Element && event.target.closest(".tl-scroll");
    if (!onClip) return;
    const second = event.altKey ? this.rate.base : 1;
    const keys = /** @type {Record<string, () => void>} */ ({
      ArrowRight: () => (event.altKey ? this.moveBy(index, 1) : this.selectAt(index + 1)),
      ArrowLeft: () => (event.altKey ? this.moveBy(index, -1) : this.selectAt(index < 0 ? 0 : index - 1)),
      Home: () => this.selectAt(0),
      End: () => this.selectAt(this.cut.clips.length - 1),
      "+": () => this.lengthBy(index, second),
      "=": () => this.lengthBy(index, second),
      "-": () => this.lengthBy(index, -second),
      Enter: () => this.openClip(index),
    });
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** @param {number} index */
  selectAt(index) {
    const clip = this.cut.clips[Math.max(0, Math.min(this.cut.clips.length - 1, index))];
    if (!clip) return;
    this.select(clip.id, true);
    this.setFrame(clip.start ?? 0, true);
    this.view.reveal(clip);
  }

  /** @param {number} index */
  openClip(index) {
    const href = this.cut.clips[index]?.href;
    if (href) location.assign(href);
  }

  /** @param {number} index @param {number} by */
  moveBy(index, by) {
    const to = index + by;
    if (!this.editable || index < 0 || to < 0 || to >= this.cut.clips.length) return;
    this.cut.move(index, to);
    this.view.layout(0);
    this.view.reveal(this.cut.clips[to]);
    this.commit(this.cut.moveOp(to));
  }

  /** @param {number} index @param {number} by frames */
  lengthBy(index, by) {
    if (!this.editable || index < 0) return;
    const before = this.cut.clips[index].frames;
    if (this.cut.setLength(index, before + by) === before) return;
    this.view.layout(index);
    const op = this.cut.lengthOp(index);
    const known = this.waiting.findIndex((other) => other.op === "length" && other.shot === op.shot);
    if (known >= 0) this.waiting.splice(known, 1);
    this.waiting.push(op);
    clearTimeout(this.lengthTimer);
    this.lengthTimer = setTimeout(() => this.save(), GATHER_LENGTHS);
  }

  /** @param {Op} op */
  commit(op) {
    this.waiting.push(op);
    this.save();
  }

  async save() {
    clearTimeout(this.lengthTimer);
    const url = this.root.dataset.editUrl;
    if (!url || this.saving || !this.waiting.length) return;
    const ops = this.waiting.splice(0);
    this.saving = true;
    this.root.toggleAttribute("data-saving", true);
    let refused = false;
    try {
      const response = await request(url, { method: "PATCH", json: { revision: this.revision, ops }, accept: "text/html", fragment: true });
      const text = await response.text();
      if (response.ok) this.swap(text);
      else {
        refused = true;
        this.waiting.length = 0;
        const page = new DOMParser().parseFromString(text, "text/html");
        toast(page.querySelector("[data-error-message]")?.textContent?.trim() || gettext("The cut could not be changed."), "warning");
      }
    } catch {
      refused = true;
      toast(gettext("The server did not answer. The cut was not changed."), "error");
    }
    this.saving = false;
    this.root.toggleAttribute("data-saving", false);
    if (refused) await this.fetchState();
    else if (this.waiting.length) this.save();
    else this.reload();
  }

  /** Take the server's cut again after a refusal. */
  async fetchState() {
    const url = this.root.dataset.stateUrl;
    if (url) {
      const response = await request(url, { accept: "text/html", fragment: true });
      if (response.ok) this.swap(await response.text());
    }
    this.waiting.length = 0;
    this.reload();
  }

  /** @param {string} html the fragment whose root replaces the element of the same id */
  swap(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    const old = fresh?.id ? document.getElementById(fresh.id) : null;
    if (!fresh || !old) return;
    htmx().swap(old, html, { swapStyle: "outerHTML" });
    const data = readData(this.root.dataset.timeline ?? "timeline-data");
    if (data) this.revision = data.revision ?? this.revision;
  }

  /** @param {string} what @param {HTMLElement} button */
  act(what, button) {
    if (what === "in") this.view.zoom(this.view.ppf * 1.5);
    if (what === "out") this.view.zoom(this.view.ppf / 1.5);
    if (what === "fit") this.view.fit();
    if (what === "magnet") {
      this.magnet = !this.magnet;
      button.setAttribute("aria-pressed", String(this.magnet));
    }
  }
}

onElements("[data-timeline]", (root) => {
  /** @type {any} */ (root).timeline = new Timeline(root);
});
