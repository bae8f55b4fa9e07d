"""What each node class does in the double: values flow along the links, samplers take time, savers write files."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from tests.doubles.comfyui import produce


class NodeError(Exception):
    """An exception inside a node, with the type name that the server reports."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Blocked(Exception):
    """An ExecutionBlocker with a message reached a node."""


@dataclass(frozen=True)
class Latent:
    width: int
    height: int
    frames: int = 1
    seed: int = 0
    start: Image.Image | None = None


@dataclass(frozen=True)
class Images:
    first: Image.Image
    frames: int
    fps: float = 0.0


@dataclass(frozen=True)
class Run:
    """What a node may use besides its inputs. `step(value, max, image)` reports a sampling step and takes its time."""

    prompt: dict[str, Any]
    folders: dict[str, Path]
    step: Callable[[int, int, Image.Image], None]
    check_memory: Callable[[], None]


def execute(class_type: str, inputs: dict[str, Any], run: Run) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Outputs by slot, and the node's entry in the history's `outputs` (empty for most)."""
    work = _WORK.get(class_type)
    if work is None:
        return (class_type,) * 3, {}
    result = work(inputs, run)
    return result if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict) else (result, {})


def _latent(inputs: dict[str, Any], run: Run) -> Any:
    return (Latent(inputs["width"] // 8 * 8, inputs["height"] // 8 * 8),)


def _wan(inputs: dict[str, Any], run: Run) -> Any:
    frames = (inputs["length"] - 1) // 4 * 4 + 1  # a length off the lattice is floored without a word
    start = inputs.get("start_image")
    size = inputs["width"] // 8 * 8, inputs["height"] // 8 * 8
    latent = Latent(*size, frames, start=start.first if start else None)
    return (inputs["positive"], inputs["negative"], latent)


def _load_image(inputs: dict[str, Any], run: Run) -> Any:
    with Image.open(run.folders["input"] / inputs["image"]) as opened:
        return (Images(opened.convert("RGB"), 1), "MASK")


def _scale(inputs: dict[str, Any], run: Run) -> Any:
    size = inputs["width"], inputs["height"]
    image = inputs["image"].first
    return (Images(ImageOps.fit(image, size) if inputs["crop"] == "center" else image.resize(size), 1),)


def _sample(inputs: dict[str, Any], run: Run) -> Any:
    latent: Latent = inputs["latent_image"]
    run.check_memory()
    seed = inputs.get("seed", inputs.get("noise_seed", 0)) or latent.seed
    begin = inputs.get("start_at_step", 0)
    end = min(inputs.get("end_at_step", inputs["steps"]), inputs["steps"])
    image = produce.picture(min(latent.width, 256), min(latent.height, 256), seed)
    for number in range(1, max(end - begin, 0) + 1):
        run.step(number, end - begin, image)
    return (Latent(latent.width, latent.height, latent.frames, seed, latent.start),)


def _decode(inputs: dict[str, Any], run: Run) -> Any:
    latent: Latent = inputs["samples"]
    size = latent.width, latent.height
    image = latent.start.resize(size) if latent.start else produce.picture(*size, latent.seed, f"seed {latent.seed}")
    return (Images(image, latent.frames),)


def _video(inputs: dict[str, Any], run: Run) -> Any:
    return (Images(inputs["images"].first, inputs["images"].frames, inputs["fps"]),)


def _save_image(inputs: dict[str, Any], run: Run) -> Any:
    path, entry = _place(run.folders["output"], inputs["filename_prefix"], "_.png")
    produce.save_png(path, inputs["images"].first, run.prompt)
    return (inputs["images"],), {"images": [entry]}


def _preview_image(inputs: dict[str, Any], run: Run) -> Any:
    path, entry = _place(run.folders["temp"], "ComfyUI_temp", "_.png")
    produce.save_png(path, inputs["images"].first, run.prompt)
    return (inputs["images"],), {"images": [{**entry, "type": "temp"}]}


def _save_video(inputs: dict[str, Any], run: Run) -> Any:
    if inputs["format"] not in ("auto", "mp4", "mkv", "webm"):
        raise NodeError("TypeError", "'NoneType' object is not subscriptable")
    path, entry = _place(run.folders["output"], inputs["filename_prefix"], "_.mp4")
    produce.save_clip(path, inputs["video"].first, inputs["video"].frames, inputs["video"].fps)
    return (inputs["video"],), {"images": [entry], "animated": [True]}


def _place(folder: Path, prefix: str, ending: str) -> tuple[Path, dict[str, str]]:
    """The next free number after a prefix, which may name a subfolder."""
    subfolder, _, name = prefix.rpartition("/")
    place = folder / subfolder
    place.mkdir(parents=True, exist_ok=True)
    taken = [
        int(found.group(1))
        for path in place.iterdir()
        if (found := re.fullmatch(re.escape(name) + r"_(\d+)_\.\w+", path.name))
    ]
    filename = f"{name}_{max(taken, default=0) + 1:05}{ending}"
    return place / filename, {"filename": filename, "subfolder": subfolder, "type": "output"}


_WORK: dict[str, Callable[[dict[str, Any], Run], Any]] = {
    "EmptySD3LatentImage": _latent,
    "WanImageToVideo": _wan,
    "LoadImage": _load_image,
    "ImageScale": _scale,
    "KSampler": _sample,
    "KSamplerAdvanced": _sample,
    "VAEDecode": _decode,
    "CreateVideo": _video,
    "SaveImage": _save_image,
    "PreviewImage": _preview_image,
    "SaveVideo": _save_video,
}
