"""Lengths as people write them, in whole frames: 96, 4s, 2.5 s, 1m 20s, 0:25, 00:00:04:12, 0:25-0:45."""

import re
from fractions import Fraction

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.frames import seconds_to_frames

_SECONDS = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*(?:s|secs?|seconds?|초)\.?$", re.IGNORECASE)
_MINUTES = re.compile(r"(\d{1,4})\s*(?:m|min|분)\s*(?:(\d{1,2})\s*(?:s|sec|초))?$", re.IGNORECASE)
_TIMECODE = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2})[:;](\d{1,2})$")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?:\.(\d{1,3}))?$")
_RANGE = re.compile(r"(\d[\d:;.]*)\s*[-–—~]\s*(\d[\d:;.]*)$")
# A mark before the length (a lock, a star) and a remark in brackets after it.
_BEFORE = re.compile(r"^[^\w\-+.,:;~–—(（]+")
_REMARK = re.compile(r"\s*[(（\[][^)）\]]*[)）\]]\s*$")


def frames_from(text: str, fps: Fraction) -> int:
    """Frames from a number of frames, seconds, minutes, a timecode, or from one time to another; Invalid otherwise.

    Two numbers with a colon are minutes and seconds, three minutes, seconds and frames.
    """
    text = _REMARK.sub("", _BEFORE.sub("", text.strip()))
    if text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    if match := _SECONDS.match(text):
        return seconds_to_frames(Fraction(match.group(1)), fps)
    if match := _MINUTES.match(text):
        return seconds_to_frames(Fraction(int(match.group(1)) * 60 + int(match.group(2) or 0)), fps)
    if match := _RANGE.match(text):
        start, end = (_moment(part, fps) for part in match.groups())
        if start is not None and end is not None and end > start:
            return end - start
    else:
        found = _moment(text, fps)
        if found is not None:
            return found
    raise Invalid(
        _("Write a length as frames (96), seconds (4s) or timecode (00:00:04:00)."),
        fields={"duration_frames": [_("not a length")]},
    )


def _moment(text: str, fps: Fraction) -> int | None:
    if match := _TIMECODE.match(text):
        hours, minutes, seconds, frames = (int(part or 0) for part in match.groups())
        if minutes < 60 and seconds < 60 and frames < round(fps):
            return ((hours * 60 + minutes) * 60 + seconds) * round(fps) + frames
    if match := _CLOCK.match(text):
        seconds_text = f"{int(match.group(1)) * 60 + int(match.group(2))}.{match.group(3) or 0}"
        return round(Fraction(seconds_text) * fps)
    return None
