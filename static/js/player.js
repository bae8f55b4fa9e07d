// A frame-exact player on the native video element. Frames are drawn from requestVideoFrameCallback, seeks go to
// the middle of a frame, and the rate is the exact fraction.

import { gettext } from "./i18n.js";
import { frameToSeconds, mediaTimeToFrame, parseRate, timecode } from "./timecode.js";
import { isComposing, isTextField, keyName, onElements } from "./util.js";

const SPEEDS = [1, 2, 4];

export class FramePlayer {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.video = /** @type {HTMLVideoElement} */ (root.querySelector("video"));
    this.rate = parseRate(root.dataset.fps || "24");
    this.start = Number(root.dataset.start) || 0;
    this.total = Number(root.dataset.frames) || 0;
    this.frame = 0;
    /** @type {number | null} */
    this.in = null;
    /** @type {number | null} */
    this.out = null;
    this.loop = root.dataset.loop === "true";
    this.speed = 0;
    this.reverseTimer = 0;
    /** @type {number | null} a seek asked for while another one is under way */
    this.nextSeek = null;
    this.seeking = false;
    /** @type {number | null} where the last seek goes: steps count from there, however quick they come */
    this.target = null;
    this.bind();
    this.watchFrames();
    this.draw();
  }

  bind() {
    const { video, root } = this;
    video.addEventListener("loadedmetadata", () => {
      if (!this.total && Number.isFinite(video.duration)) this.total = Math.round((video.duration * this.rate.num) / this.rate.den);
      this.draw();
    });
    video.addEventListener("seeked", () => {
      this.seeking = false;
      if (this.nextSeek !== null) {
        const frame = this.nextSeek;
        this.nextSeek = null;
        this.seek(frame);
      }
    });
    video.addEventListener("ended", () => this.ended());
    video.addEventListener("error", () => this.showError());
    video.addEventListener("click", () => this.toggle());
    for (const name of ["play", "pause", "ratechange", "volumechange"]) video.addEventListener(name, () => this.drawButtons());
    root.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-player-do]") : null;
      if (button instanceof HTMLElement) this.act(button.dataset.playerDo ?? "");
    });
    root.addEventListener("aip:seek", (event) => {
      this.stop();
      this.seek(/** @type {CustomEvent} */ (event).detail.frame);
    });
    root.addEventListener("aip:source", (event) => this.load(/** @type {CustomEvent} */ (event).detail));
    this.bindScrub();
  }

  bindScrub() {
    const scrub = this.root.querySelector("[data-player-scrub]");
    if (!(scrub instanceof HTMLElement)) return;
    const to = (/** @type {PointerEvent} */ event) => {
      const box = scrub.getBoundingClientRect();
      const part = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
      this.seek(Math.min(this.last, Math.floor(part * this.total)));
    };
    scrub.addEventListener("pointerdown", (event) => {
      scrub.setPointerCapture(event.pointerId);
      this.stop();
      to(event);
    });
    scrub.addEventListener("pointermove", (event) => {
      if (scrub.hasPointerCapture(event.pointerId)) to(event);
    });
  }

  /** @returns {number} the last frame's number */
  get last() {
    return Math.max(0, this.total - 1);
  }

  get playing() {
    return !this.video.paused || this.reverseTimer !== 0;
  }

  /** Another movie, e.g. a new proxy: the frame is kept. @param {{src: string, frames?: number, start?: number}} source */
  load({ src, frames, start }) {
    const keep = this.frame;
    this.stop();
    if (frames !== undefined) this.total = frames;
    if (start !== undefined) this.start = start;
    this.root.querySelector("[data-player-error]")?.setAttribute("hidden", "");
    this.seeking = false;
    this.nextSeek = this.target = null;
    this.video.src = src;
    this.video.addEventListener("loadeddata", () => this.seek(Math.min(keep, this.last)), { once: true });
  }

  watchFrames() {
    const { video } = this;
    if (typeof video.requestVideoFrameCallback !== "function") {
      video.addEventListener("timeupdate", () => this.shown(Math.floor(video.currentTime * this.rate.value + 1e-4)));
      return;
    }
    const step = (/** @type {number} */ _now, /** @type {VideoFrameCallbackMetadata} */ meta) => {
      this.shown(mediaTimeToFrame(meta.mediaTime, this.rate));
      video.requestVideoFrameCallback(step);
    };
    video.requestVideoFrameCallback(step);
  }

  /** @param {number} frame the frame that is now on the screen */
  shown(frame) {
    this.frame = frame;
    if (!this.seeking) this.target = null;
    this.draw();
    this.root.dispatchEvent(new CustomEvent("aip:frame", { bubbles: true, detail: { frame, playing: this.playing } }));
    const end = this.out ?? this.last;
    if (!this.video.paused && frame >= end && this.out !== null) this.ended();
  }

  ended() {
    if (this.loop) {
      this.seek(this.in ?? 0);
      this.video.play();
    } else this.stop();
  }

  /** @param {number} frame */
  seek(frame) {
    const target = Math.max(0, Math.min(this.last, Math.round(frame)));
    this.target = target;
    if (this.seeking) {
      this.nextSeek = target;
      return;
    }
    if (this.video.readyState < 1) {
      this.frame = target;
      this.target = null;
      this.draw();
      return;
    }
    this.seeking = true;
    this.video.currentTime = frameToSeconds(target, this.rate);
  }

  /** @param {number} frames */
  step(frames) {
    if (this.playing) this.stop();
    this.seek((this.target ?? this.frame) + frames);
  }

  stop() {
    const was = this.playing;
    clearInterval(this.reverseTimer);
    this.reverseTimer = 0;
    this.speed = 0;
    if (!this.video.paused) this.video.pause();
    // The element may stand one frame beside what it shows: go to the shown frame.
    if (was) this.seek(this.frame);
    this.drawButtons();
  }

  toggle() {
    if (this.playing) this.stop();
    else this.forward(1);
  }

  /** @param {number} speed */
  forward(speed) {
    clearInterval(this.reverseTimer);
    this.reverseTimer = 0;
    const end = this.out ?? this.last;
    if (this.frame >= end) this.seek(this.in ?? 0);
    this.speed = speed;
    this.video.playbackRate = speed;
    this.video.play().catch(() => this.stop());
    this.drawButtons();
  }

  /** @param {number} speed backwards by seeking, one seek at a time */
  backward(speed) {
    this.video.pause();
    clearInterval(this.reverseTimer);
    this.speed = -speed;
    let at = this.frame;
    this.reverseTimer = setInterval(() => {
      if (this.seeking) return;
      at -= speed;
      this.seek(at);
      if (at <= (this.in ?? 0)) this.stop();
    }, 1000 / this.rate.value);
    this.drawButtons();
  }

  /** J and L: again means faster. @param {1 | -1} direction */
  shuttle(direction) {
    const now = this.speed * direction;
    const next = now > 0 ? SPEEDS[Math.min(SPEEDS.length - 1, SPEEDS.indexOf(now) + 1)] : 1;
    if (direction > 0) this.forward(next);
    else this.backward(next);
  }

  /** @param {string} what */
  act(what) {
    const jumps = /** @type {Record<string, () => void>} */ ({
      toggle: () => this.toggle(),
      next: () => this.step(1),
      prev: () => this.step(-1),
      first: () => this.step(-this.total),
      last: () => this.step(this.total),
      in: () => this.mark("in"),
      out: () => this.mark("out"),
      clear: () => this.clearMarks(),
      loop: () => (this.loop = !this.loop),
      mute: () => (this.video.muted = !this.video.muted),
      full: () => this.fullscreen(),
    });
    jumps[what]?.();
    this.drawButtons();
  }

  /** @param {"in" | "out"} which */
  mark(which) {
    this[which] = this[which] === this.frame ? null : this.frame;
    if (this.in !== null && this.out !== null && this.in > this.out) this[which === "in" ? "out" : "in"] = null;
    this.draw();
    this.root.dispatchEvent(new CustomEvent("aip:range", { bubbles: true, detail: { in: this.in, out: this.out } }));
  }

  clearMarks() {
    this.in = this.out = null;
    this.draw();
  }

  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.();
  }

  /** @param {KeyboardEvent} event @returns {boolean} true when the key was the player's */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const big = event.shiftKey ? this.rate.base : 1;
    const keys = /** @type {Record<string, () => void>} */ ({
      j: () => this.shuttle(-1),
      k: () => this.stop(),
      l: () => this.shuttle(1),
      " ": () => this.toggle(),
      ArrowLeft: () => this.step(-big),
      ArrowRight: () => this.step(big),
      Home: () => this.step(-this.total),
      End: () => this.step(this.total),
      i: () => this.mark("in"),
      o: () => this.mark("out"),
      x: () => this.clearMarks(),
      f: () => this.fullscreen(),
      m: () => this.act("mute"),
    });
    const act = keys[keyName(event)];
    act?.();
    return act !== undefined;
  }

  showError() {
    if (!this.video.getAttribute("src")) return;
    const place = this.root.querySelector("[data-player-error]");
    if (!place) return;
    place.removeAttribute("hidden");
    place.textContent = gettext("This movie could not be played. It may be in the making, or the file is gone.");
  }

  draw() {
    const text = timecode(this.frame + this.start, this.rate);
    for (const place of this.root.querySelectorAll("[data-player-tc]")) place.textContent = text;
    const count = this.root.querySelector("[data-player-count]");
    if (count) count.textContent = `${this.frame + 1} / ${this.total}`;
    const part = this.total > 1 ? this.frame / this.last : 0;
    const bar = this.root.querySelector(".fill-bar");
    if (bar instanceof HTMLElement) bar.style.transform = `scaleX(${part})`;
    const range = this.root.querySelector(".range");
    if (range instanceof HTMLElement) {
      range.hidden = this.in === null && this.out === null;
      range.style.left = `${((this.in ?? 0) / Math.max(1, this.total)) * 100}%`;
      range.style.right = `${100 - (((this.out ?? this.last) + 1) / Math.max(1, this.total)) * 100}%`;
    }
    const scrub = this.root.querySelector("[data-player-scrub]");
    scrub?.setAttribute("aria-valuemax", String(this.last));
    scrub?.setAttribute("aria-valuenow", String(this.frame));
    scrub?.setAttribute("aria-valuetext", text);
  }

  drawButtons() {
    this.root.toggleAttribute("data-playing", this.playing);
    const press = (/** @type {string} */ name, /** @type {boolean} */ on) =>
      this.root.querySelector(`[data-player-do="${name}"]`)?.setAttribute("aria-pressed", String(on));
    press("loop", this.loop);
    press("mute", this.video.muted);
    const speed = this.root.querySelector("[data-player-speed]");
    if (speed) speed.textContent = this.speed && this.speed !== 1 ? `${this.speed}×` : "";
  }
}

/** @type {WeakMap<Element, FramePlayer>} */
const players = new WeakMap();

/** @param {Element | null} root @returns {FramePlayer | undefined} */
export function playerOf(root) {
  return root ? players.get(root) : undefined;
}

onElements("[data-player]", (root) => players.set(root, new FramePlayer(root)));

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || isComposing(event) || isTextField(document.activeElement)) return;
  if (document.querySelector("dialog[open]:not(:has([data-player]))")) return;
  const target = event.target instanceof Element ? event.target : null;
  if (event.key === " " && target?.closest("button, a, input, select, summary")) return;
  const inside = target?.closest("[data-player]");
  if (!inside && target?.closest("[data-timeline], [data-grid], [data-own-keys]") && event.key.length > 1) return;
  const root = inside ?? document.querySelector("[data-player][data-player-page]");
  const player = playerOf(root);
  if (player?.key(event)) event.preventDefault();
});
