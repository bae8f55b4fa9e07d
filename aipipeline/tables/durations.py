"""Lengths as people write them, in whole frames: 96, 4s, 2.5 s, 00:00:04:12."""

import re
from fractions import Fraction

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.frames import seconds_to_frames

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:s|sec|초)$", re.IGNORECASE)
_TIMECODE = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2})[:;](\d{1,2})$")


def frames_from(text: str, fps: Fraction) -> int:
    """Frames from a number of frames, seconds with an s, or a timecode; Invalid says how to write it."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    if match := _SECONDS.match(text):
        return seconds_to_frames(Fraction(match.group(1)), fps)
    if match := _TIMECODE.match(text):
        hours, minutes, seconds, frames = (int(part or 0) for part in match.groups())
        if minutes < 60 and seconds < 60 and frames < round(fps):
            return ((hours * 60 + minutes) * 60 + seconds) * round(fps) + frames
    raise Invalid(
        _("Write a length as frames (96), seconds (4s) or timecode (00:00:04:00)."),
        fields={"duration_frames": [_("not a length")]},
    )
