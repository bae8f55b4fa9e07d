"""The cut as plain data: what encoders and exporters work on. All times are frames."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from timeline.timecode import SUPPORTED


class EditError(Invalid):
    """The cut cannot be what it says; the message names the clip."""

    code = "edit_invalid"


@dataclass(frozen=True)
class CutMarker:
    """`frame` counts from the start of the cut, or of the clip."""

    frame: int
    name: str
    comment: str = ""
    color: str = "green"


@dataclass(frozen=True)
class CutClip:
    """One clip. `source_in` counts from the media's first frame; `media_start` is that frame's timecode.

    `media` None: nothing was made yet, a slate stands in. A still lasts as long as it is wanted.
    """

    name: str
    shot_code: str
    reel: str
    duration: int
    source_in: int = 0
    media: Path | None = None
    media_frames: int = 0
    media_start: int = 0
    is_still: bool = False
    comment: str = ""
    scene: str = ""
    dialogue: str = ""
    markers: tuple[CutMarker, ...] = ()


@dataclass(frozen=True)
class Cut:
    """A whole edit. `start_frame` is the record timecode of its first frame."""

    title: str
    fps: Fraction
    width: int
    height: int
    start_frame: int
    clips: tuple[CutClip, ...] = ()
    markers: tuple[CutMarker, ...] = ()

    def __post_init__(self) -> None:
        if self.fps not in SUPPORTED:
            raise EditError(_("%(fps)s frames a second cannot be edited here.") % {"fps": self.fps})
        for clip in self.clips:
            if clip.duration <= 0:
                raise EditError(_("%(name)s has no length.") % {"name": clip.name})
            if clip.source_in < 0:
                raise EditError(_("%(name)s starts before its media.") % {"name": clip.name})

    @property
    def frames(self) -> int:
        """The length of the cut: the sum of its clips."""
        return sum(clip.duration for clip in self.clips)

    def starts(self) -> list[int]:
        """The first frame of each clip, counted from the start of the cut."""
        found, at = [], 0
        for clip in self.clips:
            found.append(at)
            at += clip.duration
        return found
