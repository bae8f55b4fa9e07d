"""Cells as text and back: one reading for sheets, pasted tables and what people type."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid
from aipipeline.projects.frames import frames_to_timecode
from aipipeline.tables.columns import TEXTS, Column, ColumnType, Option, Options
from aipipeline.tables.durations import frames_from

MAX_TEXT = 32_000
_YES = frozenset({"true", "yes", "y", "1", "x", "✓", "✔", "☑", "o", "예", "네", "참"})
_NO = frozenset({"false", "no", "n", "0", "☐", "아니오", "아니요", "거짓"})
_SPLIT = ",;，、\n"
# A name in quotes (a quote in it is doubled), or what stands up to the next sign that splits.
_NAME = re.compile(rf'[^\S\n]*"((?:[^"]|"")*)"[^\S\n]*(?=[{_SPLIT}]|$)|([^{_SPLIT}]*)')


class CellError(Invalid):
    """A text cannot stand in this column; the message says what to write instead."""

    code = "cell"


class Reader:
    """Reads and writes the cells of one table of one project. `options` by column, `fps` exact."""

    def __init__(self, options: Options, fps: Fraction) -> None:
        self.options = options
        self.fps = fps
        self._labels: dict[str, dict[Any, Option]] = {
            name: {option.id: option for option in found} for name, found in options.items()
        }
        self._keys: dict[str, dict[str, Any]] = {}

    def shown(self, column: Column, value: Any) -> str:
        """The cell as a person reads it; "" when it is empty."""
        if value is None or value == "" or value == []:
            return ""
        if column.type == ColumnType.REFERENCES:
            return joined_names(self._label(column, part) for part in value)
        if column.options:
            return self._label(column, value)
        if column.type == ColumnType.DURATION:
            return frames_to_timecode(int(value), self.fps)
        if column.type == ColumnType.TICK:
            return str(_("yes")) if value else str(_("no"))
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value)

    def written(self, column: Column, value: Any) -> Any:
        """The cell for a sheet: numbers and lengths stay numbers, keys of choices stay keys, ids become names."""
        if value is None or value == "" or value == []:
            return None
        if column.type in (ColumnType.NUMBER, ColumnType.DURATION, ColumnType.TICK):
            return value
        if column.type in (ColumnType.CHOICE, ColumnType.STATUS) and not column.custom:
            return str(value)
        return self.shown(column, value)

    def parse(self, column: Column, value: Any) -> Any:
        """The cell's value from what a person typed or a sheet holds; CellError says what to write instead."""
        text = _text_of(value)
        if len(text) > MAX_TEXT:
            raise _error(column, _("The text is longer than %(n)s characters.") % {"n": MAX_TEXT})
        if column.type in TEXTS:
            return self._long_enough(column, text)
        text = text.strip()
        if not text:
            return self._empty(column)
        if column.type == ColumnType.REFERENCES:
            return list(dict.fromkeys(self._key(column, part) for part in split_names(text)))
        if column.options:
            return self._key(column, text)
        if column.type == ColumnType.DURATION:
            return self._in_range(column, self._frames(column, value, text))
        if column.type == ColumnType.NUMBER:
            return self._in_range(column, _number(column, text))
        if column.type == ColumnType.TICK:
            return _tick(column, text)
        if column.type == ColumnType.DATE:
            return _date(column, value, text)
        raise _error(column, _("This column cannot be written."))

    def _frames(self, column: Column, value: Any, text: str) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        try:
            return frames_from(text, self.fps)
        except Invalid as error:
            raise _error(column, error.message) from error

    def _label(self, column: Column, key: Any) -> str:
        found = self._labels.get(column.options, {}).get(key)
        return found.label if found else str(key)

    def _key(self, column: Column, text: str) -> Any:
        keys = self._keys.get(column.options)
        if keys is None:
            keys = {}
            # A label wins over a key, and the first of two that are written alike wins over the second.
            for option in self.options.get(column.options, []):
                keys.setdefault(folded(str(option.id)), option.id)
            for option in reversed(self.options.get(column.options, [])):
                keys[folded(option.label)] = option.id
            self._keys[column.options] = keys
        found = keys.get(folded(text))
        if found is None:
            raise _error(column, self._choose(column, text))
        return found

    def _choose(self, column: Column, text: str) -> str:
        names = [option.label for option in self.options.get(column.options, [])]
        some = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")
        message = _("“%(text)s” is not in the list.") % {"text": text[:60]}
        if not some:
            return message
        return " ".join([message, _("Possible: %(names)s.") % {"names": some}])

    def _empty(self, column: Column) -> Any:
        if column.required or (column.type == ColumnType.CHOICE and not column.nullable):
            raise _error(column, _("A value is needed."))
        if column.type == ColumnType.REFERENCES:
            return []
        if column.type == ColumnType.TICK and not column.nullable:
            return False
        if column.type in (ColumnType.DURATION, ColumnType.NUMBER) and not column.nullable:
            raise _error(column, _("A value is needed."))
        return None

    def _long_enough(self, column: Column, text: str) -> str:
        if column.required and not text.strip():
            raise _error(column, _("A value is needed."))
        if column.max_length is not None and len(text) > column.max_length:
            raise _error(column, _("The text is longer than %(n)s characters.") % {"n": column.max_length})
        return text

    def _in_range(self, column: Column, number: float | int) -> float | int:
        if column.minimum is not None and number < column.minimum:
            raise _error(column, _("At least %(n)s is needed.") % {"n": _plain(column.minimum)})
        if column.maximum is not None and number > column.maximum:
            raise _error(column, _("At most %(n)s is possible.") % {"n": _plain(column.maximum)})
        return number


def joined_names(names: Iterable[str]) -> str:
    """Names in one text; one that holds a sign that splits names stands in quotes."""
    return ", ".join(
        f'"{name.replace(chr(34), chr(34) * 2)}"'
        if name.startswith('"') or any(sign in name for sign in _SPLIT)
        else name
        for name in names
    )


def split_names(text: str) -> list[str]:
    """The opposite: names split by commas and the like, those in quotes whole; empty ones are passed over."""
    found: list[str] = []
    at = 0
    while at <= len(text):
        match = _NAME.match(text, at)
        assert match is not None  # the second way of it takes anything, also nothing
        quoted, plain = match.groups()
        name = (quoted.replace('""', '"') if quoted is not None else plain).strip()
        if name:
            found.append(name)
        at = match.end() + 1
    return found


def folded(text: str) -> str:
    """Text in the form in which it is compared: composed (Hangul of macOS is not), case folded, spaces evened."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def check_values(columns: Sequence[Column], values: Mapping[str, Any]) -> None:
    """Invalid when a custom cell's JSON value is not of its column's kind; built-in ones are checked by their model."""
    known = {column.name: column for column in columns}
    errors: dict[str, list[str]] = {}
    for name, value in values.items():
        column = known.get(name)
        if column is not None and column.custom and not _fits(column, value):
            errors[name] = [str(_("not a value of this column"))]
    if errors:
        name, messages = next(iter(errors.items()))
        raise Invalid(f"{name}: {messages[0]}", fields=errors)


def _fits(column: Column, value: Any) -> bool:
    if value is None:
        return True
    if column.type in TEXTS:
        return isinstance(value, str) and len(value) <= (column.max_length or MAX_TEXT)
    if column.type == ColumnType.NUMBER:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if column.type == ColumnType.TICK:
        return isinstance(value, bool)
    if column.type == ColumnType.DATE:
        return isinstance(value, str) and _is_date(value)
    if column.type == ColumnType.CHOICE:
        return isinstance(value, str) and len(value) <= 40
    return column.type == ColumnType.PERSON and isinstance(value, int) and not isinstance(value, bool)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").replace("\r", "\n")


def _number(column: Column, text: str) -> float | int:
    plain = text.replace(",", "").replace("\u00a0", "").replace(" ", "")
    whole = whole_number(plain)
    if whole is not None:
        return whole
    try:
        found = float(plain)
    except ValueError:
        found = float("nan")
    if found != found or found in (float("inf"), float("-inf")):
        raise _error(column, _("“%(text)s” is no number.") % {"text": text[:60]})
    if not column.whole:
        return found
    if found.is_integer() and abs(found) < 2**53:
        return int(found)
    raise _error(column, _("A whole number is needed."))


def _tick(column: Column, text: str) -> bool:
    word = folded(text)
    if word in _YES or word == folded(str(_("yes"))):
        return True
    if word in _NO or word == folded(str(_("no"))):
        return False
    raise _error(column, _("Write yes or no."))


_DATE = re.compile(r"(\d{4})\s*[-./년]\s*(\d{1,2})\s*[-./월]\s*(\d{1,2})\s*[일.]?(?:[T ]0{1,2}:00(?::00)?)?$")


def _date(column: Column, value: Any, text: str) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if match := _DATE.match(text):
        try:
            return date(*(int(part) for part in match.groups())).isoformat()
        except ValueError:
            pass
    raise _error(column, _("Write a date as 2026-11-25."))


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _error(column: Column, message: Any) -> CellError:
    return CellError(message, fields={column.name: [str(message)]})
