// The page of two versions: their clips move together, by time, whichever of the two a person moves.

import { playerOf } from "./player.js";

const DRIFT = 2; // frames; what two clips are apart in playing is not seen

const button = document.querySelector("[data-compare-together]");
/** @type {Element | null} the one that was touched last; the other follows it */
let leader = document.querySelector("[data-player]");

for (const name of ["pointerdown", "keydown"]) {
  document.addEventListener(
    name,
    (event) => {
      const root = event.target instanceof Element ? event.target.closest("[data-player]") : null;
      if (root) leader = root;
    },
    true,
  );
}

document.addEventListener("aip:frame", (event) => {
  if (event.target !== leader || button?.getAttribute("aria-pressed") !== "true") return;
  const first = playerOf(leader);
  const { frame, playing } = /** @type {CustomEvent} */ (event).detail;
  for (const root of document.querySelectorAll("[data-player]")) {
    const other = root === leader ? undefined : playerOf(root);
    if (!first || !other) continue;
    const at = Math.min(other.last, Math.round((frame / first.rate.value) * other.rate.value));
    const plays = playing && first.speed > 0 && at < other.last;
    if (plays && other.speed !== first.speed) other.forward(first.speed);
    else if (!plays && other.playing) other.stop();
    if (Math.abs((other.target ?? other.frame) - at) > (plays ? DRIFT : 0)) other.seek(at);
  }
});

button?.addEventListener("click", () => {
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
});
