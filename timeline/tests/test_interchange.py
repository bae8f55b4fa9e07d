"""EDL, FCP7 XML and OTIO, read back by readers that know nothing of us."""

import io
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pycmx
import pytest

from timeline.cut import Cut, CutClip, CutMarker, EditError
from timeline.interchange.edl import write_edl
from timeline.interchange.otio import write_otio
from timeline.interchange.xmeml import write_xmeml
from timeline.timecode import SUPPORTED, media_start_for, reel_for

NASTY = 'Shot "A" <#5> & 리나\n002  AX V C 00:00:00:00'


def a_cut(fps: Fraction = Fraction(24), clips: int = 4) -> Cut:
    made = tuple(
        CutClip(
            name=f"SHT_{i:04}",
            shot_code=f"SHT_{i:04}",
            reel=reel_for(f"SHT_{i:04}", i),
            duration=20 + i % 7,
            media=Path(f"/media/밤 버스/SHT_{i:04}_v001.mp4"),
            media_frames=40,
            media_start=media_start_for(i, fps),
            comment=NASTY,
            scene="SCN_010",
        )
        for i in range(10, 10 + clips)
    )
    marker = CutMarker(5, "음악", "시작")
    return Cut("밤 버스", fps, 1280, 720, 3600 * round(fps), made, (marker,))


@pytest.mark.parametrize("fps", SUPPORTED)
def test_every_rate_reads_back_with_the_same_lengths(fps: Fraction) -> None:
    cut = a_cut(fps)
    wanted = [clip.duration for clip in cut.clips]
    rate = float(fps.numerator) / fps.denominator
    edl = otio.adapters.read_from_string(write_edl(cut)[0], "cmx_3600", rate=rate)
    xml = otio.adapters.read_from_string(write_xmeml(cut), "fcp_xml")
    own = otio.adapters.read_from_string(write_otio(cut), "otio_json")
    xml_timeline = xml if isinstance(xml, otio.schema.Timeline) else xml[0]
    for timeline in (edl, xml_timeline, own):
        clips = list(timeline.find_clips())
        assert [round(clip.trimmed_range().duration.to_frames()) for clip in clips] == wanted
    assert own.global_start_time.to_frames() == cut.start_frame


def test_an_independent_edl_reader_sees_every_event_and_name() -> None:
    cut = a_cut()
    events = list(pycmx.parse_cmx3600(io.StringIO(write_edl(cut)[0])).events)
    assert len(events) == 4
    assert events[0].edits[0].record_in == "01:00:00:00"
    assert "SHT_0010" in events[0].edits[0].clip_name
    assert len({event.edits[0].source for event in events}) == 4


def test_a_name_cannot_forge_an_event() -> None:
    lines = write_edl(a_cut())[0].splitlines()
    assert sum(line[:3].isdigit() for line in lines) == 4


def test_more_than_999_events_become_parts() -> None:
    parts = write_edl(a_cut(clips=1200))
    assert len(parts) == 2
    assert "PART 2" in parts[1]


def test_xml_has_what_premiere_and_resolve_need() -> None:
    text = write_xmeml(a_cut())
    for needed in (
        "<!DOCTYPE xmeml>",
        "<locked>",
        "<enabled>",
        "samplecharacteristics",
        "file://localhost/media/",
        "<timebase>24<",
    ):
        assert needed in text
    assert "%EB%B0%A4" in text
    assert text == write_xmeml(a_cut())


def test_a_cut_without_length_or_at_an_odd_rate_is_refused() -> None:
    with pytest.raises(EditError):
        Cut("x", Fraction(12), 64, 64, 0)
    with pytest.raises(EditError):
        Cut("x", Fraction(24), 64, 64, 0, (CutClip(name="a", shot_code="a", reel="A", duration=0),))
