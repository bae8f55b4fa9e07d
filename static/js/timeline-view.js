// The drawing of the timeline: ruler, clips, playhead, zoom. It holds no truth, only pixels per frame.

import { gettext } from "./i18n.js";
import { shortLength, timecode } from "./timecode.js";
import { rulerStep } from "./timeline-model.js";

const MIN_PPF = 0.02;
const MAX_PPF = 40;
const SMALL_CLIP = 118;
const TINY_CLIP = 66;
const ROOM_AFTER = 240;

export class TimelineView {
  /** @param {HTMLElement} root @param {import("./timeline.js").Timeline} timeline */
  constructor(root, timeline) {
    this.root = root;
    this.timeline = timeline;
    this.ppf = 4;
    this.data = /** @type {any} */ ({});
    this.scroller = /** @type {HTMLElement} */ (root.querySelector(".tl-scroll"));
    this.inner = /** @type {HTMLElement} */ (root.querySelector(".tl-inner"));
    this.track = /** @type {HTMLElement} */ (root.querySelector(".tl-track"));
    this.head = /** @type {HTMLElement} */ (root.querySelector(".tl-head"));
    this.snapLine = /** @type {HTMLElement} */ (root.querySelector(".tl-snap"));
    this.ruler = /** @type {HTMLCanvasElement} */ (root.querySelector(".tl-ruler"));
    /** @type {Map<string, HTMLElement>} */
    this.nodes = new Map();
    this.zoomFrame = 0;
    this.pictures = new IntersectionObserver((entries) => this.loadPictures(entries), { root: this.scroller, rootMargin: "0px 400px" });
    this.scroller.addEventListener("scroll", () => this.drawRuler());
    this.scroller.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    new ResizeObserver(() => this.layout(0)).observe(this.scroller);
  }

  /** @param {any} data */
  setData(data) {
    this.data = data;
    const { cut, editable } = this.timeline;
    this.root.classList.toggle("is-editable", editable);
    const alive = new Set(cut.clips.map((clip) => String(clip.id)));
    for (const [id, node] of this.nodes) {
      if (alive.has(id)) continue;
      this.pictures.unobserve(node);
      node.remove();
      this.nodes.delete(id);
    }
    for (const clip of cut.clips) this.fillNode(this.nodes.get(String(clip.id)) ?? this.makeNode(clip), clip);
    this.drawMarkers(data.markers ?? []);
    this.layout(0);
    this.drawSelection(false);
    this.drawHead();
  }

  /** @param {import("./timeline-model.js").Clip} clip @returns {HTMLElement} */
  makeNode(clip) {
    const node = document.createElement("div");
    node.className = "tl-clip";
    node.dataset.clip = String(clip.id);
    node.tabIndex = -1;
    node.setAttribute("role", "option");
    const picture = document.createElement("div");
    picture.className = "pic";
    const foot = document.createElement("div");
    foot.className = "foot";
    foot.append(document.createElement("b"), document.createElement("span"));
    node.append(picture, foot);
    if (this.timeline.editable) {
      const trim = document.createElement("div");
      trim.className = "trim";
      node.append(trim);
    }
    this.nodes.set(String(clip.id), node);
    this.track.append(node);
    return node;
  }

  /** @param {HTMLElement} node @param {import("./timeline-model.js").Clip} clip */
  fillNode(node, clip) {
    node.dataset.kind = clip.kind ?? "";
    const name = node.querySelector("b");
    if (name) name.textContent = clip.code;
    node.title = clip.title ?? "";
    if (node.dataset.thumb !== (clip.thumb ?? "")) {
      node.dataset.thumb = clip.thumb ?? "";
      this.pictures.unobserve(node);
      this.pictures.observe(node);
    }
  }

  /** @param {IntersectionObserverEntry[]} entries */
  loadPictures(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !(target instanceof HTMLElement)) continue;
      const picture = target.querySelector(".pic");
      const url = target.dataset.thumb;
      if (picture instanceof HTMLElement) picture.style.backgroundImage = url ? `url("${encodeURI(url)}")` : "";
      this.pictures.unobserve(target);
    }
  }

  /** Place the clips from an index on. @param {number} from */
  layout(from) {
    const { cut, rate, drag } = this.timeline;
    for (const clip of cut.clips.slice(from)) {
      const node = this.nodes.get(String(clip.id));
      if (!node) continue;
      const width = Math.max(2, clip.frames * this.ppf - 1);
      node.style.width = `${width}px`;
      if (!(drag?.kind === "move" && drag.began && drag.clip === clip)) node.style.transform = `translateX(${(clip.start ?? 0) * this.ppf}px)`;
      node.classList.toggle("is-small", width < SMALL_CLIP);
      node.classList.toggle("is-tiny", width < TINY_CLIP);
      const length = node.querySelector(".foot > span");
      if (length) length.textContent = `${clip.frames}f`;
      node.setAttribute("aria-label", `${clip.code}, ${timecode(clip.start ?? 0, rate)}, ${shortLength(clip.frames, rate)}`);
    }
    if (from === 0) this.order();
    const total = this.root.querySelector("[data-tl-total]");
    if (total) total.textContent = `${timecode(cut.length, rate)} · ${cut.length} ${gettext("frames")}`;
    this.inner.style.width = `${Math.max(this.scroller.clientWidth, cut.length * this.ppf + ROOM_AFTER)}px`;
    this.drawMarkerPlaces();
    this.drawRuler();
    this.drawHead();
  }

  /** The tab and reading order follows the cut (not while a clip is held: moving nodes would end the drag). */
  order() {
    if (this.timeline.drag) return;
    let place = this.track.firstElementChild;
    for (const clip of this.timeline.cut.clips) {
      const node = this.nodes.get(String(clip.id));
      if (!node) continue;
      if (node === place) place = place.nextElementSibling;
      else {
        const focused = document.activeElement === node;
        this.track.insertBefore(node, place);
        if (focused) node.focus({ preventScroll: true });
      }
    }
  }

  /** @param {boolean} focus */
  drawSelection(focus) {
    const { selected, cut } = this.timeline;
    const entry = selected ?? String(cut.clips[0]?.id ?? "");
    for (const [id, node] of this.nodes) {
      node.classList.toggle("is-selected", id === selected);
      node.setAttribute("aria-selected", String(id === selected));
      node.tabIndex = id === entry ? 0 : -1;
      if (focus && id === selected) node.focus({ preventScroll: true });
    }
  }

  /** @param {import("./timeline-model.js").Clip} clip @param {number} left frames */
  hold(clip, left) {
    this.layout(0);
    const node = this.nodes.get(String(clip.id));
    if (!node) return;
    node.classList.add("is-held");
    node.style.transform = `translateX(${left * this.ppf}px)`;
  }

  release() {
    for (const node of this.nodes.values()) node.classList.remove("is-held");
  }

  drawHead() {
    this.head.style.transform = `translateX(${this.timeline.frame * this.ppf}px)`;
  }

  /** @param {number | null} frame */
  showSnap(frame) {
    this.snapLine.hidden = frame === null;
    if (frame !== null) this.snapLine.style.transform = `translateX(${frame * this.ppf}px)`;
  }

  /** @param {{frame: number, name: string}[]} markers */
  drawMarkers(markers) {
    for (const old of this.inner.querySelectorAll(".tl-marker")) old.remove();
    for (const marker of markers) {
      const node = document.createElement("div");
      node.className = "tl-marker";
      node.textContent = marker.name;
      node.dataset.frame = String(marker.frame);
      this.inner.append(node);
    }
  }

  drawMarkerPlaces() {
    for (const node of this.inner.querySelectorAll(".tl-marker")) {
      if (node instanceof HTMLElement) node.style.transform = `translateX(${Number(node.dataset.frame) * this.ppf}px)`;
    }
  }

  drawRuler() {
    const { rate, start = 0 } = this.timeline;
    const width = this.scroller.clientWidth;
    const scale = devicePixelRatio || 1;
    if (this.ruler.width !== Math.round(width * scale)) {
      this.ruler.width = Math.round(width * scale);
      this.ruler.height = Math.round(24 * scale);
      this.ruler.style.width = `${width}px`;
    }
    const draw = this.ruler.getContext("2d");
    if (!draw) return;
    const style = getComputedStyle(this.root);
    const offset = this.scroller.scrollLeft;
    this.ruler.style.transform = `translateX(${offset}px)`;
    draw.setTransform(scale, 0, 0, scale, 0, 0);
    draw.clearRect(0, 0, width, 24);
    draw.fillStyle = style.getPropertyValue("--text-2");
    draw.strokeStyle = style.getPropertyValue("--line-2");
    draw.font = `500 10px ${style.getPropertyValue("--mono")}`;
    const step = rulerStep(this.ppf, rate.base);
    const first = Math.floor(offset / this.ppf / step) * step;
    draw.beginPath();
    for (let frame = first; frame * this.ppf < offset + width; frame += step) {
      const x = Math.round(frame * this.ppf - offset) + 0.5;
      draw.moveTo(x, 13);
      draw.lineTo(x, 24);
      draw.fillText(timecode(frame + start, rate), x + 4, 12);
      const small = step / (step % 5 === 0 && step < rate.base ? 5 : 4);
      for (let part = 1; part * small < step; part += 1) {
        const at = Math.round((frame + part * small) * this.ppf - offset) + 0.5;
        draw.moveTo(at, 20);
        draw.lineTo(at, 24);
      }
    }
    draw.stroke();
  }

  /** @param {WheelEvent} event */
  onWheel(event) {
    if (!event.ctrlKey && !event.metaKey) {
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
      const room = this.scroller.scrollWidth > this.scroller.clientWidth;
      if (room) {
        event.preventDefault();
        this.scroller.scrollLeft += event.deltaY;
      }
      return;
    }
    event.preventDefault();
    this.wanted = (this.zoomFrame ? this.wanted ?? this.ppf : this.ppf) * Math.exp(-event.deltaY * 0.002);
    const anchor = event.clientX - this.scroller.getBoundingClientRect().left;
    this.zoomFrame ||= requestAnimationFrame(() => {
      this.zoomFrame = 0;
      this.zoom(this.wanted ?? this.ppf, anchor);
    });
  }

  /** @param {number} ppf pixels per frame @param {number} [anchor] the x that stays where it is */
  zoom(ppf, anchor = this.scroller.clientWidth / 2) {
    const frame = (this.scroller.scrollLeft + anchor) / this.ppf;
    this.ppf = Math.max(MIN_PPF, Math.min(MAX_PPF, ppf));
    this.layout(0);
    this.scroller.scrollLeft = frame * this.ppf - anchor;
    this.drawRuler();
  }

  fit() {
    const { length } = this.timeline.cut;
    if (length) this.zoom((this.scroller.clientWidth - 24) / length, 0);
    this.scroller.scrollLeft = 0;
  }

  /** @param {number} clientX @returns {number} x inside the strip */
  xOf(clientX) {
    return clientX - this.scroller.getBoundingClientRect().left + this.scroller.scrollLeft;
  }

  /** @param {number} x @returns {number} whole frame */
  frameAt(x) {
    return Math.max(0, Math.floor(x / this.ppf));
  }

  /** @param {number} clientX @param {number} edge @returns {boolean} true while it scrolls */
  edgeScroll(clientX, edge) {
    const box = this.scroller.getBoundingClientRect();
    const before = this.scroller.scrollLeft;
    if (clientX > box.right - edge) this.scroller.scrollLeft += 14;
    else if (clientX < box.left + edge) this.scroller.scrollLeft -= 14;
    return this.scroller.scrollLeft !== before;
  }

  /** @param {import("./timeline-model.js").Clip} clip */
  reveal(clip) {
    const left = (clip.start ?? 0) * this.ppf;
    const right = left + clip.frames * this.ppf;
    const { scrollLeft, clientWidth } = this.scroller;
    if (left < scrollLeft) this.scroller.scrollLeft = left - 20;
    else if (right > scrollLeft + clientWidth) this.scroller.scrollLeft = Math.min(left - 20, right - clientWidth + 20);
  }

  /** Keep the playhead in view while it plays: turn the page. */
  follow() {
    const x = this.timeline.frame * this.ppf;
    const { scrollLeft, clientWidth } = this.scroller;
    if (x < scrollLeft || x > scrollLeft + clientWidth - 8) this.scroller.scrollLeft = x - clientWidth * 0.1;
  }
}
