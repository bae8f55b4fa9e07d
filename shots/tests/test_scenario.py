"""The breakdown by rules: heading forms, dialects, coverage, bad input."""

import os
from pathlib import Path

import pytest

from shots.scenario import ScenarioError, analyse, read_text
from shots.scenario.headings import parse_heading
from tests.factories import SCRIPT

HEADINGS = [
    ("S#1. 카페 — 낮", "1", "카페", "낮", None),
    ("S#1 시끄러운 술집 / 밤", "1", "시끄러운 술집", "밤", None),
    ("S#.1 경찰서 (낮/ 안)", "1", "경찰서", "낮", True),
    ("S#2. 도로 (밤/ 밖)", "2", "도로", "밤", False),
    ("S#15. INT. 카페 — 낮", "15", "카페", "낮", True),
    ("#1. 밤, 이불 속", "1", "이불 속", "밤", None),
    ("씬 3. 도심 사무실 - 낮", "3", "도심 사무실", "낮", None),
    ("[씬 1. 서울 강남 아파트 거실 / 낮]", "1", "서울 강남 아파트 거실", "낮", None),
    ("[SCENE 4: 진우의 거실 - 밤]", "4", "진우의 거실", "밤", None),
    ("EXT. 오래된 골목 - 낮", "", "오래된 골목", "낮", False),
    ("INT. HOUSE - DAY", "", "HOUSE", "DAY", True),
    ("INT./EXT. CAR - NIGHT #4A#", "4A", "CAR", "NIGHT", None),
]


@pytest.mark.parametrize(("line", "number", "place", "time", "inside"), HEADINGS)
def test_headings_are_read_into_their_parts(line: str, number: str, place: str, time: str, inside: bool | None) -> None:
    heading = parse_heading(line)
    assert heading is not None
    assert (heading.number, heading.location, heading.time, heading.interior) == (number, place, time, inside)


def test_a_korean_script_becomes_cast_places_and_shots() -> None:
    found = analyse(read_text(SCRIPT.encode(), "s.txt"))
    assert found.dialect.startswith("korean")
    assert [c.name for c in found.characters] == ["리나", "민준"]
    assert [(e.location, e.time_of_day) for e in found.environments] == [("카페", "낮"), ("골목", "밤")]
    assert found.environments[0].weather == "비"
    assert len(found.shots) >= 3
    assert found.shots[0].characters == ["리나"]
    assert [d["text"] for s in found.shots for d in s.dialogue] == ["여기서 처음 쓰는 이야기야.", "미안해, 늦었지?"]
    assert all(1.5 <= s.suggested_duration <= 12 for s in found.shots)


def test_fountain_cues_parentheticals_and_transitions() -> None:
    text = (
        "Title: X\n\nINT. ROOM - NIGHT\n\nMARA enters.\n\nMARA (V.O.)\n(softly)\nI am home.\n\nCUT TO:\n\n[[a note]]\n"
    )
    found = analyse(read_text(text.encode(), "x.fountain"))
    assert found.title == "X"
    assert [(d["character"], d["text"]) for d in found.dialogue] == [("MARA", "I am home.")]
    assert not any("CUT" in s.description for s in found.shots)
    assert any("note" in u["text"] for u in found.unused)


def test_the_breakdown_is_the_same_every_time() -> None:
    assert (
        analyse(read_text(SCRIPT.encode(), "s.txt")).to_dict() == analyse(read_text(SCRIPT.encode(), "s.txt")).to_dict()
    )


def test_text_without_scenes_is_one_scene_with_a_warning() -> None:
    found = analyse(read_text("그는 오래 걸었다.\n\n바람이 분다.".encode(), "s.txt"))
    assert len(found.scenes) == 1
    assert found.warnings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_korean_encodings_are_told_apart(encoding: str) -> None:
    script = SCRIPT.replace("—", "-")
    assert "카페" in read_text(script.encode(encoding), "s.txt").text


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "a.txt"),
        (b"  \n ", "a.txt"),
        (b"\x00\x01\x02PNG", "a.txt"),
        (b"x" * (50 * 1024**2), "a.txt"),
        (b"x", "a.exe"),
    ],
)
def test_what_is_no_text_is_refused_with_a_message(data: bytes, name: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_text(data, name)
    assert str(caught.value)


def test_one_enormous_line_takes_no_time() -> None:
    analyse(read_text(b"INT. ROOM - DAY\n\n" + b"word ( " * 150_000, "s.txt"))


@pytest.mark.skipif(not os.environ.get("AIP_SAMPLES"), reason="AIP_SAMPLES names no folder with more scripts")
def test_every_sample_script_is_read() -> None:
    files = [p for p in Path(os.environ["AIP_SAMPLES"]).rglob("*") if p.suffix in (".txt", ".fountain")]
    assert files
    for path in files:
        assert analyse(read_text(path.read_bytes(), path.name)).to_dict()
