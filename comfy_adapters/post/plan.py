"""What post makes of a clip: exact numbers of the result, and the spans in which it is made.

Times are frames of exact rates (`Fraction`), never seconds as floats. A clip of N frames at `a` frames per second lasts
N/a; at the rate b and `slow` times slower it has N·slow·b/a frames, rounded to the nearest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

from django.utils.translation import gettext as _

from comfy_adapters.post.clips import Clip
from renders.backends import BackendError

MOST_FPS = 240
MOST_TIMES = 8
MOST_SIDE = 8192
# Source frames of one piece: two seconds of a film. What a death costs, and what is in the air at a time.
SPAN = 48


@dataclass(frozen=True)
class Target:
    """The result: `frames` at `fps` in `width`×`height`; each second of the source lasts `slow` seconds."""

    width: int
    height: int
    fps: Fraction
    frames: int
    slow: int = 1

    @property
    def grid(self) -> Fraction:
        """Frames of the result for each second of the source."""
        return self.fps * self.slow


@dataclass(frozen=True)
class Span:
    """One piece: frames `first` to `last` of the result (without `last`), made of source frames `low` to `high`."""

    number: int
    first: int
    last: int
    low: int
    high: int

    @property
    def frames(self) -> int:
        return self.last - self.first


def interpolated(clip: Clip, params: Mapping[str, Any]) -> Target:
    """The clip with more frames. BackendError names a parameter that cannot be.

    `slow` (2, 4): slow motion at the same rate. `multiplier`: as many times the clip's rate. Else `fps`, where it is
    another rate than the clip's, else twice the clip's.
    """
    slow = _times(params, "slow") or 1
    fps = clip.fps
    if multiplier := _times(params, "multiplier"):
        fps = clip.fps * multiplier
    elif slow == 1:
        asked = _rate(params)
        fps = clip.fps * 2 if asked in (None, clip.fps) else asked or clip.fps
    if fps * slow < clip.fps or fps > MOST_FPS:
        text = _("fps: this clip has %(has)s; choose a higher rate, at most %(most)d.")
        raise BackendError(text % {"has": clip.fps, "most": MOST_FPS}, retryable=False)
    frames = floor(Fraction(clip.frames) * fps * slow / clip.fps + Fraction(1, 2))
    return Target(_even(clip.width), _even(clip.height), fps, max(1, frames), slow)


def upscaled(clip: Clip, params: Mapping[str, Any]) -> Target:
    """The clip in another size: `scale` times its own, else `width`×`height` where it is another, else twice."""
    width, height = upscaled_size(clip.width, clip.height, params)
    return Target(_even(width), _even(height), clip.fps, clip.frames)


def upscaled_size(width: int, height: int, params: Mapping[str, Any]) -> tuple[int, int]:
    """`upscaled` for a picture. BackendError names a parameter that cannot be."""
    scale = _times(params, "scale")
    asked = _side(params, "width"), _side(params, "height")
    if not scale and None not in asked and asked != (width, height):
        size = asked[0] or width, asked[1] or height
    else:
        size = width * (scale or 2), height * (scale or 2)
    if max(size) > MOST_SIDE:
        text = _("%(width)d×%(height)d is too large. At most %(most)d pixels on a side are made.")
        raise BackendError(text % {"width": size[0], "height": size[1], "most": MOST_SIDE}, retryable=False)
    return size


def spans(clip: Clip, target: Target, *, overlap: int, length: int = SPAN) -> list[Span]:
    """The result in pieces of about `length` source frames, each with `overlap` more of the source on either side."""
    return list(_spans(clip.frames, target.frames, Fraction(target.grid, clip.fps), overlap, length))


def _spans(frames: int, wanted: int, ratio: Fraction, overlap: int, length: int) -> Iterator[Span]:
    first, number = 0, 0
    while first < wanted:
        edge = (number + 1) * length
        # A last piece of a few frames is not worth an encoder's start.
        last = wanted if edge + length // 4 >= frames else min(ceil(edge * ratio), wanted)
        low = max(0, floor(first / ratio) - overlap)
        high = min(frames, ceil((last - 1) / ratio) + 1 + overlap)
        yield Span(number, first, last, min(low, frames - 1), max(high, 1))
        first, number = last, number + 1


def _times(params: Mapping[str, Any], name: str) -> int | None:
    """A factor from 1 to MOST_TIMES; None when it was not given."""
    value = params.get(name)
    if value in (None, "", 0):
        return None
    try:
        number = int(value)
        good = float(value) == number and 1 <= number <= MOST_TIMES
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        text = _("%(name)s: a whole number from 1 to %(most)d is needed, not %(value)s.")
        facts = {"name": name, "most": MOST_TIMES, "value": str(value)[:40]}
        raise BackendError(text % facts, retryable=False)
    return number


def _rate(params: Mapping[str, Any]) -> Fraction | None:
    value = params.get("fps")
    if value in (None, ""):
        return None
    try:
        rate = Fraction(str(value))
        if not 1 <= rate <= MOST_FPS:
            raise ValueError(value)
    except (ValueError, ZeroDivisionError) as error:
        text = _("fps: a rate from 1 to %(most)d is needed (48, 60000/1001), not %(value)s.")
        raise BackendError(text % {"most": MOST_FPS, "value": str(value)[:40]}, retryable=False) from error
    return rate


def _side(params: Mapping[str, Any], name: str) -> int | None:
    value = params.get(name)
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not str(value).isdigit() or int(value) < 2:
        text = _("%(name)s: a number of pixels is needed, not %(value)s.")
        raise BackendError(text % {"name": name, "value": str(value)[:40]}, retryable=False)
    return int(value)


def _even(side: int) -> int:
    """H.264 with half-size colour has no odd sides."""
    return max(2, side // 2 * 2)
