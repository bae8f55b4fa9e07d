// One websocket per page. Topics carry a sequence number: whatever was missed is announced as "stale".

import { randomId } from "./util.js";

const FIRST_WAIT = 400;
const LONGEST_WAIT = 15000;
const PING_EVERY = 20000;
const ANSWER_WITHIN = 10000;
const FAR_BEHIND = 100;

/** @typedef {"connecting" | "open" | "polling" | "closed"} LiveState */

/**
 * Events: "state" (detail: LiveState), "event" (detail: {topic, event}), "stale" and "subscribed" (detail: {topic}), "here" (somebody's place).
 */
export class LiveSocket extends EventTarget {
  /** @param {string} path */
  constructor(path) {
    super();
    this.path = path;
    /** @type {Map<string, number | null>} topic -> newest sequence number seen, null before the first answer */
    this.topics = new Map();
    /** @type {Set<string>} */
    this.denied = new Set();
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {LiveState} */
    this.state = "connecting";
    this.attempt = 0;
    this.id = randomId().slice(0, 8);
    this.retryTimer = 0;
    this.pingTimer = 0;
    this.answerTimer = 0;
  }

  open() {
    clearTimeout(this.retryTimer);
    if (this.socket) return;
    this.setState(this.attempt > 1 ? "polling" : "connecting");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.socket = socket;
    socket.addEventListener("open", () => {
      if (socket !== this.socket) return;
      this.attempt = 0;
      this.setState("open");
      this.heartbeat();
      for (const topic of this.topics.keys()) this.send({ type: "subscribe", topic });
    });
    socket.addEventListener("message", (message) => {
      if (socket !== this.socket) return;
      clearTimeout(this.answerTimer);
      this.receive(JSON.parse(String(message.data)));
    });
    socket.addEventListener("close", (event) => this.lost(socket, event.code));
  }

  close() {
    clearTimeout(this.retryTimer);
    this.stopHeartbeat();
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
    this.setState("closed");
  }

  /**
   * @param {string} topic
   * @param {number | null} [seen] the sequence number that the page was rendered at, when it says so
   */
  subscribe(topic, seen = null) {
    if (this.topics.has(topic)) return;
    this.topics.set(topic, seen);
    if (this.state === "open") this.send({ type: "subscribe", topic });
  }

  /** @param {string} topic */
  unsubscribe(topic) {
    this.denied.delete(topic);
    if (this.topics.delete(topic) && this.state === "open") this.send({ type: "unsubscribe", topic });
  }

  /** @param {any} message */
  receive(message) {
    const { type, topic } = message;
    if (type === "event" && this.topics.has(topic)) this.onEvent(topic, Number(message.seq), message.event);
    else if (type === "subscribed" && this.topics.has(topic)) this.onSubscribed(topic, Number(message.seq));
    else if (type === "here" && this.topics.has(topic)) this.emit("here", message);
    else if (type === "denied") {
      this.denied.add(topic);
      this.topics.delete(topic);
    }
  }

  /** @param {string} topic @param {number} seq */
  onSubscribed(topic, seq) {
    const known = this.topics.get(topic) ?? null;
    this.topics.set(topic, seq);
    // After a reconnect, or when the page was rendered at an older number, events were missed.
    if (known !== null && known !== seq) this.emit("stale", { topic });
    this.emit("subscribed", { topic });
  }

  /** @param {string} topic @param {number} seq @param {any} event */
  onEvent(topic, seq, event) {
    const last = this.topics.get(topic) ?? null;
    const started = last !== null;
    if (!started || seq > last || last - seq > FAR_BEHIND || seq === 1) this.topics.set(topic, seq);
    this.emit("event", { topic, event });
    // A later number than the next one: something was dropped. A much smaller one: the server's counter began anew.
    if (started && (seq > last + 1 || last - seq > FAR_BEHIND)) this.emit("stale", { topic });
  }

  /** @param {WebSocket} socket @param {number} code */
  lost(socket, code) {
    if (socket !== this.socket) return;
    this.socket = null;
    this.stopHeartbeat();
    if (code === 4401) {
      this.setState("closed"); // logged out: a reload leads to the login page
      return;
    }
    this.attempt += 1;
    this.setState(this.attempt > 1 ? "polling" : "connecting");
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.attempt - 1));
    this.retryTimer = setTimeout(() => this.open(), wait * (0.6 + Math.random() * 0.8));
  }

  heartbeat() {
    this.stopHeartbeat();
    this.pingTimer = setInterval(() => {
      this.send({ type: "ping" });
      clearTimeout(this.answerTimer);
      const socket = this.socket;
      this.answerTimer = setTimeout(() => {
        // A half-dead connection never closes by itself: drop it and begin again.
        if (socket && socket === this.socket) {
          socket.close();
          this.lost(socket, 4000);
        }
      }, ANSWER_WITHIN);
    }, PING_EVERY);
  }

  stopHeartbeat() {
    clearInterval(this.pingTimer);
    clearTimeout(this.answerTimer);
  }

  /** @param {object} message */
  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** @param {LiveState} state */
  setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.emit("state", state);
  }

  /** @param {string} name @param {unknown} detail */
  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
