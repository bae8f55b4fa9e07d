"""From a finished prompt to the files of a version: choose, download, check, convert."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.media import ffmpeg
from aipipeline.media.probe import Probe, ProbeError, probe
from comfy_adapters.comfyui import errors
from comfy_adapters.comfyui.client import ComfyClient, OutputFile, output_files
from comfy_adapters.comfyui.convert import fit_image, retime
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import Slots
from renders.backends import JobCancelled, JobContext, JobReporter

LIMITS = {"image": 256 << 20, "video": 8 << 30}
SUFFIXES = {
    "image": {".png", ".jpg", ".jpeg", ".webp"},
    "video": {".mp4", ".mkv", ".webm", ".mov"},
}


@dataclass(frozen=True)
class Made:
    """Files inside the job's folder, the main one first, and what the server's own file was like."""

    files: tuple[Path, ...]
    facts: dict[str, Any]


def collect(
    client: ComfyClient,
    entry: Mapping[str, Any],
    slots: Slots,
    context: JobContext,
    reporter: JobReporter,
    *,
    start: float,
    expected: int = 0,
) -> Made:
    """Download the result and bring it into the shot's form.

    `start`: the progress reached so far; `expected`: how many frames the server's clip should have, 0 unknown.
    """
    chosen = choose(entry, slots)
    reporter.progress(start, _("Downloading the result"))
    part = context.out_dir / f"source{chosen.suffix}"
    whole = client.download(chosen, part, limit=LIMITS[slots.output_kind], cancelled=reporter.cancelled)
    if not whole:
        raise JobCancelled
    facts = _check(part, slots.output_kind, chosen)
    if expected and facts.frames < expected - slots.constraints.length_step:
        text = _("The clip from the ComfyUI server has %(frames)d frames instead of %(expected)d. Try again.")
        raise ComfyError(text % {"frames": facts.frames, "expected": expected}, kind="download")
    reporter.progress(start + 0.04, _("Fitting the result to the shot"))
    files = _image(part, facts, context) if slots.output_kind == "image" else _video(part, context, reporter, start)
    about = {"file": chosen.filename, "width": facts.width, "height": facts.height, "frames": facts.frames}
    if facts.fps is not None:
        about["fps"] = str(facts.fps)
    return Made(files, about)


def choose(entry: Mapping[str, Any], slots: Slots) -> OutputFile:
    """The file that the workflow is about, judged by extension; ComfyError when nothing was saved."""
    found = [file for file in output_files(entry) if file.suffix in SUFFIXES[slots.output_kind]]
    found.sort(key=lambda file: file.node != slots.output_node)
    if found:
        return found[0]
    messages = (entry.get("status") or {}).get("messages") or []
    blocked = [str(data.get("exception_message", "")) for kind, data in messages if kind == "execution_error"]
    raise errors.no_output(blocked[-1] if blocked else "")


def checked_clip(path: Path, chosen: OutputFile, frames: int) -> Probe:
    """What a downloaded clip is like; ComfyError when it is damaged, no clip, or shorter than it must be."""
    facts = _check(path, "video", chosen)
    if facts.frames < frames:
        text = _("The clip from the ComfyUI server has %(frames)d frames instead of %(expected)d. Try again.")
        raise ComfyError(text % {"frames": facts.frames, "expected": frames}, kind="download")
    return facts


@contextmanager
def converting() -> Iterator[None]:
    """What ffmpeg says of the server's files, in words; a stop of the job as JobCancelled."""
    try:
        yield
    except ffmpeg.Cancelled as error:
        raise JobCancelled from error
    except ffmpeg.FFmpegError as error:
        text = _("The clip from the ComfyUI server could not be converted: %(reason)s")
        raise ComfyError(text % {"reason": error.tail[-400:]}, kind="download") from error


def _check(path: Path, kind: str, chosen: OutputFile) -> Probe:
    try:
        facts = probe(path)
    except ProbeError as error:
        path.unlink(missing_ok=True)
        raise _damaged(chosen.filename) from error
    if facts.kind != kind or facts.frames < 1:
        path.unlink(missing_ok=True)
        text = _("The ComfyUI server sent a file of another kind: %(name)s. Check the workflow's output node.")
        raise ComfyError(text % {"name": chosen.filename}, retryable=False)
    return facts


def _damaged(name: str) -> ComfyError:
    text = _("The file %(name)s from the ComfyUI server is damaged. Try again.")
    return ComfyError(text % {"name": name}, kind="download")


def _image(source: Path, facts: Probe, context: JobContext) -> tuple[Path, ...]:
    width, height = int(context.params["width"]), int(context.params["height"])
    out = context.out_dir / "image.png"
    if (facts.width, facts.height, facts.codec) == (width, height, "png"):
        source.rename(out)
        return (out,)
    try:
        fit_image(source, out, width=width, height=height)
    except (OSError, SyntaxError, ValueError) as error:
        if getattr(error, "errno", None):  # the disk, not the picture
            raise
        raise _damaged(source.name) from error
    return out, source


def _video(source: Path, context: JobContext, reporter: JobReporter, start: float) -> tuple[Path, ...]:
    params, out = context.params, context.out_dir / "shot.mp4"
    frames, begin = int(params["frames"]), start + 0.04
    with converting():
        retime(
            source,
            out,
            frames=frames,
            fps=Fraction(str(params["fps"])),
            width=int(params["width"]) // 2 * 2,
            height=int(params["height"]) // 2 * 2,
            on_frame=lambda done: reporter.progress(begin + (1 - begin) * min(done / frames, 1.0)),
            cancelled=reporter.cancelled,
        )
    made = probe(out).frames
    if made != frames:
        text = _("The converted clip has %(made)d frames instead of %(frames)d. Try again.")
        raise ComfyError(text % {"made": made, "frames": frames}, kind="download")
    return out, source
