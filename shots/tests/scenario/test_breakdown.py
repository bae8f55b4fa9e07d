"""Characters, places, scenes and the promises that hold for every script."""

import json
from pathlib import Path

import pytest

from assets.conditions import weather
from shots.choices import Angle, Movement, ShotSize
from shots.scenario import Breakdown, analyse, read_text
from shots.tests.scenario.scripts import OWN, ROOT, SHARED, broken_down


def check_promises(found: Breakdown, text: str) -> None:
    """What apply and the pages rely on, whatever the script."""
    data = json.loads(json.dumps(found.to_dict(), ensure_ascii=False))
    lines = text.split("\n")
    names = {c["name"] for c in data["characters"]}
    places = {e["id"] for e in data["environments"]}
    scenes = {s["number"]: s for s in data["scenes"]}
    assert len(scenes) == len(data["scenes"]), "scene numbers are unique"
    for number, shot in enumerate(data["shots"]):
        first, last = shot["span"]
        assert 1 <= first <= last <= len(lines)
        assert any(line.strip() for line in lines[first - 1 : last])
        assert shot["scene"] in scenes
        assert shot["environment_ref"] in places
        assert shot["size"] in ShotSize.values
        assert shot["angle"] in Angle.values
        assert shot["movement"] in Movement.values
        assert 1.5 <= shot["suggested_duration"] <= 12
        assert shot["description"].strip()
        assert set(shot["characters"]) <= names
        assert {d["character"] for d in shot["dialogue"]} <= names
        if number and data["shots"][number - 1]["scene"] == shot["scene"]:
            assert shot["shot_number"] == data["shots"][number - 1]["shot_number"] + 1
    for scene in data["scenes"]:
        assert scene["environment_ref"] in places
    for environment in data["environments"]:
        assert environment["weather"] == "" or weather(environment["weather"]) is not None
    carried = {n for s in data["shots"] for n in range(s["span"][0], s["span"][1] + 1)}
    carried |= {u["line"] for u in data["unused"]}
    headings = {s["span"][0] for s in data["scenes"] if s["heading"]}
    missing = [n for n, line in enumerate(lines, 1) if line.strip() and n not in carried | headings]
    assert missing == [], [lines[n - 1] for n in missing]
    spoken = [d["text"] for s in data["shots"] for d in s["dialogue"]]
    assert "".join("".join(spoken).split()) == "".join("".join(d["text"] for d in data["dialogue"]).split())


@pytest.mark.parametrize("path", [*OWN, *SHARED], ids=lambda p: p.name)
def test_promises_hold_for_every_script(path: Path) -> None:
    script = read_text(path.read_bytes(), path.name)
    found = analyse(script)
    check_promises(found, script.text)
    assert analyse(script).to_dict() == found.to_dict(), "the same text gives the same breakdown"
    assert found.shots or found.warnings


def test_characters_are_merged_and_described() -> None:
    found = broken_down(
        "[씬 1. 거실 / 낮]\n\n(거실. 소파에 앉아 있는 할머니(75세)와 손녀 리나(20세))\n\n"
        "나레이션:\n1995년 여름.\n\n리나(손녀, 20세, 밝은 성격):\n할머니, 날씨 좋죠?\n\n할머니: 그러게.\n\n"
        "리나(N): 그날이 마지막이었다.\n\n[씬 2 - 골목]\n\n검은 가죽 재킷을 입은 민준(30대)이 걷는다.\n\n"
        "리나 (V.O.): 민준이었다.\n"
    )
    by_name = {c.name: c for c in found.characters}
    assert set(by_name) == {"리나", "할머니", "나레이션", "민준"}
    assert (by_name["리나"].age, by_name["리나"].relations) == ("20세", "손녀")
    assert "밝은 성격" in by_name["리나"].description
    assert by_name["리나"].role == "주인공"
    assert by_name["나레이션"].role == "나레이션"
    assert by_name["할머니"].age == "75세"
    assert by_name["민준"].clothing == ["검은 가죽 재킷"]
    assert by_name["민준"].age == "30대"


def test_english_characters() -> None:
    found = broken_down(
        "INT. DINER - NIGHT\n\nMARA (34), in a yellow raincoat, waits. "
        "Her friend JO (40s) enters.\n\nMARA\nYou came.\n\nJO (O.S.)\nSure.\n\n"
        "MARA (CONT'D)\nSit.\n\nRADIO (V.O.)\nStorm warning.\n"
    )
    by_name = {c.name: c for c in found.characters}
    assert set(by_name) == {"MARA", "JO", "RADIO"}
    assert by_name["MARA"].age == "34"
    assert by_name["MARA"].clothing == ["yellow raincoat"]
    assert by_name["MARA"].role == "lead"
    assert by_name["RADIO"].role == "voice-over"


def test_a_cast_list_makes_characters_that_never_speak() -> None:
    found = broken_down(
        "등장인물\n한서 (34세) - 수리공. 회색 작업복.\n은조: 29세, 한서의 동생\n\nS#1. 부엌 / 낮\n\n물이 끓는다.\n"
    )
    assert [(c.name, c.age) for c in found.characters] == [("한서", "34세"), ("은조", "29세")]
    assert found.characters[0].clothing == ["회색 작업복"]
    assert found.characters[1].relations == "한서의 동생"
    assert found.dialogue == []


def test_environments_merge_and_carry_weather() -> None:
    found = broken_down(
        "S#1. 골목 / 밤\n\n비가 내린다.\n\nS#2. INT. 카페 — 낮\n\n리나가 앉는다.\n\nS#3. 골목 - 늦은 밤\n\n"
        "고양이가 지나간다.\n\nS#4. 골목 / 낮 (회상)\n\n비가 그쳤다.\n"
    )
    assert [(e.id, e.location, e.interior, e.time_of_day, e.weather) for e in found.environments] == [
        ("ENV-001", "골목", None, "밤", "비"),
        ("ENV-002", "카페", True, "낮", ""),
        ("ENV-003", "골목", None, "낮", ""),
    ]
    assert [s.environment_ref for s in found.scenes] == ["ENV-001", "ENV-002", "ENV-001", "ENV-003"]
    assert "회상" in found.environments[2].mood


def test_continuous_scenes_keep_the_time() -> None:
    found = broken_down("INT. CAR - NIGHT\n\nBob drives.\n\nEXT. BRIDGE - CONTINUOUS\n\nThe car stops.\n", "a.fountain")
    assert [e.time_of_day for e in found.environments] == ["NIGHT", "NIGHT"]


def test_repeated_numbers_stay_apart() -> None:
    found = broken_down(
        "# 1장\n\n## #1\n\n리나가 앉는다.\n\n# 2장\n\n## #1\n\n리나가 선다.\n\n## #2\n\n리나가 웃는다.\n"
    )
    assert [s.number for s in found.scenes] == ["1", "1-2", "2"]


def test_no_scenes_is_one_default_scene_with_a_warning() -> None:
    found = broken_down("민준이 골목을 걷는다. 비가 내린다.\n\n“어디 가?” 리나가 물었다.\n")
    assert len(found.scenes) == 1
    assert found.shots
    assert any("default scene" in w for w in found.warnings)
    assert [(d["character"], d["text"]) for d in found.dialogue] == [("리나", "어디 가?")]


@pytest.mark.parametrize(
    "text",
    ["Title: Nothing\nAuthor: No one\n", "# Act One\n\n= A synopsis.\n", "CUT TO:\n\nFADE OUT.\n", "/* all gone */\n"],
)
def test_nothing_to_film(text: str) -> None:
    found = broken_down(text, "a.fountain")
    assert found.shots == []
    assert any("nothing to film" in w for w in found.warnings)


def test_a_bare_heading_is_an_establishing_shot_with_a_warning() -> None:
    found = broken_down("S#1. 옥상 / 밤\n\nS#2. 카페 / 낮\n\n리나가 앉는다.\n")
    assert [s.scene for s in found.shots] == ["1", "2"]
    assert "옥상" in found.shots[0].description
    assert any("scene 1" in w for w in found.warnings)


def test_transitions_and_titles_are_listed_as_unused() -> None:
    found = broken_down("제목: 편지\n\nS#1. 방 / 낮\n\n리나가 앉는다.\n\nCUT TO:\n\nS#2. 옥상 / 밤\n\n리나가 선다.\n")
    assert found.title == "편지"
    assert [(u["line"], u["kind"]) for u in found.unused] == [(1, "title"), (7, "transition")]
    assert len(found.shots) == 2


def test_the_samples_are_twins() -> None:
    folder = ROOT / "aipipeline" / "studio" / "samples"
    korean, english = (
        analyse(read_text((folder / name).read_bytes(), name)) for name in ("night_bus.ko.txt", "night_bus.en.fountain")
    )
    assert len(korean.scenes) == len(english.scenes) == 3
    assert len(korean.shots) == len(english.shots)
    assert len(korean.characters) == len(english.characters) == 2
    assert (
        [e.interior for e in korean.environments] == [e.interior for e in english.environments] == [False, True, False]
    )
    assert (korean.environments[0].weather, english.environments[0].weather) == ("비", "rain")
    assert not korean.warnings + english.warnings
