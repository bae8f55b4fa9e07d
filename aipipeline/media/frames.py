"""Single frames of clips, exactly: by number, as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from django.utils.translation import gettext as _

from aipipeline.media import ffmpeg
from aipipeline.media.errors import MediaError
from aipipeline.media.probe import ProbeError, probe

SECONDS = 600.0
# Frames with errors in them are left out, not mended.
_WHOLE = ("-err_detect", "explode")


class FrameError(MediaError):
    """The clip has no such frame, or cannot be read."""

    code = "no_such_frame"


def take_frame(source: Path, which: int | Literal["first", "last"], target: Path) -> int:
    """Write one frame of a clip as PNG and return its number, counted from 0 as frames decode.

    "last" is the last one that can be decoded, whatever the container says. FrameError when there is none.
    """
    try:
        if which == "last":
            return _last(source, target)
        number = 0 if which == "first" else which
        _select(source, number, target)
    except ffmpeg.FFmpegError as error:
        raise FrameError(_("%(name)s cannot be read: %(why)s") % _facts(source, error.tail)) from error
    if not target.is_file():
        raise FrameError(_("%(name)s has no frame %(number)d.") % {"name": source.name, "number": number})
    return number


def _last(source: Path, target: Path) -> int:
    """What the packets promise first; where the end is broken, whatever comes out last of decoding it all.

    A torn frame, which a decoder fills up from the one before, is not the end that people saw.
    """
    try:
        promised = probe(source).frames
    except ProbeError:
        promised = 0
    for whole in (_WHOLE, ()):
        if promised:
            _select(source, promised - 1, target, whole)
        if target.is_file():
            return promised - 1
        if count := count_frames(source, whole):
            _select(source, count - 1, target, whole)
        if target.is_file():
            return count - 1
    raise FrameError(_("%(name)s has no frames that can be read.") % {"name": source.name})


def count_frames(source: Path, options: Sequence[str] = ()) -> int:
    """How many frames decode; `options` are ffmpeg's for reading."""
    seen = [0]
    args: list[str | Path] = [*options, "-i", source, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "null", "-"]
    ffmpeg.run(args, on_frame=seen.append, timeout=SECONDS)
    return seen[-1]


def _select(source: Path, number: int, target: Path, options: Sequence[str] = ()) -> None:
    """The frame goes through the filter that knows the clip's own matrix and range; seeking would miss by some."""
    args: list[str | Path] = [
        *options, "-i", source, "-map", "0:v:0", "-vf", f"select=eq(n\\,{number})", "-fps_mode", "passthrough",
        "-frames:v", "1", "-f", "image2", "-update", "1", target,
    ]  # fmt: skip
    ffmpeg.run(args, timeout=SECONDS)


def _facts(source: Path, tail: str) -> dict[str, str]:
    return {"name": source.name, "why": tail.strip().rpartition("\n")[2][:200]}
