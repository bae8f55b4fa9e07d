"""Scene headings in the forms that real scripts use, English and Korean."""

import re
from dataclasses import dataclass

from assets import conditions

_ENGLISH = re.compile(
    r"^(?P<io>(?:INT\.?\s*/\s*EXT|EXT\.?\s*/\s*INT|I\.?/E|INT|EXT|EST)(?=[\s.]))\.?\s*(?P<body>.*)$",
    re.IGNORECASE,
)
_KOREAN = (
    re.compile(r"^S#\.?\s*(?P<n>\d+[A-Za-z]?(?:[-~]\d+)?)(?P<to>\s*→\s*S#\.?\s*\d+)?\s*[.):]?\s*(?P<body>.*)$"),
    re.compile(r"^#{2,}\s*#\s*(?P<n>\d+)\s*[.)]?\s*(?P<body>.*)$"),
    re.compile(r"^#(?P<n>\d+(?:[-~]\d+)?)\s*[.)]?\s*(?P<body>.*)$"),
    re.compile(r"^\[\s*(?:씬|신|장면|SCENE|Scene)\s*#?\s*(?P<n>\d+)\s*[.:)\-–—]?\s*(?P<body>[^\]]*)\]\s*$"),
    re.compile(r"^(?:씬|장면|SCENE|Scene)\s*#?\s*(?P<n>\d+)\s*(?:[.:)]|[-–—])\s*(?P<body>.*)$"),
)
_ACT = re.compile(r"^[◇◆\s]*제\s*\d+\s*(?:막|장|회|화|부)\b.*$|^ACT\s+[IVX\d]+\b.*$", re.IGNORECASE)
_NUMBER_AT_END = re.compile(r"\s*#([\w.\-]+)#\s*$")
_SEPARATORS = re.compile(r"\s*(?:/|—|–|\s-\s|,|·|\(|\)|\[|\]|(?<=[가-힣])\.(?=\s|$))\s*")


@dataclass(frozen=True)
class Heading:
    """A heading read into its parts; empty or None where it does not say."""

    text: str
    number: str
    location: str
    interior: bool | None
    time: str
    notes: tuple[str, ...] = ()


def is_act(line: str) -> bool:
    """제2막, ACT II: parts of the whole, not scenes."""
    return len(line) < 80 and bool(_ACT.match(line.strip().strip("[]")))


def parse_heading(line: str, *, forced: bool = False) -> Heading | None:
    """The heading on this line, or None. `forced`: Fountain's leading dot was there."""
    text = line.strip()
    if not text or len(text) > 200:
        return None
    number, body, inside = "", text, None
    if match := _NUMBER_AT_END.search(body):
        number, body = match.group(1), body[: match.start()]
    for pattern in _KOREAN:
        if match := pattern.match(body):
            number = number or match.group("n")
            body = match.group("body")
            if (english := _ENGLISH.match(body)) is not None:
                inside, body = _inside(english.group("io")), english.group("body")
            return _parts(text, number, body, inside)
    if match := _ENGLISH.match(body):
        return _parts(text, number, match.group("body"), _inside(match.group("io")))
    return _parts(text, number, body, None) if forced else None


def _inside(word: str) -> bool | None:
    word = word.upper().replace(" ", "")
    if "/" in word:
        return None
    return False if word.startswith("EXT") else True if word.startswith("INT") else None


def _parts(text: str, number: str, body: str, inside: bool | None) -> Heading:
    location: list[str] = []
    time = ""
    notes: list[str] = []
    tokens = [t for t in (t.strip(' .:*"“”-') for t in _SEPARATORS.split(body)) if t]
    for token in tokens:
        side = conditions.interior(token)
        if side is not None:
            inside = side if inside is None else inside
        elif conditions.time_of_day(token) is not None and _only_time(token, tokens, location) and not time:
            time = token
        elif not location:
            place, found = _split_time(token)
            location.append(place)
            time = time or found
        else:
            notes.append(token)
    return Heading(text, number, location[0] if location else "", inside, time, tuple(notes))


def _only_time(token: str, tokens: list[str], location: list[str]) -> bool:
    """A token like "낮" or "LATE AFTERNOON" is a time; the only token "HOUSE DAY" is a place with a time."""
    if len(token) > 16:
        return False
    return bool(location) or len(token.split()) == 1 or len(tokens) > 1


def _split_time(token: str) -> tuple[str, str]:
    words = token.split()
    if len(words) > 1 and conditions.time_of_day(words[-1]) is not None and len(words[-1]) <= 9:
        return " ".join(words[:-1]), words[-1]
    return token, ""
