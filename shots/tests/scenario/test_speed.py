"""Time grows with the text and with nothing else. Processor time: what else the machine does is no matter here."""

import time

import pytest

from shots.scenario import ScenarioError
from shots.scenario.breakdown import MOST_SHOTS
from shots.scenario.reading import MAX_BYTES
from shots.tests.scenario.scripts import broken_down

PAGE = (
    "S#{n}. 카페 안 / 밤\n\n창가. 리나가 노트북을 연다. 민준이 들어와 앉는다. 비가 내린다.\n\n"
    "리나\n여기서 처음 쓰는 이야기야.\n\n민준: (웃으며) 미안해, 늦었지?\n\n두 사람이 창밖을 본다.\n\n"
)


def seconds(text: str, name: str = "a.txt") -> float:
    started = time.process_time()
    broken_down(text, name)
    return time.process_time() - started


def test_two_hundred_pages_take_seconds() -> None:
    script = "".join(PAGE.format(n=n) for n in range(1, 601))
    assert len(script.split("\n")) > 200 * 30
    assert seconds(script) < 5


@pytest.mark.parametrize(
    "unit",
    ["가", "a ", "(", "[[", '"a', "A (1", "회색 코트 ", "INT. "],
)
def test_a_line_of_a_megabyte_is_read(unit: str) -> None:
    line = unit * (1_000_000 // len(unit.encode()))
    assert seconds(f"S#1. 방 / 낮\n\n{line}\n\n리나: 끝.\n") < 60


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"이름{n}: 대사다\n" for n in range(15_000)),
        "S#1 방\n" * MOST_SHOTS,
        "가\n" * 100_000,
        "*/" + "/*\n" * 100_000,
        "등장인물\n" + "".join(f"김서윤{n}: 20세\n" for n in range(20_000)),
    ],
    ids=["names", "headings", "lines", "comments", "cast"],
)
def test_many_of_a_kind(text: str) -> None:
    assert seconds(text) < 30


@pytest.mark.parametrize("unit", ["S#1 방\n", "INT. HOUSE - DAY\n\n", "A man runs!\n\n"])
def test_a_text_of_more_shots_than_a_production_has_is_refused_soon(unit: str) -> None:
    script = unit * (MAX_BYTES // len(unit.encode()))
    started = time.process_time()
    with pytest.raises(ScenarioError, match="in parts"):
        broken_down(script)
    assert time.process_time() - started < 40
