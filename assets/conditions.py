"""Place, time and weather as words: what a heading or an environment says, in Korean or English.

`time_of_day`, `weather` and `interior` read free text; the local engine and the prompts draw on the keys.
"""

import re
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class TimeOfDay(TextChoices):
    DAWN = "dawn", _("Dawn")
    MORNING = "morning", _("Morning")
    DAY = "day", _("Day")
    AFTERNOON = "afternoon", _("Afternoon")
    EVENING = "evening", _("Evening")
    DUSK = "dusk", _("Dusk")
    NIGHT = "night", _("Night")


class Weather(TextChoices):
    CLEAR = "clear", _("Clear")
    CLOUDY = "cloudy", _("Cloudy")
    RAIN = "rain", _("Rain")
    SNOW = "snow", _("Snow")
    FOG = "fog", _("Fog")
    STORM = "storm", _("Storm")
    WIND = "wind", _("Wind")


_TIMES: list[tuple[TimeOfDay, tuple[str, ...]]] = [
    (TimeOfDay.DAWN, ("새벽", "여명", "동틀", "dawn", "daybreak", "sunrise", "일출")),
    (TimeOfDay.DUSK, ("해질", "노을", "황혼", "석양", "dusk", "sunset", "magic hour", "땅거미")),
    (TimeOfDay.EVENING, ("저녁", "evening")),
    (TimeOfDay.NIGHT, ("밤", "심야", "한밤", "야간", "자정", "night", "midnight")),
    (TimeOfDay.MORNING, ("아침", "오전", "morning")),
    (TimeOfDay.AFTERNOON, ("오후", "afternoon")),
    (TimeOfDay.DAY, ("낮", "한낮", "정오", "주간", "day", "noon")),
]
_WEATHERS: list[tuple[Weather, tuple[str, ...]]] = [
    (Weather.STORM, ("폭풍", "천둥", "번개", "태풍", "storm", "thunder", "lightning")),
    (Weather.SNOW, ("눈이 내", "눈 내", "눈이 오", "눈발", "눈보라", "함박눈", "폭설", "snow", "blizzard")),
    (Weather.RAIN, ("비가", "빗", "비 오", "비 내", "소나기", "장마", "우산", "rain", "drizzle", "umbrella")),
    (Weather.FOG, ("안개", "fog", "mist", "haze")),
    (Weather.WIND, ("바람이", "강풍", "windy", "gust")),
    (Weather.CLOUDY, ("흐린", "구름 낀", "먹구름", "cloudy", "overcast")),
    (Weather.CLEAR, ("맑은", "화창", "햇살", "햇빛", "clear sky", "sunny", "sunlight")),
]
_OVER = re.compile(
    r"(?:비|눈|안개)[가는]? ?(?:그친|그쳤|그치|멎|걷힌|걷혔)|(?:rain|snow|fog) (?:has |had )?(?:stopped|stops|lifted)"
)
_INSIDE = {"안", "내", "실내", "내부", "int", "interior", "inside", "i"}
_OUTSIDE = {"밖", "외", "실외", "외부", "야외", "ext", "exterior", "outside", "e"}
_NOT_DAY = (
    "며칠",
    "다음날",
    "yesterday",
    "today",
    "someday",
    "birthday",
    "holiday",
    "monday",
    "sunday",
    "friday",
)


def _found(text: str, table: list[tuple[Any, tuple[str, ...]]]) -> Any:
    """The entry whose word stands first in the text; Latin words only as whole words."""
    best: tuple[int, Any] | None = None
    for value, words in table:
        for word in words:
            place = _place(text, word)
            if place >= 0 and (best is None or place < best[0]):
                best = (place, value)
    return best[1] if best else None


def _place(text: str, word: str) -> int:
    if not word.isascii():
        return text.find(word)
    match = re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text)
    return match.start() if match else -1


def time_of_day(text: str) -> TimeOfDay | None:
    """The time that a heading or an environment names, or None."""
    if text in TimeOfDay.values:
        return TimeOfDay(text)
    lowered = text.lower()
    for word in _NOT_DAY:
        lowered = lowered.replace(word, " ")
    found: TimeOfDay | None = _found(lowered, _TIMES)
    return found


def weather(text: str) -> Weather | None:
    """The weather that a text speaks of, or None."""
    if text in Weather.values:
        return Weather(text)
    lowered = _OVER.sub(" ", text.lower())
    found: Weather | None = _found(lowered, _WEATHERS)
    return found


def interior(text: str) -> bool | None:
    """True for inside, False for outside, None when this is no such word. Reads one token ("안", "INT.")."""
    word = text.strip().strip(".()[] ").lower()
    if word in _INSIDE:
        return True
    return False if word in _OUTSIDE else None
