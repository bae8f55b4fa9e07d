"""Place, time and weather read from Korean and English words."""

import pytest

from assets.conditions import TimeOfDay, Weather, interior, time_of_day, weather, word_for


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("밤", TimeOfDay.NIGHT),
        ("늦은 밤", TimeOfDay.NIGHT),
        ("한낮", TimeOfDay.DAY),
        ("새벽", TimeOfDay.DAWN),
        ("해 질 녘", TimeOfDay.DUSK),
        ("이른 저녁", TimeOfDay.EVENING),
        ("오후 3시", TimeOfDay.AFTERNOON),
        ("LATE AFTERNOON", TimeOfDay.AFTERNOON),
        ("Morning", TimeOfDay.MORNING),
        ("night", TimeOfDay.NIGHT),
        ("며칠 뒤", None),
        ("낮은 담장 앞", None),
        ("yesterday", None),
        ("군밤 장수", None),
        ("Daylight savings", None),
        ("", None),
    ],
)
def test_time_of_day(text: str, expected: TimeOfDay | None) -> None:
    assert time_of_day(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("비가 내린다. 우산 없이 걷는 민준.", Weather.RAIN),
        ("빗속을 달린다", Weather.RAIN),
        ("밤, 비", Weather.RAIN),
        ("함박눈이 쏟아진다", Weather.SNOW),
        ("안개가 자욱하다", Weather.FOG),
        ("천둥이 친다", Weather.STORM),
        ("창으로 햇살이 든다", Weather.CLEAR),
        ("Rain falls on the roof", Weather.RAIN),
        ("A blizzard outside", Weather.SNOW),
        ("비가 그쳤다. 하늘이 푸르다.", None),
        ("The rain has stopped.", None),
        ("냄비가 끓는다", None),
        ("빗자루를 든다", None),
        ("그의 눈이 커진다", None),
        ("He trains hard", None),
        ("storm", Weather.STORM),
    ],
)
def test_weather(text: str, expected: Weather | None) -> None:
    assert weather(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("안", True),
        ("실내", True),
        ("INT.", True),
        ("카페 내부", True),
        ("버스 안", True),
        ("밖", False),
        ("EXT.", False),
        ("건물 밖", False),
        ("카페", None),
        ("내 방", None),
        ("INT./EXT.", None),
        ("", None),
    ],
)
def test_interior(text: str, expected: bool | None) -> None:
    assert interior(text) is expected


@pytest.mark.parametrize("found", list(Weather))
@pytest.mark.parametrize("korean", [True, False])
def test_a_weather_written_in_either_language_is_read_back(found: Weather, korean: bool) -> None:
    assert weather(word_for(found, korean=korean)) == found
