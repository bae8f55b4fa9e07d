"""Clips as post reads and writes them: the times of all frames, exact cuts, and one clip made of pieces again."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from django.utils.translation import gettext as _

from aipipeline.media.files import sha256_file
from aipipeline.media.h264 import encoder, timescale
from aipipeline.media.joining import join
from aipipeline.media.probe import ProbeError, probe
from renders.backends import BackendError

# As good as the source to the eye, and quick: it is the master of what follows.
PRESET, CRF = "veryfast", 12
_COPIED_SOUND = frozenset({"aac", "mp3", "ac3", "alac"})


@dataclass(frozen=True)
class Clip:
    """A clip to work on. `times`: when each frame is shown, in microseconds from the start of the file."""

    path: Path
    sha256: str
    width: int
    height: int
    fps: Fraction
    times: "array[int]"
    sound: str

    @property
    def frames(self) -> int:
        return len(self.times)

    def seek(self, frame: int) -> list[str]:
        """Arguments before `-i` that make ffmpeg's first decoded frame this one, whatever the groups of the clip."""
        if frame <= 0:
            return []
        between = (self.times[frame - 1] + self.times[frame]) / 2
        return ["-ss", f"{between / 1e6:.6f}"]


def read_clip(path: Path) -> Clip:
    """Facts about a clip; BackendError when it is none. Reads packets, decodes nothing."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ProbeError(path.name)
            stream = container.streams.video[0]
            rate, unit = stream.average_rate or stream.guessed_rate, stream.time_base
            sound = container.streams.audio[0].codec_context.name if container.streams.audio else ""
            begin = Fraction(container.start_time or 0, av.time_base)
            found = sorted(
                packet.pts for packet in container.demux(stream) if packet.size and packet.pts is not None
            )  # fmt: skip
            size = stream.codec_context.width, stream.codec_context.height
    except (av.FFmpegError, OSError, ValueError, ProbeError) as error:
        text = _("%(name)s cannot be read as a clip. Choose another version.")
        raise BackendError(text % {"name": path.name}, retryable=False) from error
    if not found or not rate or unit is None or not all(size):
        text = _("%(name)s has no moving picture. Choose a clip.")
        raise BackendError(text % {"name": path.name}, retryable=False)
    times = array("q", (round((pts * unit - begin) * 1_000_000) for pts in found))
    return Clip(path, sha256_file(path), *size, Fraction(rate), times, sound)


def encode(fps: Fraction) -> list[str]:
    """Encoder arguments of every piece: the same for all of them, so that they join without encoding again."""
    # Looking ahead, the encoder saves at the end of a piece, where it sees no future: a seam would show by its quality.
    return [*encoder(fps, preset=PRESET, crf=CRF), "-x264-params", "stitchable=1:mbtree=0"]


def index(clip: Clip, first: int) -> str:
    """A filter that numbers the frames from `first` and makes the clip's rate their clock: exact, whatever the file."""
    return f"settb={clip.fps.denominator}/{clip.fps.numerator},setpts=N+{first}"


def numbered(fps: Fraction) -> str:
    """A filter that gives the frames the times of a clip that begins at 0."""
    return f"settb={fps.denominator}/{fps.numerator},setpts=N"


def checked(path: Path, frames: int) -> Path:
    """The file, when it has exactly so many frames; else BackendError (another try may help)."""
    made = probe(path).frames
    if made != frames:
        text = _("A piece has %(made)d frames instead of %(frames)d. Try again.")
        raise BackendError(text % {"made": made, "frames": frames})
    return path


def put_together(
    pieces: Sequence[Path],
    out: Path,
    *,
    clip: Clip,
    fps: Fraction,
    frames: int,
    slow: int = 1,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """One clip of the pieces, without encoding again where their headers are equal, with the source's sound.

    Pieces of different headers (they come from different machines) are encoded once. Memory does not grow with length.
    """
    copied = len({_header(piece) for piece in pieces}) == 1
    clock = ["-video_track_timescale", str(timescale(fps))]
    how = ["-c:v", "copy", *clock] if copied else ["-vf", numbered(fps), *_without(encode(fps), "-an")]
    sound: list[str | Path] = ["-map", "0:v:0"]
    if clip.sound:
        length = Fraction(frames) / fps / slow
        sound = ["-t", f"{float(length):.6f}", "-i", clip.path, "-map", "0:v:0", "-map", "1:a:0", *_sound(clip, slow)]
    join(pieces, out, arguments=[*sound, *how], cancelled=cancelled)
    checked(out, frames)


def _sound(clip: Clip, slow: int) -> list[str]:
    if slow == 1 and clip.sound in _COPIED_SOUND:
        return ["-c:a", "copy"]
    return [*(["-filter:a", _slower(slow)] if slow > 1 else []), "-c:a", "aac", "-b:a", "192k"]


def _slower(slow: int) -> str:
    """ffmpeg slows sound down to a half at most in one step."""
    steps, left = [], Fraction(1, slow)
    while left < Fraction(1, 2):
        steps.append("atempo=0.5")
        left *= 2
    return ",".join([*steps, f"atempo={float(left):.6f}"])


def _header(path: Path) -> tuple[object, ...]:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        return context.name, context.width, context.height, context.pix_fmt, bytes(context.extradata or b"")


def _without(arguments: list[str], name: str) -> list[str]:
    return [argument for argument in arguments if argument != name]
