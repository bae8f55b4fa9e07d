"""Filter, sort and search of rows as grids do it in the browser: one meaning, held by one file of cases.

A filter is {"and": [NODE…]}, {"or": [NODE…]} or {"field", "op", "value"}.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.checks import check_clean
from aipipeline.projects.errors import Invalid
from aipipeline.tables.cells import Reader, folded
from aipipeline.tables.columns import NUMBERS, ONE_OF, TEXTS, Column, ColumnType

MAX_DEPTH = 5
MAX_CONDITIONS = 50
MAX_SORT = 5
_EMPTY = ("empty", "not_empty")
_COMPARE = ("is", "is_not", "lt", "le", "gt", "ge", *_EMPTY)
OPS: dict[ColumnType, tuple[str, ...]] = {
    **dict.fromkeys(TEXTS, ("contains", "not_contains", "is", "is_not", "starts", *_EMPTY)),
    **dict.fromkeys((*NUMBERS, ColumnType.DATE), _COMPARE),
    **dict.fromkeys(ONE_OF, ("is", "is_not", "any_of", "none_of", *_EMPTY)),
    ColumnType.REFERENCES: ("has_any", "has_all", "has_none", *_EMPTY),
    ColumnType.TICK: ("is",),
    ColumnType.IMAGE: _EMPTY,
}
Row = Mapping[str, Any]
Test = Callable[[Row], bool]


def parse_json(text: str, name: str) -> Any:
    """A filter or sort as it stands in an address; Invalid when it is no JSON."""
    try:
        found = json.loads(text) if len(text) <= 20_000 else None
    except (ValueError, RecursionError):
        found = None
    if found is None and text.strip() not in ("", "null"):
        raise Invalid(_("%(name)s is not valid JSON.") % {"name": name}, fields={name: [_("not JSON")]})
    check_clean([found])
    return found


def check_filter(node: Any, columns: Sequence[Column]) -> Any:
    """The filter when it is well formed, None for none; Invalid says what is wrong with it."""
    if node in (None, {}, {"and": []}, {"or": []}):
        return None
    known = {column.name: column for column in columns}
    count = _check(node, known, 1)
    if count > MAX_CONDITIONS:
        raise _wrong(_("A filter has at most %(n)s conditions.") % {"n": MAX_CONDITIONS})
    return node


def _check(node: Any, known: Mapping[str, Column], depth: int) -> int:
    if depth > MAX_DEPTH:
        raise _wrong(_("Filter groups nest at most %(n)s deep.") % {"n": MAX_DEPTH})
    if not isinstance(node, dict):
        raise _wrong(_("A filter is made of objects."))
    for join in ("and", "or"):
        if set(node) == {join}:
            parts = node[join]
            if not isinstance(parts, list) or len(parts) > MAX_CONDITIONS:
                raise _wrong(_("A filter group is a list of conditions."))
            return sum(_check(part, known, depth + 1) for part in parts)
    if not {"field", "op"} <= set(node) <= {"field", "op", "value"}:
        raise _wrong(_("A condition has field, op and value."))
    column = known.get(node["field"]) if isinstance(node["field"], str) else None
    if column is None:
        raise _wrong(_("There is no column %(name)s.") % {"name": str(node["field"])[:60]})
    if node["op"] not in OPS.get(column.type, ()):
        raise _wrong(
            _("%(name)s: possible are %(ops)s.") % {"name": column.label, "ops": ", ".join(OPS.get(column.type, ()))}
        )
    return 1


def check_sort(wanted: Any, columns: Sequence[Column]) -> list[tuple[str, bool]]:
    """[["name", "asc"], …] as (name, descending); Invalid when it is not."""
    if wanted is None:
        return []
    known = {column.name for column in columns}
    good = isinstance(wanted, list) and len(wanted) <= MAX_SORT
    for part in wanted if good else []:
        good = good and isinstance(part, list) and len(part) == 2 and part[1] in ("asc", "desc")
        good = good and isinstance(part[0], str) and part[0] in known
    if not good:
        raise Invalid(_("A sort is a list of [column, asc or desc]."), fields={"sort": [_("not a sort")]})
    return [(part[0], part[1] == "desc") for part in wanted]


def compile_filter(node: Any, columns: Sequence[Column], reader: Reader) -> Test:
    """A test of a row (cells by column name) for a filter that `check_filter` passed."""
    known = {column.name: column for column in columns}

    def build(part: Any) -> Test:
        if "and" in part:
            tests = [build(child) for child in part["and"]]
            return lambda row: all(test(row) for test in tests)
        if "or" in part:
            choices = [build(child) for child in part["or"]]
            return lambda row: not choices or any(test(row) for test in choices)
        column = known[part["field"]]
        matches = _condition(column, part["op"], part.get("value"))
        return lambda row: matches(row.get(column.name))

    return build(node) if node else lambda row: True


def search_test(words: str, columns: Sequence[Column], reader: Reader) -> Test:
    """A test whether every word stands somewhere in the row's shown texts."""
    wanted = folded(words).split()
    shown = [column for column in columns if column.type not in (ColumnType.IMAGE, ColumnType.TICK)]

    def test(row: Row) -> bool:
        text = "\n".join(folded(reader.shown(column, row.get(column.name))) for column in shown)
        return all(word in text for word in wanted)

    return test if wanted else lambda row: True


def sort_rows(
    rows: list[dict[str, Any]], wanted: Sequence[tuple[str, bool]], columns: Sequence[Column], reader: Reader
) -> None:
    """Sort in place, stable; empty cells come last both ways, choices in the order of their list."""
    known = {column.name: column for column in columns}
    for name, descending in reversed(wanted):
        column = known[name]
        ranks = {option.id: rank for rank, option in enumerate(reader.options.get(column.options, []))}

        def key(row: dict[str, Any], column: Column = column, ranks: dict[Any, int] = ranks) -> Any:
            value = row.get(column.name)
            if column.type in (ColumnType.CHOICE, ColumnType.STATUS) or column.name == "scene":
                return ranks.get(value, len(ranks))
            if isinstance(value, (int, float)) and column.type in (*NUMBERS, ColumnType.TICK):
                return value
            return folded(reader.shown(column, value))

        full = [row for row in rows if not is_empty(row.get(name))]
        empty = [row for row in rows if is_empty(row.get(name))]
        rows[:] = sorted(full, key=key, reverse=descending) + empty


def is_empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _condition(column: Column, op: str, value: Any) -> Callable[[Any], bool]:
    if op == "empty":
        return is_empty
    if op == "not_empty":
        return lambda cell: not is_empty(cell)
    if column.type in TEXTS:
        return _of_text(op, folded(str(value if value is not None else "")))
    if column.type == ColumnType.TICK:
        return lambda cell: bool(cell) == bool(value)
    if column.type == ColumnType.REFERENCES:
        return _of_list(op, _set(value))
    if op in ("any_of", "none_of"):
        wanted = _set(value)
        return (lambda cell: cell in wanted) if op == "any_of" else (lambda cell: cell not in wanted)
    return _compared(op, value)


def _of_text(op: str, wanted: str) -> Callable[[Any], bool]:
    return {
        "contains": lambda cell: wanted in folded(str(cell or "")),
        "not_contains": lambda cell: wanted not in folded(str(cell or "")),
        "is": lambda cell: folded(str(cell or "")) == wanted,
        "is_not": lambda cell: folded(str(cell or "")) != wanted,
        "starts": lambda cell: folded(str(cell or "")).startswith(wanted),
    }[op]


def _of_list(op: str, wanted: set[Any]) -> Callable[[Any], bool]:
    return {
        "has_any": lambda cell: bool(wanted & set(cell or ())),
        "has_all": lambda cell: wanted <= set(cell or ()),
        "has_none": lambda cell: not wanted & set(cell or ()),
    }[op]


def _compared(op: str, value: Any) -> Callable[[Any], bool]:
    def ordered(cell: Any) -> int | None:
        """-1, 0, 1 as the cell is before, equal to or after the value; None when they cannot be compared."""
        numbers = all(isinstance(side, (int, float)) and not isinstance(side, bool) for side in (cell, value))
        if not numbers and not (isinstance(cell, str) and isinstance(value, str)):
            return None
        return int(cell > value) - int(cell < value)

    if op == "is":
        return lambda cell: bool(cell == value) and not is_empty(cell)
    if op == "is_not":
        return lambda cell: bool(cell != value)
    signs = {"lt": (-1,), "le": (-1, 0), "gt": (1,), "ge": (0, 1)}[op]
    return lambda cell: ordered(cell) in signs


def _set(value: Any) -> set[Any]:
    parts = value if isinstance(value, list) else [value]
    return {part for part in parts if isinstance(part, (str, int, float))}


def _wrong(message: Any) -> Invalid:
    return Invalid(message, fields={"filter": [str(message)]})
