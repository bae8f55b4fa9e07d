// Frames, exact rates and timecode. Time is whole frames everywhere; seconds only at the video element.

/** @typedef {{num: number, den: number, base: number, value: number}} Rate */

/** @param {string} text "24" or "24000/1001" @returns {Rate} base is the count that timecode runs at */
export function parseRate(text) {
  const [num, den = 1] = String(text).split("/").map(Number);
  if (!Number.isInteger(num) || !Number.isInteger(den) || num <= 0 || den <= 0) throw new RangeError(`Not a frame rate: ${text}`);
  return { num, den, base: Math.round(num / den), value: num / den };
}

/** The middle of a frame in seconds: seeking to its edge shows the neighbour. @param {number} frame @param {Rate} rate */
export function frameToSeconds(frame, rate) {
  return ((frame + 0.5) * rate.den) / rate.num;
}

/** The frame that begins at or just before a media time. @param {number} seconds @param {Rate} rate */
export function mediaTimeToFrame(seconds, rate) {
  return Math.round((seconds * rate.num) / rate.den);
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}

/** HH:MM:SS:FF, non-drop. @param {number} frames @param {Rate} rate @returns {string} */
export function timecode(frames, rate) {
  const sign = frames < 0 ? "-" : "";
  const total = Math.abs(Math.round(frames));
  const seconds = Math.floor(total / rate.base);
  return `${sign}${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}:${two(total % rate.base)}`;
}

/** A length as people write it on a clip: "2.5s" or "1:02". @param {number} frames @param {Rate} rate */
export function shortLength(frames, rate) {
  const tenths = Math.round((frames * rate.den * 10) / rate.num);
  if (tenths < 600) return `${Math.floor(tenths / 10)}.${tenths % 10}s`;
  const seconds = Math.floor((tenths + 5) / 10);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/**
 * What a person types as a length: "72" or "72f" (frames), "3s", "2.5s", "3초", "2:12" (seconds:frames),
 * "00:00:02:12" (timecode).
 * @param {string} text @param {Rate} rate @returns {number | null} whole frames, at least one; null when unreadable
 */
export function parseLength(text, rate) {
  const value = text.trim().toLowerCase();
  let frames = null;
  if (/^\d+\s*(f|fr|frames?|프레임)?$/.test(value)) frames = Number.parseInt(value, 10);
  else if (/^\d+([.,]\d+)?\s*(s|sec|초)$/.test(value)) frames = secondsToFrames(value, rate);
  else if (/^\d+([:;]\d+){1,3}$/.test(value)) {
    const parts = value.split(/[:;]/).map(Number);
    const rest = parts.pop() ?? 0;
    if (rest >= rate.base) return null;
    frames = parts.reduce((sum, part) => sum * 60 + part, 0) * rate.base + rest;
  }
  return frames === null || !Number.isSafeInteger(frames) || frames < 1 ? null : frames;
}

/** Exact: the decimal digits are kept as an integer fraction. @param {string} text @param {Rate} rate */
function secondsToFrames(text, rate) {
  const [whole, decimals = ""] = text.replace(/[^\d.,]/g, "").replace(",", ".").split(".");
  const scale = 10 ** decimals.length;
  return Math.max(1, Math.round((Number(whole + decimals) * rate.num) / (scale * rate.den)));
}
