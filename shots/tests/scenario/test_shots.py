"""Shots as an assistant director would list them."""

from itertools import pairwise

import pytest

from shots.choices import ShotSize
from shots.scenario.shotlist import DraftShot
from shots.tests.scenario.scripts import broken_down


def shots(body: str, name: str = "a.txt") -> list[DraftShot]:
    heading = "INT. ROOM - DAY" if name.endswith("fountain") else "S#1. 방 안 / 낮"
    return broken_down(f"{heading}\n\n{body}\n", name).shots


def test_a_new_place_opens_wide() -> None:
    found = broken_down(
        "S#1. EXT. 항구 — 새벽\n\n안개 낀 항구. 배가 흔들린다.\n\n리나: 춥다.\n\n"
        "S#2. EXT. 항구 — 새벽\n\n리나가 모자를 벗는다.\n"
    ).shots
    assert found[0].size == ShotSize.EWS
    assert found[0].dialogue == []
    assert found[2].size not in (ShotSize.EWS, ShotSize.WS)


def test_speech_is_not_squeezed_into_the_establishing_shot() -> None:
    found = shots("창가. 리나가 노트북을 연다.\n\n리나: 여기야.")
    assert [len(s.dialogue) for s in found] == [0, 1]


def test_an_exchange_is_covered_by_more_than_one_shot() -> None:
    lines = "\n\n".join(f"{n}: 이번 열차를 놓치면 다음은 내일이야." for n in ("리나", "민준") * 3)
    found = shots(f"리나와 민준이 마주 앉아 있다.\n\n{lines}")
    assert 3 <= len(found) - 1 <= 6
    cameras = [(s.size, s.angle) for s in found]
    assert all(a != b for a, b in pairwise(cameras))
    assert any(s.angle == "ots" for s in found)
    assert all(s.characters for s in found)


def test_a_long_speech_becomes_several_shots_with_the_listener_between() -> None:
    speech = " ".join(f"나는 그날 {n}번째 정류장에서 오래도록 너를 기다리고 있었어." for n in ("첫", "두", "세", "네"))
    found = shots(f"리나가 민준을 본다.\n\n리나: 말해 봐.\n\n민준: {speech}")
    told = [s for s in found if s.dialogue and s.dialogue[0]["character"] == "민준"]
    assert len(told) >= 3
    assert told[1].characters == ["리나"]
    assert "듣는다" in told[1].description
    assert " ".join(d["text"] for s in told for d in s.dialogue) == speech


def test_a_voice_over_runs_over_the_picture() -> None:
    found = shots("민준이 걷는다.\n\n민준(N): 그날 이후로 전화는 오지 않았다.")
    assert len(found) == 1
    assert found[0].dialogue == [{"character": "민준", "text": "그날 이후로 전화는 오지 않았다.", "voice_over": True}]
    assert found[0].suggested_duration < 5


def test_inserts_show_the_thing() -> None:
    found = shots('리나가 편지를 연다.\n\nINSERT - 편지\n"오늘은 올 거야."')
    assert found[1].size == ShotSize.INSERT
    assert found[1].description == '편지 "오늘은 올 거야."'


@pytest.mark.parametrize(
    ("action", "size", "angle", "movement"),
    [
        ("클로즈업. 리나의 눈.", "CU", None, None),
        ("풀샷 - 리나가 선다.", "WS", None, None),
        ("부감. 리나가 눕는다.", None, "high", None),
        ("리나의 시점. 흔들리는 천장.", None, "pov", None),
        ("카메라 왼쪽으로 팬, 리나가 선다.", None, None, "pan_left"),
        ("달리 인. 리나가 고개를 든다.", None, None, "push_in"),
        ("핸드헬드. 리나가 문을 연다.", None, None, "handheld"),
        ("리나가 복도를 걸어간다.", "MWS", None, "track"),
        ("리나의 손이 떨린다.", "CU", None, None),
    ],
)
def test_the_scripts_own_words_set_the_camera(
    action: str, size: str | None, angle: str | None, movement: str | None
) -> None:
    found = shots(
        f"빈 방. 창이 열려 있다. 커튼이 오래도록 바람에 천천히 흔들린다.\n\n리나: 왔어.\n\n{action}\n\n리나: 가자."
    )
    shot = next(s for s in found if action[:6] in s.description)
    assert size in (None, shot.size)
    assert angle in (None, shot.angle)
    assert movement is None or shot.movement.startswith(movement)


def test_english_camera_words() -> None:
    found = shots(
        "A hall. Dust.\n\nBOB\nHere.\n\nDolly in on Bob. His eyes widen.\n\nBOB\nNo!\n\nBob's cup, custard, curtains.",
        "a.fountain",
    )
    dolly = next(s for s in found if "Dolly" in s.description)
    assert dolly.movement == "push_in"
    cups = next(s for s in found if "curtains" in s.description)
    assert cups.size != "CU", "cup and curtains are no close-ups"


def test_pronouns_mean_the_last_ones_seen() -> None:
    found = shots("BRICK and STEEL sit down.\n\nBRICK\nReady?\n\nSTEEL\nReady.\n\nThey speed off.", "a.fountain")
    assert set(found[-1].characters) == {"BRICK", "STEEL"}
    assert found[-1].size != ShotSize.INSERT


def test_names_are_found_with_particles_only() -> None:
    found = broken_down(
        "S#1. 방 / 낮\n\n정말 조용하다. 걱정이 앞선다.\n\n정: 왔니.\n\n정이 웃는다. 김서윤이 들어온다.\n\n서윤: 응.\n"
    ).shots
    assert found[0].characters == []
    assert set(found[-1].characters) | set(found[-2].characters) == {"정", "서윤"}


def test_emotion_from_the_way_a_line_is_said() -> None:
    found = shots("서울의 거울 가게.\n\n리나: (눈물을 닦으며) 가지 마.\n\n민준: (웃으며) 안 가.")
    assert [s.emotion for s in found][:1] == [""]
    assert "슬픔" in [s.emotion for s in found]


def test_lengths_follow_the_words() -> None:
    short, long = (
        shots(f"빈 방.\n\n리나: {said}")[1].suggested_duration
        for said in ("응.", "나는 네가 돌아올 줄 알고 있었어, 언제나.")
    )
    assert short == 1.5
    assert 4 <= long <= 6


def test_a_list_of_those_present_opens_on_them() -> None:
    found = broken_down("[씬 2 - 빵집]\n(리나, 민준)\n민준: 문 닫았네.\n리나: 그러게.\n").shots
    assert found[0].size == ShotSize.WS
    assert found[0].characters == ["리나", "민준"]
    assert "리나와 민준" in found[0].description


def test_things_that_speak_are_nobody() -> None:
    found = broken_down("S#1. 방 / 낮\n\n리나가 라디오를 켠다.\n\n라디오(E): 비 소식입니다.\n\n리나: 또 비네.\n").shots
    assert all("라디오" not in s.characters for s in found)
    assert any(d["character"] == "라디오" for s in found for d in s.dialogue)
