"""What a production handed over, read by programs that are not ours."""

import io
import itertools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import openpyxl
import opentimelineio as otio
import pycmx

FILES = ("film.mp4", "edit.edl", "edit.xml", "edit.otio", "shotlist.xlsx")


@dataclass(frozen=True)
class Delivery:
    """`frames` by file, `shots` the number of shots by file; for a right one all values are the same."""

    frames: dict[str, int]
    shots: dict[str, int]


def read_delivery(folder: Path) -> Delivery:
    """Decode the film picture by picture; read sheet, EDL, XML and OTIO with their own readers."""
    film, rate = _film(folder / "film.mp4")
    frames, shots = {"film.mp4": film}, {}
    shots["shotlist.xlsx"], frames["shotlist.xlsx"] = _sheet(folder / "shotlist.xlsx")
    shots["edit.edl"], frames["edit.edl"] = _edl(folder / "edit.edl", rate)
    for name, adapter in (("edit.xml", "fcp_xml"), ("edit.otio", "otio_json")):
        shots[name], frames[name] = _timeline(folder / name, adapter)
    return Delivery(frames, shots)


def _film(path: Path) -> tuple[int, Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate
        assert rate is not None
        return sum(1 for _picture in container.decode(stream)), Fraction(rate)


def _sheet(path: Path) -> tuple[int, int]:
    rows = list(openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True))
    column = [str(name) for name in rows[0]].index("duration_frames")
    lengths = [int(str(row[column])) for row in rows[1:]]
    return len(lengths), sum(lengths)


def _edl(path: Path, rate: Fraction) -> tuple[int, int]:
    base = round(rate)

    def count(timecode: str) -> int:
        hours, minutes, seconds, frames = (int(part) for part in timecode.replace(";", ":").split(":"))
        return ((hours * 60 + minutes) * 60 + seconds) * base + frames

    lines = path.read_text(encoding="utf-8")
    assert "FCM: DROP" not in lines, "this reader counts non-drop timecode"
    events = list(pycmx.parse_cmx3600(io.StringIO(lines)).events)
    edits = [event.edits[0] for event in events]
    for before, after in itertools.pairwise(edits):
        assert before.record_out == after.record_in
    return len(edits), sum(count(edit.record_out) - count(edit.record_in) for edit in edits)


def _timeline(path: Path, adapter: str) -> tuple[int, int]:
    found: Any = otio.adapters.read_from_file(str(path), adapter)
    timeline = found if isinstance(found, otio.schema.Timeline) else next(iter(found))
    clips = list(timeline.video_tracks()[0].find_clips())
    assert all(clip.duration().value == int(clip.duration().value) for clip in clips)
    return len(clips), sum(int(clip.duration().value) for clip in clips)
