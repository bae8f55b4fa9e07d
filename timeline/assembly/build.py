"""A movie from a cut: render what is missing, join what is there, check that every frame is in it."""

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import av
from django.utils.translation import gettext as _

from aipipeline.media import ffmpeg
from aipipeline.media.h264 import timescale
from aipipeline.media.joining import join
from aipipeline.media.probe import probe
from timeline.assembly.profiles import Profile
from timeline.assembly.segments import Segment, identify, render_segment
from timeline.cut import Cut, CutClip, EditError

CACHE_BYTES = 8 * 1024**3
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class BuildResult:
    """`reused` and `rendered` count segments; `copied` are rendered ones that needed no encoding."""

    frames: int
    width: int
    height: int
    reused: int
    rendered: int
    copied: int
    seconds: float


def build_movie(
    cut: Cut,
    out: Path,
    *,
    cache: Path,
    profile: Profile,
    workers: int = 2,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> BuildResult:
    """Write `out` atomically, exactly as long as the cut. Raises EditError, ffmpeg.FFmpegError, ffmpeg.Cancelled."""
    began = time.monotonic()
    if not cut.clips:
        raise EditError(_("The cut is empty."))
    cache.mkdir(parents=True, exist_ok=True)
    width, height = profile.size(cut.width, cut.height)
    segments = [_segment(clip, cut, profile, width, height) for clip in cut.clips]
    files = {segment.key: cache / f"{segment.key}.mp4" for segment in segments}
    missing = {s.key: s for s in segments if not files[s.key].is_file()}
    header = _header_of_encoder(segments[0], cache) if missing else b""
    copied = _render_all(list(missing.values()), files, header, workers, on_progress, cancelled)
    for path in files.values():
        os.utime(path)
    join([files[segment.key] for segment in segments], out)
    found = probe(out)
    if found.frames != cut.frames:
        out.unlink(missing_ok=True)
        raise EditError(
            _("The movie has %(found)s frames, the cut %(wanted)s. Clear the cache and build again.")
            % {"found": found.frames, "wanted": cut.frames}
        )
    prune(cache, keep=set(files.values()))
    return BuildResult(
        frames=found.frames,
        width=width,
        height=height,
        reused=len(files) - len(missing),
        rendered=len(missing),
        copied=copied,
        seconds=time.monotonic() - began,
    )


def _segment(clip: CutClip, cut: Cut, profile: Profile, width: int, height: int) -> Segment:
    there = clip.media is not None and clip.media.is_file()
    return Segment(
        source=clip.media if there else None,
        source_id=identify(clip.media) if there and clip.media else "",
        label=clip.shot_code,
        is_still=clip.is_still,
        source_in=clip.source_in,
        frames=clip.duration,
        fps=cut.fps,
        width=width,
        height=height,
        profile=profile,
    )


def _render_all(
    missing: Sequence[Segment],
    files: dict[str, Path],
    header: bytes,
    workers: int,
    on_progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> int:
    """Render the missing segments, a few at once; returns how many were taken as they are."""
    done = copied = 0
    stop = threading.Event()

    def stopped() -> bool:
        return stop.is_set()

    def one(segment: Segment) -> bool:
        target = files[segment.key]
        if segment.source is not None and usable_as_is(segment, header):
            _copy(segment.source, target)
            return True
        render_segment(segment, target, cancelled=stopped)
        return False

    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(one, segment) for segment in missing]
        try:
            for number, future in enumerate(futures, 1):
                while not future.done():
                    if cancelled is not None and cancelled():
                        raise ffmpeg.Cancelled
                    time.sleep(0.02)
                copied += future.result()
                done = number
                if on_progress is not None:
                    on_progress(0.95 * done / len(futures), f"{done}/{len(futures)}")
        except BaseException:
            stop.set()
            for future in futures:
                future.cancel()
            raise
    return copied


def _header_of_encoder(like: Segment, cache: Path) -> bytes:
    """The stream header that our own encoder writes for this size, rate and profile (one frame, kept)."""
    one = replace(like, source=None, source_id="", label="", is_still=True, source_in=0, frames=1)
    path = cache / f"{one.key}.mp4"
    if not path.is_file():
        render_segment(one, path)
    with av.open(str(path)) as container:
        return bytes(container.streams.video[0].codec_context.extradata or b"")


def usable_as_is(segment: Segment, header: bytes) -> bool:
    """True when the clip's own file can be joined without encoding again: same size, rate, clock and coding.

    Only for the film: its quality is the clip's own. Checked on the file itself, never assumed: H.264 without
    B-frames, exactly the frames wanted, all packets' times on the frame grid, and the very stream header that
    our encoder writes (a joined file has one header for all its pieces).
    """
    if segment.profile.name != "film" or segment.is_still or segment.source_in or segment.source is None:
        return False
    try:
        with av.open(str(segment.source)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            if (context.name, context.width, context.height, context.pix_fmt) != (
                "h264", segment.width, segment.height, "yuv420p",
            ):  # fmt: skip
                return False
            if bytes(context.extradata or b"") != header:
                return False
            if container.streams.audio or stream.time_base is None or stream.average_rate != segment.fps:
                return False
            if stream.time_base.denominator != timescale(segment.fps) or stream.codec_context.has_b_frames:
                return False
            ticks = stream.time_base.denominator / segment.fps
            times = [packet.pts for packet in container.demux(stream) if packet.size]
            return len(times) == segment.frames and times == [ticks * i for i in range(len(times))]
    except (av.FFmpegError, OSError, IndexError, ValueError):
        return False


def _copy(source: Path, target: Path) -> None:
    """A hard link where the filesystem allows it, else a copy; either way whole or not at all."""
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.mp4")
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
    os.replace(temporary, target)
    # When both names were links to one file already, rename(2) does nothing and leaves the temporary name.
    temporary.unlink(missing_ok=True)


def prune(cache: Path, *, keep: set[Path], limit: int = CACHE_BYTES) -> None:
    """Forget the segments that were not used for longest, down to the limit; those in use stay."""
    files = [(path, path.stat()) for path in cache.glob("*.mp4") if path not in keep]
    total = sum(facts.st_size for _path, facts in files) + sum(path.stat().st_size for path in keep)
    for path, facts in sorted(files, key=lambda entry: entry[1].st_mtime):
        if total <= limit:
            break
        path.unlink(missing_ok=True)
        total -= facts.st_size
