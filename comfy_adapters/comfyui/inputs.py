"""The files that a job brings: brought into the form that its graph works on, and uploaded once by content."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from django.utils.translation import gettext as _

from aipipeline.media.files import sha256_file
from aipipeline.media.probe import Probe, ProbeError, probe
from comfy_adapters.comfyui import errors, pictures
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.convert import retime
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import BEFORE, Nodes, Slots, Target, snap_length, snap_size
from comfy_adapters.comfyui.values import shot_fps

PADS = ("pad_left", "pad_top", "pad_right", "pad_bottom")
# Smaller files go to the server without asking it for its limit first; should one be too large, it says so.
ASK_LIMIT_ABOVE = 8 << 20
MOST_BYTES = 2 << 30  # to a server that does not say its limit


@dataclass(frozen=True)
class Ready:
    """A file as it goes to the server for one role. `original` is what the job brought."""

    role: str
    path: Path
    original: Path
    targets: tuple[Target, ...]


def prepare(
    slots: Slots,
    params: Mapping[str, Any],
    files: Mapping[str, Path],
    folder: Path,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[list[Ready], dict[str, Any]]:
    """The files to upload, made in `folder` where they had to be changed, and slot values that follow from them.

    A role that the workflow does not require and the job does not bring keeps what the graph itself names. ComfyError
    names a file that is missing, unreadable or of the wrong kind. ffmpeg.Cancelled when told to stop.
    """
    optional = {str(entry["role"]) for entry in slots.inputs if not entry.get("required", True)}
    found: list[Ready] = []
    values: dict[str, Any] = {}
    for role, targets in slots.targets.items():
        places = tuple(target for target in targets if target.upload)
        if not places:
            continue
        path = files.get(role)
        if path is None:
            if role in optional:
                continue
            text = _("The workflow needs the input %(name)s. Make it first, then try again.")
            raise ComfyError(text % {"name": role}, kind="refused", retryable=False)
        facts = _facts(role, path, _wanted(places[0]))
        made, out = path, folder / f"{role}.png"
        if role == BEFORE and facts.kind == "video":
            made = path  # at the rate, in the size of the model: it came from there
        elif facts.kind == "video":
            made = _clip(slots, params, path, facts, folder / f"{role}.mp4", cancelled)
        else:
            made = pictures.plain(path, folder / f"{role}.plain.png")
            if is_mask(role):
                size = None if "width" in slots.targets else _size(slots, params)
                made = pictures.as_mask(made, out, like=_masked(slots, files), size=size)
            elif set(PADS) & set(slots.targets):
                made, values = _outpaint(slots, params, made, out)
            else:
                made = _fitted(slots, params, made, out)
        found.append(Ready(role, made, path, places))
    return found, values


def is_mask(role: str) -> bool:
    return "mask" in role.split("_")


def _wanted(target: Target) -> Literal["image", "video"]:
    """Loaders of clips call their input `file` or `video`, those of pictures `image`."""
    return "video" if target.input in ("file", "video") else "image"


def _facts(role: str, path: Path, kind: str) -> Probe:
    try:
        facts = probe(path)
    except ProbeError as error:
        text = _("The file %(name)s for the input %(role)s cannot be read. Make it again, then try again.")
        raise ComfyError(text % {"name": path.name, "role": role}, kind="refused", retryable=False) from error
    if facts.kind == kind:
        return facts
    if kind == "image":
        text = _("The input %(role)s takes a picture, and %(name)s is none. Choose a picture for it.")
    else:
        text = _("The input %(role)s takes a clip, and %(name)s is none. Choose a clip for it.")
    raise ComfyError(text % {"name": path.name, "role": role}, kind="refused", retryable=False)


def _masked(slots: Slots, files: Mapping[str, Path]) -> Path | None:
    """The picture that the mask belongs to: the mask takes its size."""
    names = [role for role in slots.targets if role in files and not is_mask(role)]
    return files[next((r for r in names if r.startswith("source")), names[0])] if names else None


def _size(slots: Slots, params: Mapping[str, Any]) -> tuple[int, int] | None:
    """The size that the model makes of the shot's; None where there is nothing to hold to."""
    if slots.constraints.size_multiple <= 1 or not params.get("width") or not params.get("height"):
        return None
    return snap_size(int(params["width"]), int(params["height"]), slots.constraints)


def _fitted(slots: Slots, params: Mapping[str, Any], path: Path, out: Path) -> Path:
    """A graph without a size of its own makes its result as large as the picture: give it the shot's size."""
    size = _size(slots, params)
    if size is None or "width" in slots.targets or pictures.size_of(path) == size:
        return path
    return pictures.fitted(path, out, *size)


def _outpaint(slots: Slots, params: Mapping[str, Any], path: Path, out: Path) -> tuple[Path, dict[str, Any]]:
    """The picture made smaller, and the margins around it, so that both together have the size of the shot.

    Margins of the job are in pixels of the result. Without any, a picture of another shape keeps its shape and is
    filled up, and one of the same shape moves away by an eighth of the size on each side.
    """
    size = _size(slots, params)
    if size is None:
        return path, {}
    width, height = size
    across, down = pictures.size_of(path)
    left, top, right, bottom = (max(0, int(params.get(name) or 0)) for name in PADS)
    if not any(params.get(name) not in (None, "") for name in PADS):
        scale = min(width / across, height / down)
        inner = round(across * scale) // 8 * 8, round(down * scale) // 8 * 8
        if width - inner[0] < width / 10 and height - inner[1] < height / 10:
            inner = width * 3 // 4 // 8 * 8, height * 3 // 4 // 8 * 8
        left, top = (width - inner[0]) // 16 * 8, (height - inner[1]) // 16 * 8
        right, bottom = width - inner[0] - left, height - inner[1] - top
    if left + right > width - 64 or top + bottom > height - 64:
        text = _(
            "Margins of %(across)d×%(down)d leave too little of a picture of %(width)d×%(height)d. Make them smaller."
        )
        facts_of = {"across": left + right, "down": top + bottom, "width": width, "height": height}
        raise ComfyError(text % facts_of, kind="refused", retryable=False)
    made = pictures.fitted(path, out, width - left - right, height - top - bottom)
    return made, dict(zip(PADS, (left, top, right, bottom), strict=True))


def _clip(
    slots: Slots,
    params: Mapping[str, Any],
    path: Path,
    facts: Probe,
    out: Path,
    cancelled: Callable[[], bool] | None,
) -> Path:
    """A driving clip gets the rate, length and size of what the model makes: the nodes take it frame by frame.

    A clip that is itself worked on (interpolated, enlarged) goes as it is.
    """
    limits = slots.constraints
    if not limits.length_step and "length" not in slots.targets:
        return path
    fps = shot_fps(params)
    rate = limits.rate(fps)
    frames = int(params.get("frames") or facts.frames)
    length = limits.joined(snap_length(-(-frames * rate // fps), limits))
    size = _size(slots, params) or (facts.width, facts.height)
    if (facts.frames, facts.fps, facts.width, facts.height) == (length, rate, *size):
        return path
    retime(path, out, frames=length, fps=Fraction(rate), width=size[0], height=size[1], cancelled=cancelled)
    return out


# --- to the server ------------------------------------------------------------------------------------


class Uploader:
    """Puts files into one server's input folder. `known` are the names that were seen there, kept between jobs."""

    def __init__(self, client: ComfyClient, known: set[str], limit: Callable[[], int]) -> None:
        self._client, self._known, self._limit = client, known, limit

    def put(self, ready: list[Ready], prompt: Nodes) -> dict[str, dict[str, Any]]:
        """Upload what is not there yet and name it in the prompt; what was sent, by role, for the provenance."""
        sent = {}
        for file in ready:
            sha = content_hash(file.path)
            name = self._put(file.path, sha)
            for target in file.targets:
                prompt[target.node]["inputs"][target.input] = name
            original = sha if file.path == file.original else content_hash(file.original)
            sent[file.role] = {"name": name, "sha256": sha, "original_sha256": original}
        return sent

    def _put(self, path: Path, sha: str) -> str:
        name, size = f"{sha[:40]}{path.suffix.lower()}", path.stat().st_size
        if name in self._known:
            return f"aip/{name}"
        found = f"aip/{name}"
        if not self._client.has_input(name, "aip", size):
            if size > ASK_LIMIT_ABOVE and size > (limit := self._limit() or MOST_BYTES):
                raise errors.too_large(path.name, size, limit)
            found = self._client.upload_image(path, name=name, subfolder="aip")
        if found == f"aip/{name}":
            self._known.add(name)
        return found


def content_hash(path: Path) -> str:
    """SHA-256; a file that has not changed since is not read again."""
    facts = path.stat()
    return _hash(str(path), facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=512)
def _hash(path: str, size: int, changed: int) -> str:
    return sha256_file(Path(path))
