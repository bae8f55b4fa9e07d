"""Place, time and weather as words: what a heading or an environment says, in Korean or English.

`time_of_day`, `weather` and `interior` read free text; the local engine and the prompts draw on the keys.
Of several words the one that stands first decides.
"""

import re
from typing import Any

from django.db.models import TextChoices
from django.utils import translation
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


# Korean words are patterns without a boundary at the end, since particles follow them; a syllable that would
# make another word (낮은, 냄비가, 빗자루) is excluded. English words are whole words.
_TIMES: tuple[tuple[TimeOfDay, str, str], ...] = (
    (TimeOfDay.DAWN, "새벽|여명|동틀|동이 트|일출|해 ?뜰", "pre-dawn|dawn|daybreak|sunrise"),
    (TimeOfDay.DUSK, "해 ?질|노을|황혼|석양|땅거미|해가 지|일몰", "dusk|sunset|twilight|magic hour"),
    (TimeOfDay.EVENING, "저녁", "evening"),
    (
        TimeOfDay.NIGHT,
        "(?<![가-힣])(?:한|오늘|어젯|그날 ?|늦은 ?|깊은 ?)?밤(?!나무|색)|심야|야간|자정",
        "night|midnight",
    ),
    (TimeOfDay.MORNING, "아침|오전", "morning"),
    (TimeOfDay.AFTERNOON, "오후|방과 ?후", "afternoon"),
    (TimeOfDay.DAY, "낮(?![은추게아다잠])|정오|주간(?!지)|대낮", "day|noon|midday|daytime"),
)
_WEATHERS: tuple[tuple[Weather, str, str], ...] = (
    (Weather.STORM, "폭풍|천둥|번개|태풍|폭우", "storms?|stormy|thunder|thunderstorm|lightning"),
    (
        Weather.SNOW,
        "(?<![가-힣])눈(?:이|은)? (?:내리|내린|오는|온다|쏟|쌓)|눈발|눈보라|함박눈|폭설|첫눈|눈송이|"
        "눈 ?덮인|(?<![가-힣])눈길(?= )|(?<![가-힣])눈(?=$|[,)/])",
        "snow|snowy|snows|snowing|snowfall|blizzard|snowflakes?",
    ),
    (
        Weather.RAIN,
        "(?<![가-힣])비(?:가|는|를|도)? (?:내리|내린|오는|온다|오고|쏟|퍼붓|맞|뿌리)|(?<![가-힣])비가|"
        "빗(?:물|소리|속|줄기|방울|길)|소나기|장마|장대비|보슬비|이슬비|가랑비|우산|(?<![가-힣])비(?=$|[,)/])",
        "rain|rainy|rains|raining|rainfall|raindrops|drizzle|drizzling|downpour|umbrella|umbrellas",
    ),
    (Weather.FOG, "안개", "fog|foggy|mist|misty|haze"),
    (Weather.WIND, "바람이 (?:분|불|세|거)|(?<![가-힣])바람(?=$|[,)/])|강풍|칼바람|바닷바람|돌풍", "windy|wind|winds|gusts?"),
    (Weather.CLOUDY, "흐린 (?:하늘|날|오|아)|흐림|구름 ?낀|먹구름|잔뜩 흐", "cloudy|overcast|grey sky|gray sky"),
    (
        Weather.CLEAR,
        "맑은 (?:하늘|날|아)|맑음|화창|햇살|햇빛|햇볕|쨍쨍",
        "clear sky|sunny|sunlight|sunshine|sun is shining",
    ),
)  # fmt: skip
_OVER = re.compile(
    r"(?<![가-힣])(?:비|눈|안개|바람)[이가는은도]? ?(?:그친|그쳤|그치|멎|멈추|멈췄|걷힌|걷혔|걷히)[가-힣]*"
    r"|(?:rain|snow|fog|storm|wind) (?:has |had |have )?(?:stopped|stops|lifted|lifts|ended|died down)"
)
_INSIDE = frozenset({"안", "내", "실내", "내부", "속", "int", "interior", "inside", "i", "indoors"})
_OUTSIDE = frozenset({"밖", "외", "실외", "외부", "야외", "바깥", "ext", "exterior", "outside", "e", "outdoors"})
# Only these speak for a place when they stand beside other words ("버스 안"); "내" alone may mean "my".
_INSIDE_WORDS = _INSIDE - {"내", "속", "i"}
_OUTSIDE_WORDS = _OUTSIDE - {"외", "e"}
_NOT_TIME = re.compile(r"며칠|밤새우|(?:yester|to|some|birth|holi|mon|tues|wednes|thurs|fri|satur|sun|every)day")


def _patterns(table: Any) -> tuple[tuple[Any, re.Pattern[str]], ...]:
    return tuple((value, re.compile(rf"{korean}|(?<![a-z])(?:{english})(?![a-z])")) for value, korean, english in table)


_TIME_PATTERNS = _patterns(_TIMES)
_WEATHER_PATTERNS = _patterns(_WEATHERS)


def _first(text: str, patterns: tuple[tuple[Any, re.Pattern[str]], ...]) -> Any:
    found = [(m.start(), -m.end(), value) for value, pattern in patterns if (m := pattern.search(text))]
    return min(found)[2] if found else None


def time_of_day(text: str) -> TimeOfDay | None:
    """The time that a heading or an environment names, or None."""
    if text in TimeOfDay.values:
        return TimeOfDay(text)
    found: TimeOfDay | None = _first(_NOT_TIME.sub(" ", text.lower()), _TIME_PATTERNS)
    return found


def word_for(found: TimeOfDay | Weather, *, korean: bool) -> str:
    """A condition as people write it in a script's language; `time_of_day` and `weather` read it back."""
    with translation.override("ko" if korean else "en"):
        return str(found.label) if korean else str(found.label).lower()


def weather(text: str) -> Weather | None:
    """The weather that a text speaks of, or None; weather that is over does not count."""
    if text in Weather.values:
        return Weather(text)
    found: Weather | None = _first(_OVER.sub(" ", text.lower()), _WEATHER_PATTERNS)
    return found


def interior(text: str) -> bool | None:
    """True for inside, False for outside, None when the text says neither or both ("INT./EXT.")."""
    words = [w for w in re.split(r"[\s./,()\[\]]+", text.lower()) if w]
    if len(words) == 1:
        return True if words[0] in _INSIDE else False if words[0] in _OUTSIDE else None
    inside = any(w in _INSIDE_WORDS for w in words)
    outside = any(w in _OUTSIDE_WORDS for w in words)
    return None if inside == outside else inside
