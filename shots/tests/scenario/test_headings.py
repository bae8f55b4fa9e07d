"""Every form of scene heading that real scripts use."""

import pytest

from shots.scenario.headings import is_act, parse_heading


@pytest.mark.parametrize(
    ("line", "number", "location", "inside", "time"),
    [
        ("S#.1 경찰서 (낮/ 안)", "1", "경찰서", True, "낮"),
        ("S#.2 도로 (밤/ 밖)", "2", "도로", False, "밤"),
        ("S#.1 복도식 건물 4층 엘리베이터 앞. (밤/안)", "1", "복도식 건물 4층 엘리베이터 앞", True, "밤"),
        ("S#1 조용한 술집 / 밤", "1", "조용한 술집", None, "밤"),
        ("S#1. 변호사 사무실 (낮 / 실내 )", "1", "변호사 사무실", True, "낮"),
        ("S#3. 거리 — 낮 (반복)", "3", "거리", None, "낮"),
        ("S#3 → S#4. 트랜지션 — 별을 향한 상승 (낮 → 밤)", "3", "트랜지션", None, "낮"),
        ("S#7 … 화학실 (낮/안/약 30년 전)", "7", "화학실", True, "낮"),
        ("S#15. INT. 카페 — 낮", "15", "카페", True, "낮"),
        ("S#1. 카페 - 낮", "1", "카페", None, "낮"),
        ("S#4-1. 옥상/새벽", "4-1", "옥상", None, "새벽"),
        ("S# 12A. 낮은 담장 앞 / 늦은 밤", "12A", "낮은 담장 앞", None, "늦은 밤"),
        ("#1. 밤, 이불 속", "1", "이불 속", None, "밤"),
        ("#2. 공원 - 주인공의 상상 속", "2", "공원", None, ""),
        ("#4. 집 안", "4", "집 안", True, ""),
        ("## #1", "1", "", None, ""),
        ("## #2 (독백 더빙)", "2", "", None, ""),
        ("씬 1. 도심 사무실 - 낮", "1", "도심 사무실", None, "낮"),
        ("씬 1. 카페 내부 - 낮", "1", "카페 내부", True, "낮"),
        ("씬3. 옥상 / 노을", "3", "옥상", None, "노을"),
        ("[씬 1. 서울 어느 집 거실 / 낮]", "1", "서울 어느 집 거실", None, "낮"),
        ("[씬 2 - 빵집]", "2", "빵집", None, ""),
        ("[SCENE 4: 진우의 거실 - 밤]", "4", "진우의 거실", None, "밤"),
        ("EXT. 오래된 골목 - 낮", "", "오래된 골목", False, "낮"),
        ("EXT. 버스 - 며칠 뒤 - 오후", "", "버스", False, "오후"),
        ("Scene #1 — 관측소의 밤 | 장소 | EXT. … → INT. …", "1", "관측소의 밤", False, ""),
        ("1. 카페 / 낮", "1", "카페", None, "낮"),
        ("INT. HOUSE - DAY", "", "HOUSE", True, "DAY"),
        ("INT HOUSE DAY", "", "HOUSE", True, "DAY"),
        ("EXT - HOUSE - DAY", "", "HOUSE", False, "DAY"),
        ("INT./EXT. HOUSE - DAY", "", "HOUSE", None, "DAY"),
        ("I/E HOUSE DAY", "", "HOUSE", None, "DAY"),
        ("I./E. HOUSE - DAY", "", "HOUSE", None, "DAY"),
        ("EST. HOUSE - DAY", "", "HOUSE", False, "DAY"),
        ("int. house - day", "", "house", True, "day"),
        ("INT. HOUSE - DAY #I-1-A#", "I-1-A", "HOUSE", True, "DAY"),
        ("INT. HOUSE - DAY - FLASHBACK (1944) #110A#", "110A", "HOUSE", True, "DAY"),
        ("INT. NIGHT CLUB - LATE AFTERNOON", "", "NIGHT CLUB", True, "LATE AFTERNOON"),
    ],
)
def test_heading(line: str, number: str, location: str, inside: bool | None, time: str) -> None:
    heading = parse_heading(line)
    assert heading is not None
    assert (heading.number, heading.location, heading.interior, heading.time) == (number, location, inside, time)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Intimate talk follows.",
        "Extreme heat.",
        "1. 사과 두 개",
        "# 1. 반가운 친구",
        "민준: 어디야?",
        "신이 난 민준.",
        "x" * 300,
    ],
)
def test_what_is_no_heading(line: str) -> None:
    assert parse_heading(line) is None


@pytest.mark.parametrize("line", ["제2막 (제1막보다 삼년 후)", "◇ 제 2 막 ◇", "[제 1회 드라마 대본]", "ACT II"])
def test_acts_are_sections(line: str) -> None:
    assert is_act(line)


def test_flashback_continuation_and_forced_headings() -> None:
    back = parse_heading("S#2. EXT. 골목 — 밤 (회상)")
    assert back is not None
    assert back.flashback
    assert back.notes == ("회상",)
    same = parse_heading("INT. CAR - CONTINUOUS")
    assert same is not None
    assert same.continues
    forced = parse_heading("KITCHEN", forced=True)
    assert forced is not None
    assert forced.location == "KITCHEN"


@pytest.mark.parametrize(
    ("line", "location", "time"),
    [("INT。 病院-日", "病院", "日"), ("INT。 医院-夜", "医院", "夜"), ("EXT. 日本 - NIGHT", "日本", "NIGHT")],
)
def test_chinese_and_japanese_times(line: str, location: str, time: str) -> None:
    found = parse_heading(line)
    assert found is not None
    assert (found.location, found.time) == (location, time)
