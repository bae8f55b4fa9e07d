// Pictures of work in progress: each new one is loaded beside the old and put in its place when it is there.
//
//   data-job-preview="<job id>" data-preview-url="…/preview/"   a place for the newest picture of a job
//
// The number of the newest picture comes with the job's progress: nothing is asked for that is not there.

const AT_MOST_EVERY = 250;
/** @type {WeakMap<Element, {shown: number, wanted: number, busy: boolean, last: number}>} */
const places = new WeakMap();

/** @param {HTMLElement} place @param {number} number */
function want(place, number) {
  let state = places.get(place);
  if (!state) {
    state = { shown: 0, wanted: 0, busy: false, last: 0 };
    places.set(place, state);
  }
  state.wanted = number;
  if (!state.busy && state.wanted !== state.shown) load(place, state);
}

/** @param {HTMLElement} place @param {{shown: number, wanted: number, busy: boolean, last: number}} state */
function load(place, state) {
  state.busy = true;
  setTimeout(() => {
    const number = state.wanted;
    const picture = new Image();
    picture.alt = "";
    picture.decoding = "async";
    const done = (/** @type {boolean} */ good) => {
      if (good && place.isConnected) place.replaceChildren(picture);
      state.shown = number; // one that is gone is not asked for again
      state.last = Date.now();
      state.busy = false;
      if (place.isConnected && state.wanted !== state.shown) load(place, state);
    };
    picture.addEventListener("load", () => done(true));
    picture.addEventListener("error", () => done(false));
    picture.src = `${place.dataset.previewUrl}?n=${number}`;
  }, Math.max(0, state.last + AT_MOST_EVERY - Date.now()));
}

export function startPreviews() {
  document.addEventListener("aip:live-event", (message) => {
    const { event } = /** @type {CustomEvent} */ (message).detail;
    if (event.type !== "job.progress" || !event.preview || document.hidden) return;
    for (const id of event.ids ?? []) {
      for (const place of document.querySelectorAll(`[data-job-preview="${CSS.escape(String(id))}"]`)) {
        want(/** @type {HTMLElement} */ (place), Number(event.preview));
      }
    }
  });
}
