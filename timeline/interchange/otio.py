"""The cut as an OpenTimelineIO timeline: lossless, and what Resolve reads natively."""

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from timeline.cut import Cut, CutClip, CutMarker
from timeline.interchange.names import one_line
from timeline.interchange.paths import file_url
from timeline.timecode import otio_rate

_COLORS = {"green", "red", "blue", "cyan", "magenta", "orange", "pink", "purple", "white", "yellow"}


def timeline_of(cut: Cut) -> "otio.schema.Timeline":
    """One video track, clips with media references, markers, and our own facts under metadata "aipipeline"."""
    rate = otio_rate(cut.fps)
    timeline = otio.schema.Timeline(name=one_line(cut.title))
    timeline.global_start_time = RationalTime(cut.start_frame, rate)
    timeline.metadata["aipipeline"] = {"width": cut.width, "height": cut.height, "fps": str(cut.fps)}
    track = otio.schema.Track(name="V1", kind=otio.schema.TrackKind.Video)
    for clip in cut.clips:
        track.append(_clip(clip, rate))
    timeline.tracks.append(track)
    for marker in cut.markers:
        timeline.tracks.markers.append(_marker(marker, rate))
    return timeline


def _clip(clip: CutClip, rate: float) -> "otio.schema.Clip":
    start = RationalTime(clip.media_start + clip.source_in, rate)
    reference: otio.core.MediaReference
    if clip.media is None:
        reference = otio.schema.MissingReference(name=clip.shot_code)
    else:
        length = max(clip.media_frames, clip.source_in + clip.duration)
        reference = otio.schema.ExternalReference(
            target_url=file_url(clip.media),
            available_range=TimeRange(RationalTime(clip.media_start, rate), RationalTime(length, rate)),
        )
        reference.name = clip.media.name
    made = otio.schema.Clip(
        name=one_line(clip.name),
        media_reference=reference,
        source_range=TimeRange(start, RationalTime(clip.duration, rate)),
        metadata={
            "aipipeline": {
                "shot": clip.shot_code, "scene": clip.scene, "comment": clip.comment, "dialogue": clip.dialogue,
                "still": clip.is_still,
            },
            "cmx_3600": {"reel": clip.reel},
        },
    )  # fmt: skip
    for marker in clip.markers:
        made.markers.append(_marker(marker, rate))
    return made


def _marker(marker: CutMarker, rate: float) -> "otio.schema.Marker":
    color = marker.color.lower()
    return otio.schema.Marker(
        name=one_line(marker.name),
        marked_range=TimeRange(RationalTime(marker.frame, rate), RationalTime(1, rate)),
        color=(color if color in _COLORS else "green").upper(),
        metadata={"aipipeline": {"comment": marker.comment}},
    )


def write_otio(cut: Cut) -> str:
    """The timeline as JSON text."""
    return str(otio.adapters.write_to_string(timeline_of(cut), "otio_json"))
