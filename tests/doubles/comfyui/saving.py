"""Nodes that write files: names and history entries differ from node to node as in the real server."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.doubles.comfyui import produce
from tests.doubles.comfyui.media import Audio, Images, NodeError, Run, Video

Inputs = dict[str, Any]
Entry = dict[str, Any]


def _place(folder: Path, prefix: str, ending: str) -> tuple[Path, Entry]:
    """The next free number after a prefix, which may name a subfolder."""
    subfolder, _, name = prefix.rpartition("/")
    place = folder / subfolder
    place.mkdir(parents=True, exist_ok=True)
    taken = [
        int(found.group(1))
        for path in place.iterdir()
        if (found := re.fullmatch(re.escape(name) + r"_(\d+)[_-]?\w*\.\w+", path.name))
    ]
    filename = f"{name}_{max(taken, default=0) + 1:05}{ending}"
    return place / filename, {"filename": filename, "subfolder": subfolder, "type": "output"}


def _pictures(images: Images, folder: Path, prefix: str, ending: str, run: Run) -> list[Entry]:
    entries = []
    for image in produce.pictures(images):
        path, entry = _place(folder, prefix, ending)
        produce.save_png(path, image, run.prompt, run.extra)
        entries.append(entry)
    return entries


def save_image(inputs: Inputs, run: Run) -> Any:
    entries = _pictures(inputs["images"], run.folders["output"], inputs["filename_prefix"], "_.png", run)
    return (inputs["images"],), {"images": entries}


def save_image_advanced(inputs: Inputs, run: Run) -> Any:
    if inputs["format"] != "png":
        raise NodeError("NotImplementedError", f"The test server does not write {inputs['format']}.")
    entries = _pictures(inputs["images"], run.folders["output"], inputs["filename_prefix"], ".png", run)
    return (inputs["images"],), {"images": entries}


def preview_image(inputs: Inputs, run: Run) -> Any:
    entries = _pictures(inputs["images"], run.folders["temp"], "ComfyUI_temp", "_.png", run)
    return (inputs["images"],), {"images": [{**entry, "type": "temp"} for entry in entries]}


def preview_any(inputs: Inputs, run: Run) -> Any:
    text = str(inputs["source"])
    return (text,), {"text": [text]}


def save_video(inputs: Inputs, run: Run) -> Any:
    if inputs["format"] not in ("auto", "mp4", "mkv", "webm"):
        raise NodeError("TypeError", "'NoneType' object is not subscriptable")
    form = "mp4" if inputs["format"] == "auto" else inputs["format"]
    if form != "webm" and any(side % 2 for side in inputs["video"].images.size):
        # The node hands the frames to libx264 as they are, and its colours are half as wide and high.
        text = "[Errno 542398533] Generic error in an external library: 'avcodec_open2(\"libx264\", {})'"
        raise NodeError("av.error.ExternalError", text)
    path, entry = _place(run.folders["output"], inputs["filename_prefix"], f"_.{form}")
    produce.save_clip(path, inputs["video"], run.prompt, run.extra)
    return (inputs["video"],), {"images": [entry], "animated": [True]}


def save_webm(inputs: Inputs, run: Run) -> Any:
    path, entry = _place(run.folders["output"], inputs["filename_prefix"], "_.webm")
    produce.save_clip(path, _video(inputs["images"], inputs["fps"]), run.prompt, run.extra)
    return (inputs["images"],), {"images": [entry], "animated": [True]}


def save_webp(inputs: Inputs, run: Run) -> Any:
    path, entry = _place(run.folders["output"], inputs["filename_prefix"], "_.webp")
    first, *others = produce.pictures(inputs["images"])
    first.save(path, save_all=True, append_images=others, duration=round(1000 / inputs["fps"]), method=0)
    return (inputs["images"],), {"images": [entry], "animated": [inputs["images"].frames != 1]}


def save_audio(inputs: Inputs, run: Run) -> Any:
    path, entry = _place(run.folders["output"], inputs["filename_prefix"], ".flac" if run.modern else "_.flac")
    produce.save_sound(path, inputs["audio"])
    return (inputs["audio"],), {"audio": [entry]}


def vhs_combine(inputs: Inputs, run: Run) -> Any:
    """All that it writes is told under `gifs`, also an mp4; a picture with the graph lies beside it."""
    kind, _, form = inputs["format"].partition("/")
    endings = {"gif": "gif", "h264-mp4": "mp4", "h265-mp4": "mp4", "webm": "webm", "nvenc_h264-mp4": "mp4"}
    if form not in endings:
        raise NodeError("NotImplementedError", f"The test server does not write {kind}/{form}.")
    images: Images = inputs["images"]
    folder = run.folders["output" if inputs["save_output"] else "temp"]
    path, entry = _place(folder, inputs["filename_prefix"], f".{endings[form]}")
    still = path.with_suffix(".png")
    produce.save_png(still, images.picture(), run.prompt, run.extra)
    audio: Audio | None = inputs.get("audio")
    produce.save_clip(path, _video(images, inputs["frame_rate"]), run.prompt, run.extra)
    if audio is not None and endings[form] == "mp4":
        path = path.with_name(f"{path.stem}-audio.mp4")
        produce.save_clip(path, _video(images, inputs["frame_rate"], audio), run.prompt, run.extra)
    told = {
        **entry,
        "filename": path.name,
        "type": "output" if inputs["save_output"] else "temp",
        "format": inputs["format"],
        "frame_rate": float(inputs["frame_rate"]),
        "workflow": still.name,
        "fullpath": str(path),
    }
    return ((bool(inputs["save_output"]), [str(still), str(path)]),), {"gifs": [told]}


def _video(images: Images, fps: float, audio: Audio | None = None) -> Video:
    return Video(images, Fraction(round(fps * 1000), 1000), audio)


WORK: dict[str, Callable[[Inputs, Run], Any]] = {
    "SaveImage": save_image,
    "SaveImageAdvanced": save_image_advanced,
    "PreviewImage": preview_image,
    "PreviewAny": preview_any,
    "SaveVideo": save_video,
    "SaveWEBM": save_webm,
    "SaveAnimatedWEBP": save_webp,
    "SaveAudio": save_audio,
    "VHS_VideoCombine": vhs_combine,
}
