// The cut as numbers: clips lie one after another, so their starts follow from order and lengths.

/**
 * @typedef {object} Clip
 * @property {string | number} id the shot
 * @property {string} code
 * @property {number} frames
 * @property {number} [start] computed
 * @property {number} [max] longest length that the media allows; absent means free
 * @property {string} [title] @property {string} [thumb] @property {string} [kind] @property {string} [href]
 */
/** @typedef {{op: "move", shot: string | number, before: string | number | null} | {op: "length", shot: string | number, duration_frames: number}} Op */

export class Cut {
  /** @param {Clip[]} clips */
  constructor(clips) {
    this.clips = clips.map((clip) => ({ ...clip }));
    this.layout();
  }

  /** Compute every start from `from` on. @param {number} [from] */
  layout(from = 0) {
    const before = this.clips[from - 1];
    let at = before ? (before.start ?? 0) + before.frames : 0;
    for (const clip of this.clips.slice(from)) {
      clip.start = at;
      at += clip.frames;
    }
  }

  /** @returns {number} frames of the whole cut */
  get length() {
    const last = this.clips.at(-1);
    return last ? (last.start ?? 0) + last.frames : 0;
  }

  /** @param {string | number} id @returns {number} */
  indexOf(id) {
    return this.clips.findIndex((clip) => String(clip.id) === String(id));
  }

  /** The clip that is seen at a frame. @param {number} frame @returns {Clip | undefined} */
  at(frame) {
    return this.clips.find((clip) => frame >= (clip.start ?? 0) && frame < (clip.start ?? 0) + clip.frames);
  }

  /** @param {number} from @param {number} to the index that the clip has afterwards */
  move(from, to) {
    const [clip] = this.clips.splice(from, 1);
    this.clips.splice(to, 0, clip);
    this.layout(Math.max(0, Math.min(from, to)));
  }

  /** @param {number} index @param {number} frames @returns {number} what the length became: whole, at least one, at most max */
  setLength(index, frames) {
    const clip = this.clips[index];
    clip.frames = Math.max(1, Math.min(clip.max ?? Number.MAX_SAFE_INTEGER, Math.round(frames)));
    this.layout(index);
    return clip.frames;
  }

  /** Where a held clip falls when its middle is at `middle`. @param {number} index @param {number} middle frames */
  dropIndex(index, middle) {
    const others = this.clips.filter((_, at) => at !== index);
    let start = 0;
    let place = 0;
    for (const clip of others) {
      if (middle < start + clip.frames / 2) break;
      start += clip.frames;
      place += 1;
    }
    return place;
  }

  /** The operation that tells the server where a clip now is. @param {number} index @returns {Op} */
  moveOp(index) {
    return { op: "move", shot: this.clips[index].id, before: this.clips[index + 1]?.id ?? null };
  }

  /** @param {number} index @returns {Op} */
  lengthOp(index) {
    return { op: "length", shot: this.clips[index].id, duration_frames: this.clips[index].frames };
  }
}

/**
 * The nearest of some frames within a distance, else the whole frame itself.
 * @param {number} frame @param {number[]} targets @param {number} within frames
 * @returns {{frame: number, snapped: boolean}}
 */
export function snap(frame, targets, within) {
  let best = within;
  let found = null;
  for (const target of targets) {
    const away = Math.abs(target - frame);
    if (away <= best) {
      best = away;
      found = target;
    }
  }
  return found === null ? { frame: Math.round(frame), snapped: false } : { frame: found, snapped: true };
}

/** Ruler step in frames so that labels are at least `space` pixels apart. @param {number} pixelsPerFrame @param {number} base @param {number} [space] */
export function rulerStep(pixelsPerFrame, base, space = 92) {
  const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
  const steps = [1, 2, 5, Math.round(base / 2), ...seconds.map((second) => second * base)];
  return steps.find((step) => step * pixelsPerFrame >= space) ?? 3600 * base;
}
