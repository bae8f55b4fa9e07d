"""Cells of sheets that were not made here, in words that the table's own reading understands."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.tables.cells import CellError, Reader, folded, joined_names, split_names
from aipipeline.tables.columns import Column, ColumnType
from aipipeline.tables.durations import frames_from
from aipipeline.tables.sheets.raw import Special

EMPTY = frozenset({"-", "--", "—", "–", "―", "~", "n/a", "na", "없음", "x", "·", "."})
_BRACKETS = re.compile(r"\s*[(\[（【].*?[)\]）】]\s*")
_SPLIT = re.compile(r"\s*(?:→|->|=>|>|/|,|\+|~|·|\|)\s*")
_NUMBER = re.compile(r"\d+")
MAX_NAME = 120
# What other lists call things; ours on the right.
SYNONYMS = {
    "bcu": "ECU", "xcu": "ECU", "macro": "ECU", "익스트림 클로즈업": "ECU",
    "클로즈업": "CU", "바스트": "MCU", "bs": "MCU",
    "bust": "MCU", "바스트샷": "MCU", "웨이스트": "MS", "미디엄": "MS", "미디엄샷": "MS", "ks": "MWS", "니샷": "MWS",
    "mls": "MWS", "fs": "WS", "ls": "WS", "full": "WS", "풀샷": "WS", "롱샷": "WS", "long": "WS", "els": "EWS",
    "xls": "EWS", "vls": "EWS", "익스트림 롱샷": "EWS", "인서트": "INSERT", "ins": "INSERT",
    "아이레벨": "eye", "로우": "low", "로우앵글": "low", "하이": "high",
    "하이앵글": "high", "부감": "high", "앙각": "low",
    "bird": "overhead", "birdeye": "overhead", "bird's eye": "overhead", "직부감": "overhead", "버드아이": "overhead",
    "시점": "pov", "오버숄더": "ots", "더치": "dutch",
    "고정": "static", "픽스": "static", "fix": "static", "fixed": "static", "still": "static", "핸드헬드": "handheld",
    "달리인": "push_in", "dolly in": "push_in", "zoom in": "push_in", "줌인": "push_in", "푸시인": "push_in",
    "달리아웃": "pull_out", "dolly out": "pull_out", "zoom out": "pull_out", "줌아웃": "pull_out", "오빗": "orbit",
}  # fmt: skip


def plain(column: Column, value: Any, *, times: str, fps: Fraction) -> Any:
    """The value without what foreign sheets use for nothing, and times of day as lengths."""
    if isinstance(value, Special) and value.kind == "time":
        return _length(float(value.value), times, fps) if column.type == ColumnType.DURATION else clock(value)
    if isinstance(value, str):
        text = value.strip()
        if column.type not in (ColumnType.TEXT, ColumnType.LONG_TEXT, ColumnType.LINK) and folded(text) in EMPTY:
            return None
        return value
    return value


def clock(value: Special) -> str:
    """A time as people read it: 0:01:23."""
    seconds = int(float(value.value))
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _length(seconds: float, times: str, fps: Fraction) -> Any:
    """Frames of an Excel time: typed as M:SS:FF, hours are minutes, minutes seconds, and seconds frames."""
    if times == "hmmss":
        return round(Fraction(seconds).limit_denominator(1000) * fps) or None
    whole = int(seconds)
    return (whole // 3600 * 60 + whole // 60 % 60) * round(fps) + whole % 60 or None


def parse(reader: Reader, column: Column, value: Any) -> Any:
    """`Reader.parse`, and for choices and references the looser writings: "WS (실루엣)", "MS→ECU", "CU/MACRO".

    Of several the first that is known counts. CellError as there.
    """
    try:
        return reader.parse(column, value)
    except CellError:
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise
        text = str(value)
        if column.type == ColumnType.REFERENCE:
            found = _row_of(reader, column, text)
            if found is not None:
                return found
        if column.type == ColumnType.CHOICE:
            for word in _words(text):
                known = _known(reader, column, word)
                if known is not None:
                    return known
        raise


def new_names(reader: Reader, column: Column, value: Any) -> Any:
    """The cell with {"new": name} for what is not in the column's list yet; CellError for a name that cannot be one.

    One value for a reference, a list for references.
    """
    text = str(value).strip()
    if isinstance(value, (bool, Special)) or not any(sign.isalnum() for sign in text):
        raise CellError(_("This is no name."), fields={column.name: [_("no name")]})
    if column.type == ColumnType.REFERENCE:
        return {"new": _named(column, " ".join(text.split()))}
    found: list[Any] = []
    for name in split_names(text):
        try:
            found.extend(reader.parse(column, joined_names([name])))
        except CellError:
            found.append({"new": _named(column, name)})
    return found


def _named(column: Column, name: str) -> str:
    if len(name) > MAX_NAME:
        raise CellError(
            _("The text is longer than %(n)s characters.") % {"n": MAX_NAME}, fields={column.name: [_("too long")]}
        )
    return name


def _words(text: str) -> list[str]:
    bare = _BRACKETS.sub(" ", text).strip()
    return [word for word in (bare, *_SPLIT.split(bare), *bare.split()) if word]


def _known(reader: Reader, column: Column, word: str) -> Any:
    for candidate in (word, SYNONYMS.get(folded(word), "")):
        try:
            if candidate:
                return reader.parse(column, candidate)
        except CellError:
            continue
    return None


def _row_of(reader: Reader, column: Column, text: str) -> Any:
    """A scene by its number ("3", "S#3", "씬 3" for SCN_030 it is not: only what the option itself says)."""
    wanted = folded(text)
    options = reader.options.get(column.options, [])
    by_hint = [option.id for option in options if option.hint and folded(option.hint) == wanted]
    if len(by_hint) == 1:
        return by_hint[0]
    numbers = _NUMBER.findall(text)
    if len(numbers) != 1 or column.name != "scene":
        return None
    # "S#2" is the second scene's number in the script, as its heading or code writes it: S#2, #2, SCN_002.
    number = int(numbers[0])
    headings = [option.id for option in options if _first_number(option.hint) == number]
    if len(headings) == 1:
        return headings[0]
    codes = [option.id for option in options if _first_number(option.label) == number]
    return codes[0] if len(codes) == 1 else None


def _first_number(text: str) -> int | None:
    match = _NUMBER.search(text)
    return int(match.group()) if match and len(match.group()) < 9 else None


def span(start: Any, end: Any, *, times: str, fps: Fraction) -> int | None:
    """The frames between two times; None when one of them is empty or they are no times."""
    ends = [_moment(value, times, fps) for value in (start, end)]
    if ends[0] is None or ends[1] is None or ends[1] <= ends[0]:
        return None
    return ends[1] - ends[0]


def _moment(value: Any, times: str, fps: Fraction) -> int | None:
    if isinstance(value, Special):
        return (_length(float(value.value), times, fps) or 0) if value.kind == "time" else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return round(value)
    text = str(value or "").strip()
    if not text or folded(text) in EMPTY:
        return None
    if set(text) <= set("0:;."):
        return 0
    try:
        return frames_from(text, fps)
    except Invalid:
        return None


def filled(line: Sequence[Any]) -> list[Any]:
    return [value for value in line if value not in (None, "")]
