"""Frame rates as exact fractions, written "24" or "24000/1001"."""

from fractions import Fraction

FPS_CHOICES = ["24", "25", "30", "60", "24000/1001", "30000/1001"]


def parse_fps(text: str) -> Fraction:
    """The exact rate; ValueError for anything but the six rates that the studio edits in."""
    if text not in FPS_CHOICES:
        raise ValueError(f"{text!r} is not one of {', '.join(FPS_CHOICES)}")
    return Fraction(text)


def seconds_to_frames(seconds: float | Fraction, fps: Fraction) -> int:
    """Whole frames, at least one: the only place where seconds become frames."""
    return max(1, round(Fraction(seconds).limit_denominator(100_000) * fps))


def frames_to_timecode(frames: int, fps: Fraction | str | int) -> str:
    """HH:MM:SS:FF, non-drop: frames are counted at the rounded rate, as the ruler and the player do."""
    base = max(1, round(Fraction(fps)))
    sign, frames = ("-", -frames) if frames < 0 else ("", frames)
    seconds, rest = divmod(frames, base)
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{rest:02}"
