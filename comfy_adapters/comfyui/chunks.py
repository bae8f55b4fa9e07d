"""Post of clips on a ComfyUI server, in pieces: the server holds all frames of a prompt in memory, a film has more.

Each piece is a short clip of the source, uploaded by content, worked on by its own prompt, cut to its own frames and
kept; a death costs the piece in hand, and a prompt that still runs for it is followed like any other.
"""

import dataclasses
import math
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from django.utils.translation import gettext as _

from aipipeline.media import ffmpeg
from aipipeline.media.probe import ProbeError, probe
from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.collect import LIMITS, Made, choose, converting
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import Slots, role_of
from comfy_adapters.comfyui.pictures import size_of
from comfy_adapters.comfyui.work import Work
from comfy_adapters.post import plan
from comfy_adapters.post.clips import Clip, encode, numbered, read_clip
from comfy_adapters.post.plan import Span, Target
from comfy_adapters.post.working import make_clip
from renders.backends import JobCancelled, JobContext, JobReporter, JobResult, Stop

# What a server may hold of one piece: its frames are 32-bit floats of three colours.
MOST_BYTES = 2 << 30
FRAME_BYTES = 12
SHORTEST = 4
# A pair of frames makes those between them: one more on either side.
OVERLAP = 1
MOST_MULTIPLIER = 8
_FACTOR = 4  # what upscale models enlarge by before the graph scales to what is wanted
# The source's own quality, as near as makes no difference, in a file that is written in no time.
_CUT = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", "-pix_fmt", "yuv420p", "-an", "-threads", "1")


# Makes the files of what a prompt came to: client, history entry, what was sent, reporter.
Take = Callable[[ComfyClient, Mapping[str, Any], Work, JobReporter], Made]


class Server(Protocol):
    """The backend, as far as pieces need it."""

    def run_prompt(self, context: JobContext, reporter: JobReporter, take: Take) -> JobResult: ...


def run(server: Server, slots: Slots, context: JobContext, reporter: JobReporter) -> JobResult:
    """Make the clip of one job. ComfyError says what the user can do; JobCancelled when told to stop."""
    began = time.monotonic()
    role = role_of(slots)
    source = context.inputs.get(role)
    if source is None:
        text = _("The workflow needs the input %(name)s. Make it first, then try again.")
        raise ComfyError(text % {"name": role}, kind="refused", retryable=False)
    clip = read_clip(source)
    work = _Interpolation(clip, context) if "multiplier" in slots.targets else _Upscale(clip, context)
    if work.times > 1 and clip.frames < 2:
        text = _("%(name)s has one frame only: there is nothing between.")
        raise ComfyError(text % {"name": source.name}, kind="refused", retryable=False)
    parts = plan.spans(clip, work.target, overlap=work.overlap, length=work.length)
    kept: list[dict[str, Any]] = []

    def make(part: Span, out: Path, told: Callable[[float], None]) -> None:
        with tempfile.TemporaryDirectory(prefix="aip-piece-") as folder:
            kept.append(_make(server, context, reporter, role, clip, work, part, Path(folder), out, told))

    out = context.out_dir / "post.mp4"
    recipe = {"workflow": context.workflow, "params": work.params, "graph": _identity(context)}
    facts = make_clip(
        context, reporter, clip=clip, target=work.target, parts=parts, recipe=recipe, make=make, out=out
    )  # fmt: skip
    first = kept[0] if kept else {"engine": "comfyui", "graph": context.workflow.partition(".")[2]}
    prompts = [entry["prompt_id"] for entry in kept]
    seconds = round(time.monotonic() - began, 3)
    server_seconds = round(sum(entry.get("server_seconds") or 0 for entry in kept), 3)
    return JobResult(
        (out,), {**first, **facts, "prompts": prompts, "server_seconds": server_seconds, "seconds": seconds}
    )


class _Wanted:
    """What is made of the clip: the numbers of the result, and which of the server's frames are taken."""

    target: Target
    params: dict[str, Any]
    overlap = 0
    times = 1
    length = plan.SPAN

    def _bounded(self, bytes_of_frame: int) -> int:
        return max(SHORTEST, min(plan.SPAN, MOST_BYTES // max(1, bytes_of_frame)))

    def taken(self, part: Span) -> str:
        """The filter that takes the piece's own frames from what the server made."""
        return numbered(self.target.fps)


class _Upscale(_Wanted):
    def __init__(self, clip: Clip, context: JobContext) -> None:
        self.target = plan.upscaled(clip, context.params)
        self.params = {**context.params, "width": self.target.width, "height": self.target.height}
        self.length = self._bounded(FRAME_BYTES * clip.width * clip.height * _FACTOR**2)


class _Interpolation(_Wanted):
    """The server makes `times` frames of one; every `step`-th of them is one of the result's."""

    overlap = OVERLAP

    def __init__(self, clip: Clip, context: JobContext) -> None:
        self.target = plan.interpolated(clip, context.params)
        ratio = self.target.grid / clip.fps
        self.times = ratio.numerator if ratio.numerator > 1 else 2
        if self.times > MOST_MULTIPLIER:
            # No multiple of the clip's rate is near: the nearest of twice as many frames stands for each.
            self.times = min(2 * math.ceil(ratio), 2 * MOST_MULTIPLIER)
        self.step = self.times / ratio
        self.params = {**context.params, "multiplier": self.times, "fps": str(clip.fps)}
        self.length = self._bounded(FRAME_BYTES * clip.width * clip.height * (self.times + 1))

    def taken(self, part: Span) -> str:
        first = part.first * self.step - part.low * self.times
        # After the clip's last frame there is nothing between: it stands, before every step-th is taken.
        hold = "tpad=stop=-1:stop_mode=clone"
        # The server's frames last as long as its own rate says; the last one of a piece must last a frame of ours.
        end = f"{numbered(self.target.fps)},fps={self.target.fps}"
        if self.step.denominator == 1:
            steps = f"{hold},trim=start_frame={int(first)},select=not(mod(n\\,{int(self.step)}))"
            return f"{steps},{end}"
        # The nearest of those that there are: half a frame early, the latest that has begun.
        parts = 2 * self.step.denominator
        rate = self.target.grid * self.step * parts
        clock = f"settb={rate.denominator}/{rate.numerator},setpts=N*{parts}-{int(first * parts) + parts // 2}"
        return f"{hold},{clock},fps={self.target.grid}:start_time=0:round=up,{end}"


def _make(
    server: Server,
    context: JobContext,
    reporter: JobReporter,
    role: str,
    clip: Clip,
    work: _Wanted,
    part: Span,
    folder: Path,
    out: Path,
    told: Callable[[float], None],
) -> dict[str, Any]:
    """One piece, from its cut of the source to its file; returns what is to be kept of its prompt."""
    cut = folder / "cut.mp4"

    def take(client: ComfyClient, entry: Mapping[str, Any], sent: Work, _reporter: JobReporter) -> Made:
        chosen = choose(entry, sent.slots)
        made = folder / f"made{chosen.suffix}"
        if not client.download(chosen, made, limit=LIMITS["video"], cancelled=reporter.cancelled):
            raise JobCancelled
        _expect(made, (part.high - part.low - 1) * work.times + 1)
        size = f"{work.target.width}:{work.target.height}"
        fit = f"scale={size}:force_original_aspect_ratio=increase:flags=lanczos,crop={size},setsar=1,format=yuv420p"
        with converting():
            # What does not decode would be filled up with frames before it.
            ffmpeg.run(["-xerror", "-i", made, "-an", "-f", "null", "-"], cancelled=reporter.cancelled)
            ffmpeg.run(
                ["-i", made, "-an", "-vf", f"{work.taken(part)},{fit}", "-fps_mode", "passthrough",
                 "-frames:v", str(part.frames), *encode(work.target.fps), out],
                cancelled=reporter.cancelled,
            )  # fmt: skip
            _expect(out, part.frames)
        return Made((out,), {"file": chosen.filename})

    try:
        _cut(clip, part, cut, reporter)
        mine = str(part.number)
        state = context.state if context.state.get("piece") == mine else {}
        piece = dataclasses.replace(
            context, inputs={role: cut}, params=work.params, state=state, out_dir=folder, work_dir=None
        )  # fmt: skip
        done = server.run_prompt(piece, _Piece(reporter, mine, told), take)
    except ffmpeg.Cancelled as error:
        raise JobCancelled from error
    except ffmpeg.FFmpegError as error:
        text = _("The clip from the ComfyUI server could not be converted: %(reason)s")
        raise ComfyError(text % {"reason": error.tail[-400:]}) from error
    return done.provenance


def _cut(clip: Clip, part: Span, out: Path, reporter: JobReporter) -> None:
    """The span's source frames as a clip of its own. The same frames give the same bytes: they are uploaded once."""
    count = part.high - part.low
    even = "scale=trunc(iw/2)*2:trunc(ih/2)*2"
    ffmpeg.run(
        [*clip.seek(part.low), "-i", clip.path, "-vf", f"{numbered(clip.fps)},{even}", "-fps_mode", "passthrough",
         "-frames:v", str(count), *_CUT, "-fflags", "+bitexact", "-flags:v", "+bitexact", out],
        cancelled=reporter.cancelled,
    )  # fmt: skip


def _expect(made: Path, frames: int) -> None:
    try:
        found = probe(made).frames
    except ProbeError as error:
        text = _("The clip from the ComfyUI server could not be converted: %(reason)s")
        raise ComfyError(text % {"reason": error}, kind="download") from error
    if found != frames:
        text = _("The clip from the ComfyUI server has %(frames)d frames instead of %(expected)d. Try again.")
        raise ComfyError(text % {"frames": found, "expected": frames}, kind="download")


def _identity(context: JobContext) -> str:
    """Pieces of one graph are not taken for those of another, nor those of its earlier version."""
    return graphs.of_job(context.workflow, context.graph)[0].hash


class _Piece(JobReporter):
    """What one prompt says, as part of the whole; its state is kept with the number of its piece."""

    def __init__(self, reporter: JobReporter, number: str, told: Callable[[float], None]) -> None:
        self._reporter, self._number, self._told = reporter, number, told

    def progress(self, value: float, message: str = "") -> None:
        self._told(value)

    def preview(self, jpeg: bytes) -> None:
        self._reporter.preview(jpeg)

    def stop(self) -> Stop | None:
        return self._reporter.stop()

    def save_state(self, **state: Any) -> None:
        self._reporter.save_state(**state, piece=self._number)


def sized(slots: Slots, context: JobContext) -> JobContext:
    """For a graph that enlarges a picture: the result has the size that was asked for, whatever the shot's is."""
    source = context.inputs.get("source_image")
    if "post_scale" not in slots.targets or slots.output_kind != "image" or source is None:
        return context
    try:
        probe(source)
    except ProbeError:
        return context  # the upload refuses it with its name
    width, height = plan.upscaled_size(*size_of(source), context.params)
    return dataclasses.replace(context, params={**context.params, "width": width, "height": height})
