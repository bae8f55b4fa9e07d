// Keeps parts of a page current: an element names its topic, its events and the address of its own fragment.
//
//   data-live-topic="project:12"   one or more topics, separated by spaces
//   data-live-on="job.* shot.changed"   event types (default: all); job.progress and batch.progress only when named in full
//   data-live-url="/p/X/jobs/"     where its own fragment is; the answer is morphed in
//   data-live-id="7"               optional: only events whose ids contain it
//   data-job-progress="<job id>"   a progress line that moves with the numbers of the event itself
//   data-batch-progress="<batch id>"   the bar of a batch (what runs is its last piece) or its percentage, likewise
//
// Modules that keep their own data listen on the document: "aip:live-event" {topic, event}, "aip:live-stale" and
// "aip:live-subscribed" {topic} (something may have been missed), "aip:live-poll" (no socket: time to ask), "aip:live-here" (where somebody is).

import { gettext } from "./i18n.js";
import { LiveSocket } from "./live.js";
import { debounce, htmx, isTextField } from "./util.js";

const GATHER = 120;
const AT_MOST_EVERY = 1000;
const POLL_EVERY = 5000;
const RETRY_BUSY = 600;

/** @type {LiveSocket | null} */
let live = null;
let composing = false;
/** @type {WeakMap<Element, {timer: number, last: number, waiting: boolean}>} */
const plans = new WeakMap();

/** @param {string} pattern @param {string} type */
function matches(pattern, type) {
  if (pattern === type) return true;
  if (type === "job.progress" || type === "batch.progress") return false;
  return pattern === "*" || (pattern.endsWith(".*") && type.startsWith(pattern.slice(0, -1)));
}

/** Every id that an event speaks of, as text. @param {any} event @returns {Set<string>} */
function idsOf(event) {
  const ids = event.ids ?? [];
  const list = Array.isArray(ids) ? ids : Object.values(ids).flat();
  return new Set([...list, event.id, event.job, event.shot].filter((id) => id !== undefined && id !== null).map(String));
}

/** @param {HTMLElement} element @param {string} topic @param {any} event */
function listens(element, topic, event) {
  if (!(element.dataset.liveTopic ?? "").split(/\s+/).includes(topic)) return false;
  const patterns = (element.dataset.liveOn ?? "*").split(/\s+/).filter(Boolean);
  if (!patterns.some((pattern) => matches(pattern, event.type))) return false;
  const only = element.dataset.liveId;
  if (!only) return true;
  const ids = idsOf(event);
  return ids.size === 0 || only.split(/[\s,]+/).some((id) => ids.has(id));
}

/** @param {Element} element true while a person writes, composes or drags inside it */
function isBusy(element) {
  const active = document.activeElement;
  const inside = active && active !== document.body && element.contains(active);
  if (inside && (composing || ((isTextField(active) || active instanceof HTMLSelectElement) && !active.hasAttribute("data-idle")))) return true;
  return element.querySelector(".is-editing, .is-dragging, .sortable-chosen, [popover]:popover-open, dialog[open]") !== null;
}

/** @param {HTMLElement} element */
function fetchNow(element) {
  const plan = plans.get(element);
  if (!element.isConnected || !plan) return;
  if (document.hidden) {
    plan.waiting = true;
    return;
  }
  if (isBusy(element)) {
    plan.timer = setTimeout(() => fetchNow(element), RETRY_BUSY);
    return;
  }
  plan.timer = 0;
  plan.last = Date.now();
  const url = element.dataset.liveUrl;
  // A request that fails is told by htmx's own events; the next poll or the reconnect asks again.
  if (url) htmx().ajax("GET", url, { source: element, target: element, swap: element.dataset.liveSwap || "morph" }).catch(() => {});
  else htmx().trigger(element, "aip:live");
}

/** Refresh an element soon: events are gathered, and it is at most once a second. @param {HTMLElement} element */
export function refresh(element) {
  let plan = plans.get(element);
  if (!plan) {
    plan = { timer: 0, last: 0, waiting: false };
    plans.set(element, plan);
  }
  if (plan.timer) return;
  const wait = Math.max(GATHER, plan.last + AT_MOST_EVERY - Date.now());
  plan.timer = setTimeout(() => {
    plan.timer = 0;
    fetchNow(element);
  }, wait);
}

/** @returns {HTMLElement[]} */
function liveElements() {
  return [...document.querySelectorAll("[data-live-topic]")].filter((element) => element instanceof HTMLElement);
}

/** Refetch everything that is live, or what listens to one topic. @param {string} [topic] */
export function refreshAll(topic) {
  for (const element of liveElements()) {
    if (!topic || (element.dataset.liveTopic ?? "").split(/\s+/).includes(topic)) refresh(element);
  }
}

/** @param {any} event */
function moveBars(event) {
  const id = event.job ?? event.id ?? idsOf(event).values().next().value;
  const value = event.progress ?? event.value;
  if (id === undefined || typeof value !== "number") return;
  const percent = Math.max(0, Math.min(100, Math.round(value * 100)));
  for (const line of document.querySelectorAll(`[data-job-progress="${CSS.escape(String(id))}"]`)) {
    const bar = line instanceof HTMLProgressElement ? line : line.querySelector("progress");
    if (bar) bar.value = percent;
    line.querySelector(".ring .value")?.setAttribute("stroke-dasharray", `${percent} 100`);
    const text = line.querySelector("[data-progress-text]");
    if (text) text.textContent = `${percent}%`;
    const message = line.querySelector("[data-progress-message]");
    if (message && event.message) message.textContent = event.message;
  }
}

/** Move the last piece of a batch's bars to where the batch is now. @param {any} event batch.progress */
function moveBatch(event) {
  const percent = Math.max(0, Math.min(100, Number(event.progress) * 100));
  if (!Number.isFinite(percent)) return;
  for (const element of document.querySelectorAll(`[data-batch-progress="${CSS.escape(String(event.batch))}"]`)) {
    const last = element.querySelector("[data-batch-running]");
    if (last) {
      last.setAttribute("width", String(Math.max(0, percent - Number(last.getAttribute("x")))));
      element.setAttribute("aria-valuenow", String(Math.round(percent)));
    } else element.textContent = `${Math.round(percent)}%`;
  }
}

/** @param {string} state */
function showState(state) {
  const texts = {
    open: gettext("Live: changes appear by themselves"),
    connecting: gettext("Connecting"),
    polling: gettext("Connection lost: this page asks every few seconds"),
    closed: gettext("Not connected. Reload the page."),
  };
  const text = texts[/** @type {keyof typeof texts} */ (state)] ?? "";
  for (const dot of document.querySelectorAll("[data-connection]")) {
    dot.setAttribute("data-state", state);
    dot.setAttribute("title", text);
    const label = dot.querySelector(".sr");
    if (label && label.textContent !== text) label.textContent = text;
  }
}

/** Subscribe to exactly the topics that the page now names. */
function syncTopics() {
  if (!live) return;
  const wanted = new Map();
  for (const element of liveElements()) {
    for (const topic of (element.dataset.liveTopic ?? "").split(/\s+/).filter(Boolean)) {
      const seen = Number.parseInt(element.dataset.liveSeq ?? document.body.dataset.liveSeq ?? "", 10);
      const usable = topic === document.body.dataset.projectTopic || element.dataset.liveSeq !== undefined;
      if (!wanted.has(topic)) wanted.set(topic, usable && Number.isFinite(seen) ? seen : null);
    }
  }
  for (const name of ["projectTopic", "userTopic"]) {
    const topic = document.body.dataset[name];
    if (topic && !wanted.has(topic)) wanted.set(topic, null);
  }
  for (const topic of [...live.topics.keys()]) if (!wanted.has(topic)) live.unsubscribe(topic);
  for (const [topic, seen] of wanted) if (!live.denied.has(topic)) live.subscribe(topic, seen);
}

/** Say something to the others of a topic; nothing is kept while there is no connection. @param {object} message */
export function sendLive(message) {
  live?.send(message);
}

export function startLive() {
  document.addEventListener("compositionstart", () => (composing = true), true);
  document.addEventListener("compositionend", () => (composing = false), true);
  const path = document.body.dataset.liveSocket;
  if (!path) return;
  live = new LiveSocket(path);
  live.addEventListener("state", (event) => showState(/** @type {CustomEvent} */ (event).detail));
  live.addEventListener("stale", (event) => {
    const { topic } = /** @type {CustomEvent} */ (event).detail;
    document.dispatchEvent(new CustomEvent("aip:live-stale", { detail: { topic } }));
    refreshAll(topic);
  });
  live.addEventListener("subscribed", (event) => {
    document.dispatchEvent(new CustomEvent("aip:live-subscribed", { detail: /** @type {CustomEvent} */ (event).detail }));
  });
  live.addEventListener("here", (event) => {
    document.dispatchEvent(new CustomEvent("aip:live-here", { detail: /** @type {CustomEvent} */ (event).detail }));
  });
  live.addEventListener("event", (message) => {
    const { topic, event } = /** @type {CustomEvent} */ (message).detail;
    if (event.type === "batch.progress") moveBatch(event);
    else if (event.type.endsWith(".progress")) moveBars(event);
    document.dispatchEvent(new CustomEvent("aip:live-event", { detail: { topic, event } }));
    for (const element of liveElements()) if (listens(element, topic, event)) refresh(element);
  });
  syncTopics();
  live.open();
  const later = debounce(syncTopics, 60);
  document.addEventListener("htmx:afterSettle", () => {
    later();
    if (live) showState(live.state);
  });
  setInterval(() => {
    if (live?.state !== "polling" || document.hidden) return;
    document.dispatchEvent(new CustomEvent("aip:live-poll"));
    refreshAll();
  }, POLL_EVERY);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const element of liveElements()) {
      const plan = plans.get(element);
      if (plan?.waiting) {
        plan.waiting = false;
        refresh(element);
      }
    }
  });
  addEventListener("pagehide", () => live?.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      live?.open();
      refreshAll();
    }
  });
}
