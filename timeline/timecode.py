"""Frames to timecode and back, and the source names that let an editor tell generated shots apart."""

import re
from fractions import Fraction

import opentimelineio as otio

SUPPORTED = (
    Fraction(24), Fraction(25), Fraction(30), Fraction(60), Fraction(24000, 1001), Fraction(30000, 1001),
)  # fmt: skip


def otio_rate(fps: Fraction) -> float:
    """OpenTimelineIO's float for an exact rate."""
    return float(fps.numerator) / float(fps.denominator)


def nominal(fps: Fraction) -> int:
    """The rate that timecode counts in: 24 for 23.976."""
    return round(fps)


def to_timecode(frames: int, fps: Fraction, *, drop: bool = False) -> str:
    """HH:MM:SS:FF, non-drop by default; `drop` counts 29.97 as clocks do (HH:MM:SS;FF)."""
    rate = otio_rate(fps)
    return str(otio.opentime.to_timecode(otio.opentime.RationalTime(frames, rate), rate, drop_frame=drop))


def to_frames(timecode: str, fps: Fraction) -> int:
    """The frame number of a timecode; ValueError when it is none."""
    rate = otio_rate(fps)
    return int(otio.opentime.from_timecode(timecode, rate).to_frames())


def media_start_for(index: int, fps: Fraction) -> int:
    """Start timecode of the media of the index-th shot, in frames: an hour, then ten minutes apart.

    Generated clips all start at zero; an editor that conforms by timecode alone could not tell them apart.
    """
    return (3600 + 600 * (index % 100)) * nominal(fps)


def reel_for(code: str, index: int) -> str:
    """A reel name of at most 8 letters and digits, unique by the shot's place: what CMX3600 has room for."""
    digits = re.sub(r"[^0-9]", "", code)[-5:]
    return f"A{digits}" if digits else f"R{index + 1:05d}"
