// The timeline page: when a new preview was made, the player takes it and stays on its frame.

import { playerOf } from "./player.js";

let shown = "";

function takeNewPreview() {
  const source = document.querySelector("[data-proxy-src]");
  const src = source instanceof HTMLElement ? (source.dataset.proxySrc ?? "") : "";
  if (!src || src === shown) return;
  const first = shown === "";
  shown = src;
  const player = playerOf(document.querySelector("[data-player]"));
  const playing = document.querySelector("[data-player] video")?.getAttribute("src") ?? "";
  if (player && !(first && playing === src)) {
    player.load({ src, frames: Number(source instanceof HTMLElement ? source.dataset.proxyFrames : 0) || undefined });
  }
}

document.addEventListener("htmx:afterSettle", takeNewPreview);
takeNewPreview();
