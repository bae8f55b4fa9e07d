"""Scene headings in the forms that real scripts use, English and Korean."""

import re
from dataclasses import dataclass
from functools import lru_cache

from assets import conditions

_ENGLISH = re.compile(
    r"^(?P<io>(?:INT\.?\s*/\s*EXT|EXT\.?\s*/\s*INT|I\.?/E|INT|EXT|EST)(?=[\s.。]))[.。]?\s*[-–—]?\s*(?P<body>.*)$",
    re.IGNORECASE,
)
_KOREAN = (
    re.compile(
        r"^[Ss]\s?#\s*\.?\s*(?P<n>\d+[A-Za-z]?(?:[-~]\d+)?)"
        r"(?:\s*(?:→|->|~)\s*(?:[Ss]\s?#\.?\s*)?\d+)?\s*[.):]?\s*(?P<body>.*)$"
    ),
    re.compile(r"^#{2,}\s*#\s*(?P<n>\d+)\s*[.)]?\s*(?P<body>.*)$"),
    re.compile(r"^#(?P<n>\d+(?:[-~]\d+)?)(?!\d)\s*[.)]?\s*(?P<body>.*)$"),
    re.compile(r"^\[\s*(?:씬|신|장면|SCENE)\s*#?\s*(?P<n>\d+[A-Za-z]?)\s*[.:)\-–—]?\s*(?P<body>[^\]]*)\]\s*$", re.I),
    re.compile(r"^(?:씬|장면|SCENE)\s*#?\s*(?P<n>\d+[A-Za-z]?)\s*(?:[.:)]|[-–—]|$)\s*(?P<body>.*)$", re.I),
    re.compile(r"^(?:씬|신|SCENE)\s*#\s*(?P<n>\d+[A-Za-z]?)\s+(?P<body>.*)$", re.I),
)
# "1. 카페 / 낮": a bare number is a heading only when the line ends in a time or a side.
_NUMBERED = re.compile(r"^(?P<n>\d{1,3})\s*[.)]\s*(?P<body>\S.*)$")
_ACT = re.compile(
    r"^[◇◆\s]*제\s*\d+\s*(?:막|장|회|화|부)(?![가-힣]).*$|^ACT\s+(?:[IVX]+|\d+|ONE|TWO|THREE|FOUR|FIVE)\b.*$", re.I
)
_NUMBER_AT_END = re.compile(r"#([\w.\-]{1,20})#$")
_SEPARATORS = re.compile(r"[/|—–,·()\[\]→]|\s-\s|(?<=[가-힣])\.(?=\s|$)|(?<=[^\s])[-–—](?=[^\s]*$)(?=[日夜天])")
_EDGES = " .…:*\"“”'‘’-_　\t"
_TIME_WORDS = re.compile(
    r"새벽|여명|일출|동틀\s?녘?|해\s?질\s?(?:녘|무렵)?|노을|황혼|석양|일몰|저녁|한?밤|심야|야간|자정|아침|오전|오후|한?낮|대낮|정오|주간|"
    r"(?<![a-z])(?:pre-?dawn|dawn|daybreak|sunrise|dusk|sunset|twilight|magic hour|evening|night|midnight|morning|"
    r"afternoon|day|daytime|noon|midday)(?![a-z])|白天|早上|晚上|夕方|[日天夜朝昼夕]",
)
_TIME_FILLERS = re.compile(
    r"늦은|이른|깊은|같은|다음\s?날|그날|이튿날|어느\s?날|무렵|녘|경|쯤|\d{1,2}\s?시(?:\s?\d{1,2}\s?분)?|"
    r"(?<![a-z])(?:late|early|mid|same|next|that|the|later|deep)(?![a-z])|[\s\d:~\-.]",
)
_CONTINUES = re.compile(
    r"^(?:continuous|same|same time|moments later|later|계속|이어서|같은 시간|동 시각|동시각|잠시 후)$"
)
_FLASHBACK = re.compile(r"회상|과거|flash\s?back", re.I)
_SIDES = frozenset(
    {"안", "내", "밖", "외", "실내", "실외", "내부", "외부", "야외", "int", "ext", "interior", "exterior"}
)


@dataclass(frozen=True)
class Heading:
    """A heading read into its parts; empty or None where it does not say."""

    text: str
    number: str
    location: str
    interior: bool | None
    time: str
    notes: tuple[str, ...] = ()
    continues: bool = False

    @property
    def flashback(self) -> bool:
        return bool(_FLASHBACK.search(self.text))


def is_act(line: str) -> bool:
    """제2막, ACT II: parts of the whole, not scenes."""
    return len(line) < 80 and bool(_ACT.match(line.strip().strip("[]")))


def is_english(line: str) -> bool:
    """Does the line stand in the INT./EXT. form without Korean?"""
    return len(line) <= 200 and bool(_ENGLISH.match(line.strip())) and not re.search("[가-힣]", line)


@lru_cache(maxsize=4096)
def parse_heading(line: str, *, forced: bool = False) -> Heading | None:
    """The heading on this line, or None. `forced`: Fountain's leading dot was there."""
    text = line.strip()
    if not text or len(text) > 200:
        return None
    number, body = "", text
    if text.endswith("#") and (match := _NUMBER_AT_END.search(text)):
        number, body = match.group(1), text[: match.start()].rstrip()
    body = body.strip("*_ ") if body.startswith(("*", "_")) else body
    for pattern in _KOREAN:
        if match := pattern.match(body):
            return _parts(text, number or match.group("n"), match.group("body"))
    if _ENGLISH.match(body):
        return _parts(text, number, body)
    if match := _NUMBERED.match(body):
        found = _parts(text, number or match.group("n"), match.group("body"))
        sided = re.search(r"(?:[/—–(]|\s-)\s*[^/—–(]{1,12}\)?$", body)
        if found.location and (found.time or found.interior is not None) and sided:
            return found
    return _parts(text, number, body) if forced else None


def _parts(text: str, number: str, body: str) -> Heading:
    inside: bool | None = None
    known = False
    if match := _ENGLISH.match(body):
        io = match.group("io").upper()
        inside = None if "/" in io else not io.startswith(("EXT", "EST"))
        known, body = True, match.group("body")
    location = time = ""
    notes: list[str] = []
    continues = False
    for raw in _SEPARATORS.split(body):
        token = raw.strip(_EDGES)
        if not token:
            location = location or raw.strip(" .") * ("…" in raw)
            continue
        if token.lower() in _SIDES:
            inside, known = (inside if known else conditions.interior(token)), True
        elif not time and is_time(token):
            time = token
        elif _CONTINUES.match(token.lower()):
            continues = True
        elif not location and not body.startswith("("):
            location, found = _split_time(token)
            time = time or found
        else:
            notes.append(token)
    if not known and location:
        inside = conditions.interior(location)
    return Heading(text, number, location, inside, time, tuple(notes), continues)


def is_time(token: str) -> bool:
    """Is the token a time and nothing else: "낮", "늦은 밤", "LATE AFTERNOON", but neither "NIGHT CLUB" nor "낮은 담"?"""
    lowered = token.lower()
    if len(token) > 24 or not _TIME_WORDS.search(lowered):
        return False
    return not _TIME_FILLERS.sub("", _TIME_WORDS.sub("", lowered))


def _split_time(token: str) -> tuple[str, str]:
    """A place with its time behind it and nothing between: "HOUSE DAY", "카페 밤"."""
    words = token.split()
    if len(words) > 1 and is_time(words[-1]) and not words[-2].endswith("의"):
        return " ".join(words[:-1]), words[-1]
    return token, ""
