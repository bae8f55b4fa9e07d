"""One clip as a piece of movie: exactly its frames, in the movie's size, kept under a hash of what it shows."""

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from aipipeline.media import ffmpeg
from aipipeline.media.h264 import hold
from timeline.assembly.profiles import Profile
from timeline.assembly.slate import draw_slate


@dataclass(frozen=True)
class Segment:
    """`source` None shows a slate with `label`. `source_id` tells when the file's content changed."""

    source: Path | None
    source_id: str
    label: str
    is_still: bool
    source_in: int
    frames: int
    fps: Fraction
    width: int
    height: int
    profile: Profile

    @property
    def key(self) -> str:
        """The same key is the same picture, frame by frame."""
        facts = (
            self.source_id if self.source else f"slate/{self.label}", self.is_still, self.source_in, self.frames,
            self.fps, self.width, self.height, self.profile.key,
        )  # fmt: skip
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def identify(path: Path) -> str:
    """Path, size and time of a file: version files never change, so this is enough and reads nothing."""
    facts = path.stat()
    return f"{path}/{facts.st_size}/{facts.st_mtime_ns}"


def render_segment(segment: Segment, out: Path, *, cancelled: Callable[[], bool] | None = None) -> None:
    """Write the segment atomically; a reader sees none or a whole one. Raises ffmpeg's errors."""
    temporary = out.with_name(f".{out.stem}.{os.getpid()}.{secrets.token_hex(4)}.mp4")
    slate: Path | None = None
    try:
        source = segment.source
        if source is None:
            slate = temporary.with_suffix(".png")
            draw_slate(segment.label, segment.width, segment.height).save(slate)
            source = slate
        if segment.is_still or slate is not None:
            hold(
                source, temporary, frames=segment.frames, fps=segment.fps, fit=_fit(segment),
                encode=segment.profile.encoder(segment.fps), cancelled=cancelled,
            )  # fmt: skip
        else:
            ffmpeg.run(_arguments(segment, source, temporary), cancelled=cancelled)
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
        if slate is not None:
            slate.unlink(missing_ok=True)


def _fit(segment: Segment) -> str:
    w, h = segment.width, segment.height
    return f"scale={w}:{h}:force_original_aspect_ratio=decrease,pad={w}:{h}:(ow-iw)/2:(oh-ih)/2,setsar=1,format=yuv420p"


def _arguments(segment: Segment, source: Path, out: Path) -> list[str]:
    n, fps, first = segment.frames, segment.fps, segment.source_in
    # Media shorter than the clip holds its last frame; media of another rate keeps its speed.
    held = f"fps={fps},trim=start_frame={first},setpts=PTS-STARTPTS,tpad=stop=-1:stop_mode=clone"
    chain = f"{held},{_fit(segment)}"
    return ["-i", str(source), "-vf", chain, "-frames:v", str(n), *segment.profile.encoder(fps), str(out)]
