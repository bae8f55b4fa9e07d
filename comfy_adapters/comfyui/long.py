"""A shot that is longer than its model makes, as a chain of clips: the last frame of one is the first of the next.

Where a graph says so (`Continues`), the last few frames go in besides, and the first picture stays the reference.

Each clip is kept when it is finished, so that a death costs the one in hand. The whole is joined and brought to the
shot's frames once, from the server's own files.
"""

import copy
import dataclasses
import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.media import ffmpeg
from aipipeline.media.frames import take_frame
from aipipeline.media.probe import probe
from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.chunks import Server
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.collect import LIMITS, Made, checked_clip, choose, converting
from comfy_adapters.comfyui.continuing import Continues
from comfy_adapters.comfyui.convert import retime, source_length
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import BEFORE, FIRST, Slots, snap_length
from comfy_adapters.comfyui.inputs import content_hash
from comfy_adapters.comfyui.values import seed_of, shot_fps
from comfy_adapters.comfyui.work import Work
from comfy_adapters.post.working import pieces_of
from renders.backends import JobCancelled, JobContext, JobReporter, JobResult, Stop
from renders.services.workdirs import Pieces

RENDERED = 0.92  # where the last clip ends on the way to the whole
MOST_CLIPS = 40
_CUT = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", "-pix_fmt", "yuv420p", "-an", "-threads", "1")


@dataclass(frozen=True)
class Chain:
    """`clips` clips of `length` frames each at `rate`; each begins with the last `overlap` frames of the one before.

    `trimmed`: what the server saves of all but the first is without them.
    """

    clips: int
    length: int
    rate: Fraction
    overlap: int = 1
    trimmed: bool = False

    @property
    def frames(self) -> int:
        return self.clips * (self.length - self.overlap) + self.overlap

    def made(self, number: int) -> int:
        """Frames of the clip in the server's file."""
        return self.length - (self.overlap if number and self.trimmed else 0)


def plan(slots: Slots, params: Mapping[str, Any]) -> Chain | None:
    """How the shot is divided; None when one clip is enough. ComfyError for one that needs too many."""
    limits = slots.constraints
    if not slots.can_chain:
        return None
    rate = limits.rate(shot_fps(params))
    wanted = source_length(int(params.get("frames") or 1), shot_fps(params), rate)
    if wanted <= limits.max_length:
        return None
    overlap, trimmed = (slots.continues.frames, slots.continues.trimmed) if slots.continues else (1, False)
    clips = math.ceil((wanted - overlap) / (limits.max_length - overlap))
    if clips > MOST_CLIPS:
        text = _("The shot would be made of %(clips)d clips, at most %(most)d go. Divide it into several shots.")
        raise ComfyError(text % {"clips": clips, "most": MOST_CLIPS}, kind="refused", retryable=False)
    # As even as the lattice allows: no clip of a few frames at the end.
    length = snap_length(math.ceil((wanted - overlap) / clips) + overlap, limits)
    return Chain(clips, length, rate, overlap, trimmed)


def run(server: Server, slots: Slots, chain: Chain, context: JobContext, reporter: JobReporter) -> JobResult:
    """Make the shot of one job. ComfyError says what the user can do; JobCancelled when told to stop."""
    began = time.monotonic()
    first = context.inputs.get(FIRST)
    if first is None:
        text = _("The workflow needs the input %(name)s. Make it first, then try again.")
        raise ComfyError(text % {"name": FIRST}, kind="refused", retryable=False)
    before: Path | None = None
    files: list[Path] = []
    told: list[dict[str, Any]] = []
    with pieces_of(context) as pieces, tempfile.TemporaryDirectory(prefix=".clips-", dir=context.out_dir) as folder:
        key = _recipe(slots, context, chain)
        for number in range(chain.clips):
            if reporter.cancelled():
                raise JobCancelled
            key = hashlib.sha256(f"{key}/{number}".encode()).hexdigest()
            clip = _Clip(context, chain, number, Path(folder), reporter)
            found, about = pieces.find(key), pieces.find(_about(key))
            if found is None or about is None:
                found, about = clip.make(server, slots, first, before, pieces, key)
            files.append(found)
            told.append(json.loads(about.read_text(encoding="utf-8")))
            clip.progress(1.0)
            if number + 1 < chain.clips:
                before = _ending(found, chain, number, Path(folder) / f"after-{number}", reporter)
                first = first if slots.continues else before
        kept = [_beside(path, context.out_dir / f"source-{n + 1:02}{path.suffix}") for n, path in enumerate(files)]
    out = _join(kept, chain, context, reporter)
    clips = [{name: entry.get(name) for name in _OF_CLIP} for entry in told]
    # There is no one graph that makes the whole; each clip has its own.
    shared = {name: value for name, value in told[0].items() if name not in _OF_CLIP} | {"seed": told[0].get("seed")}
    whole = {
        "clips": clips,
        "server_seconds": round(sum(entry.get("server_seconds") or 0 for entry in told), 3),
        "seconds": round(time.monotonic() - began, 3),
        "snapped": {**told[0].get("snapped", {}), "length": [_wanted(context, chain), chain.frames]},
    }
    return JobResult((out, *kept), {**shared, **whole})


_OF_CLIP = ("prompt_id", "seed", "filled_graph", "filled_graph_hash", "uploads", "source", "server_seconds", "endpoint")


class _Clip(JobReporter):
    """One clip of the chain: its share of the job's progress, and its state, kept with its number."""

    def __init__(self, context: JobContext, chain: Chain, number: int, folder: Path, reporter: JobReporter) -> None:
        self.context, self.chain, self.number, self.folder, self.reporter = context, chain, number, folder, reporter

    def progress(self, value: float, message: str = "") -> None:
        facts = {"number": self.number + 1, "clips": self.chain.clips}
        text = _("Clip %(number)d of %(clips)d") % facts
        done = RENDERED * (self.number + value) / self.chain.clips
        self.reporter.progress(done, f"{text}: {message}" if message else text)

    def preview(self, jpeg: bytes) -> None:
        self.reporter.preview(jpeg)

    def stop(self) -> Stop | None:
        return self.reporter.stop()

    def save_state(self, **state: Any) -> None:
        self.reporter.save_state(**state, clip=self.number)

    def make(
        self, server: Server, slots: Slots, first: Path, before: Path | None, pieces: Pieces, key: str
    ) -> tuple[Path, Path]:
        """The server's own file of the clip and what is known of it, both kept.

        `before`: what the clip before ended with; None for the first.
        """
        context, chain = self.context, self.chain
        out = self.folder / str(self.number)
        out.mkdir()
        inputs = {**context.inputs, FIRST: first}
        inputs.pop("clean_image", None)
        graph = context.graph
        if before is not None and slots.continues is not None:
            graph, inputs[BEFORE] = _going_on(context, slots.continues), before
        if "reference_video" in inputs:
            inputs["reference_video"] = self._driving(inputs["reference_video"], out / "driving.mp4")
        params = {
            **context.params,
            "frames": chain.length,
            "fps": str(chain.rate),
            "seed": (seed_of(context.params.get("seed"), context.job_id) + self.number) % 2**64,
        }
        state = context.state if context.state.get("clip") == self.number else {}
        mine = dataclasses.replace(
            context, graph=graph, inputs=inputs, params=params, state=state, out_dir=out, work_dir=None,
            attempt_id=f"{context.attempt_id}{self.number}",
        )  # fmt: skip
        result = server.run_prompt(mine, self, self._take)
        made = pieces.aside(result.files[0].suffix)
        shutil.move(result.files[0], made)
        about = pieces.aside(".json")
        about.write_text(json.dumps(result.provenance, ensure_ascii=False), encoding="utf-8")
        shutil.rmtree(out)
        kept = pieces.keep(key, made)
        return kept, pieces.keep(_about(key), about)

    def _take(self, client: ComfyClient, entry: Mapping[str, Any], sent: Work, reporter: JobReporter) -> Made:
        chosen = choose(entry, sent.slots)
        made = sent.context.out_dir / f"clip{chosen.suffix}"
        if not client.download(chosen, made, limit=LIMITS["video"], cancelled=reporter.cancelled):
            raise JobCancelled
        facts = checked_clip(made, chosen, self.chain.made(self.number))
        # It is kept, and what follows begins with its end: what does not decode is found out now.
        with converting():
            ffmpeg.run(["-xerror", "-i", made, "-an", "-f", "null", "-"], cancelled=reporter.cancelled)
        about = {"file": chosen.filename, "width": facts.width, "height": facts.height, "frames": facts.frames}
        return Made((made,), about)

    def _driving(self, path: Path, out: Path) -> Path:
        """The part of a driving clip that belongs to this clip, at the rate of the model; its last frame is held."""
        begin = self.number * (self.chain.length - self.chain.overlap)
        chain = (
            f"setpts=PTS-STARTPTS,fps={self.chain.rate},tpad=stop=-1:stop_mode=clone,trim=start_frame={begin},"
            f"setpts=N/({self.chain.rate})/TB"
        )
        tail = ["-frames:v", str(self.chain.length), *_CUT, "-fflags", "+bitexact", "-flags:v", "+bitexact"]
        with converting():
            ffmpeg.run(["-xerror", "-i", path, "-vf", chain, *tail, out], cancelled=self.reporter.cancelled)
        return out


def _going_on(context: JobContext, continues: Continues) -> dict[str, Any]:
    """The graph of a clip that takes up the one before: what that ended with comes in besides."""
    given = copy.deepcopy(dict(context.graph or graphs.document(context.workflow.partition(".")[2])))
    nodes, about = given["nodes"], given["about"]
    title = {"title": "The clip before"}
    if continues.frames == 1:
        place, link = "image", ["aip_before", 0]
        nodes["aip_before"] = {"class_type": "LoadImage", "inputs": {place: ""}, "_meta": title}
    else:
        place, link = "file", ["aip_before_frames", 0]
        nodes["aip_before"] = {"class_type": "LoadVideo", "inputs": {place: ""}, "_meta": title}
        frames = {"class_type": "GetVideoComponents", "inputs": {"video": ["aip_before", 0]}, "_meta": title}
        nodes["aip_before_frames"] = frames
    nodes[continues.node]["inputs"][continues.input] = link
    about["slots"][BEFORE] = [{"node": "aip_before", "input": place, "upload": True}]
    about["inputs"] = [*about["inputs"], {"role": BEFORE, "kind": "render"}]
    return given


def _ending(clip: Path, chain: Chain, number: int, out: Path, reporter: JobReporter) -> Path:
    """The frames of a clip with which the next one begins: a picture, or a clip where they are several."""
    made = chain.made(number)
    if chain.overlap == 1:
        take_frame(clip, made - 1, picture := out.with_suffix(".png"))
        return picture
    cut = f"trim=start_frame={made - chain.overlap}:end_frame={made},setpts=N/({chain.rate})/TB,fps={chain.rate}"
    tail = ["-frames:v", str(chain.overlap), *_CUT, "-fflags", "+bitexact", "-flags:v", "+bitexact"]
    with converting():
        ffmpeg.run(["-i", clip, "-vf", cut, *tail, ending := out.with_suffix(".mp4")], cancelled=reporter.cancelled)
    return ending


def _join(files: list[Path], chain: Chain, context: JobContext, reporter: JobReporter) -> Path:
    """All clips as one at the model's rate, then as the shot."""
    joined, out = context.out_dir / ".joined.mp4", context.out_dir / "shot.mp4"
    params = context.params
    first = probe(files[0])
    parts = [
        f"[{n}:v]trim=start_frame={chain.made(n) - chain.length + chain.overlap if n else 0}:"
        f"end_frame={chain.made(n)},setpts=N/({chain.rate})/TB,"
        f"scale={first.width}:{first.height},setsar=1,format=yuv420p[v{n}]"
        for n in range(len(files))
    ]
    graph = ";".join(
        [*parts, "".join(f"[v{n}]" for n in range(len(files))) + f"concat=n={len(files)}:v=1:a=0,fps={chain.rate}"]
    )
    inputs = [part for path in files for part in ("-xerror", "-i", path)]
    reporter.progress(RENDERED, _("Putting the clips together"))
    with converting():
        try:
            ffmpeg.run([*inputs, "-filter_complex", graph, *_CUT, joined], cancelled=reporter.cancelled)
            retime(
                joined,
                out,
                frames=int(params["frames"]),
                fps=shot_fps(params),
                width=int(params["width"]) // 2 * 2,
                height=int(params["height"]) // 2 * 2,
                cancelled=reporter.cancelled,
            )
        finally:
            joined.unlink(missing_ok=True)
    made = probe(out).frames
    if made != int(params["frames"]):
        text = _("The converted clip has %(made)d frames instead of %(frames)d. Try again.")
        raise ComfyError(text % {"made": made, "frames": int(params["frames"])}, kind="download")
    return out


def _recipe(slots: Slots, context: JobContext, chain: Chain) -> str:
    """Everything that decides what the clips look like."""
    graph, _slots = graphs.of_job(context.workflow, context.graph)
    facts = {
        "graph": graph.hash,
        "params": {name: value for name, value in context.params.items() if name != "loras"},
        "loras": [[entry.get("file"), entry.get("strength")] for entry in context.params.get("loras") or ()],
        "job": context.job_id,
        "inputs": {role: content_hash(path) for role, path in context.inputs.items() if role in slots.targets},
        "chain": [chain.clips, chain.length, str(chain.rate), chain.overlap],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _about(key: str) -> str:
    return hashlib.sha256(f"{key}/about".encode()).hexdigest()


def _wanted(context: JobContext, chain: Chain) -> int:
    return source_length(int(context.params["frames"]), shot_fps(context.params), chain.rate)


def _beside(path: Path, target: Path) -> Path:
    """The same file under another name; a copy where the storage knows no links."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
    return target
