"""FCP7 XML (xmeml 5), written by hand: what Premiere and Resolve need, and the adapter leaves out.

Every track ends with enabled and locked, formats carry sample characteristics, clip in and out count from the
media's first frame, the media's timecode stands on the file.
"""

import uuid
import xml.etree.ElementTree as ET
from fractions import Fraction

from timeline.cut import Cut, CutClip, CutMarker
from timeline.interchange.names import one_line
from timeline.interchange.paths import file_url
from timeline.timecode import nominal, to_timecode

_NAMESPACE = uuid.UUID("6f8a3f52-3f0e-4d0a-9a53-0c5a8b6b7d11")


def write_xmeml(cut: Cut) -> str:
    """The cut as one sequence; the same cut gives the same text."""
    root = ET.Element("xmeml", version="5")
    sequence = ET.SubElement(root, "sequence", id="sequence-1")
    _text(sequence, "uuid", str(uuid.uuid5(_NAMESPACE, f"{cut.title}/{cut.frames}")))
    _text(sequence, "name", one_line(cut.title) or "Untitled")
    _text(sequence, "duration", cut.frames)
    _rate(sequence, cut.fps)
    _timecode(sequence, cut.start_frame, cut.fps)
    _text(sequence, "in", -1)
    _text(sequence, "out", -1)
    media = ET.SubElement(sequence, "media")
    video = ET.SubElement(media, "video")
    _characteristics(ET.SubElement(video, "format"), cut)
    track = ET.SubElement(video, "track")
    for number, (clip, start) in enumerate(zip(cut.clips, cut.starts(), strict=True), 1):
        _clipitem(track, cut, clip, start, number)
    _text(track, "enabled", "TRUE")
    _text(track, "locked", "FALSE")
    for marker in cut.markers:
        _marker(sequence, marker)
    ET.indent(root, space=" ")
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n{body}\n'


def _text(parent: ET.Element, tag: str, value: object) -> ET.Element:
    found = ET.SubElement(parent, tag)
    found.text = str(value)
    return found


def _rate(parent: ET.Element, fps: Fraction) -> None:
    rate = ET.SubElement(parent, "rate")
    _text(rate, "timebase", nominal(fps))
    _text(rate, "ntsc", "TRUE" if fps.denominator != 1 else "FALSE")


def _timecode(parent: ET.Element, frame: int, fps: Fraction, reel: str = "") -> None:
    timecode = ET.SubElement(parent, "timecode")
    _rate(timecode, fps)
    _text(timecode, "string", to_timecode(frame, fps))
    _text(timecode, "frame", frame)
    _text(timecode, "displayformat", "NDF")
    if reel:
        _text(ET.SubElement(timecode, "reel"), "name", reel)


def _characteristics(parent: ET.Element, cut: Cut) -> None:
    facts = ET.SubElement(parent, "samplecharacteristics")
    _rate(facts, cut.fps)
    _text(facts, "width", cut.width)
    _text(facts, "height", cut.height)
    _text(facts, "anamorphic", "FALSE")
    _text(facts, "pixelaspectratio", "square")
    _text(facts, "fielddominance", "none")


def _clipitem(track: ET.Element, cut: Cut, clip: CutClip, start: int, number: int) -> None:
    item = ET.SubElement(track, "clipitem", id=f"clipitem-{number}")
    length = max(clip.media_frames, clip.source_in + clip.duration)
    _text(item, "masterclipid", f"masterclip-{number}")
    _text(item, "name", one_line(f"{clip.name} {clip.comment}".strip(), 120))
    _text(item, "enabled", "TRUE")
    _text(item, "duration", length)
    _rate(item, cut.fps)
    _text(item, "start", start)
    _text(item, "end", start + clip.duration)
    _text(item, "in", clip.source_in)
    _text(item, "out", clip.source_in + clip.duration)
    _text(item, "alphatype", "none")
    _text(item, "pixelaspectratio", "square")
    _text(item, "anamorphic", "FALSE")
    _file(item, cut, clip, number, length)
    for marker in clip.markers:
        _marker(item, marker)
    notes = ET.SubElement(item, "logginginfo")
    _text(notes, "scene", one_line(clip.scene))
    _text(notes, "shottake", one_line(clip.shot_code))
    _text(notes, "lognote", one_line(clip.dialogue))
    if clip.is_still:
        _text(item, "stillframe", "TRUE")


def _file(item: ET.Element, cut: Cut, clip: CutClip, number: int, length: int) -> None:
    file = ET.SubElement(item, "file", id=f"file-{number}")
    _text(file, "name", one_line(clip.media.name if clip.media else clip.shot_code))
    if clip.media is not None:  # without an address the clip arrives offline, in its place
        _text(file, "pathurl", file_url(clip.media, host="localhost"))
    _rate(file, cut.fps)
    _text(file, "duration", length)
    _timecode(file, clip.media_start, cut.fps, clip.reel)
    _characteristics(ET.SubElement(ET.SubElement(file, "media"), "video"), cut)


def _marker(parent: ET.Element, marker: CutMarker) -> None:
    found = ET.SubElement(parent, "marker")
    _text(found, "name", one_line(marker.name))
    _text(found, "comment", one_line(marker.comment, 1000))
    _text(found, "in", marker.frame)
    _text(found, "out", -1)
