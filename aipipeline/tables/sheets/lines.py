"""The lines of a sheet under its mapping: what stands in which field, and where it stood."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aipipeline.projects.checks import whole_number
from aipipeline.tables.columns import Column, ColumnType
from aipipeline.tables.selectors import Loaded
from aipipeline.tables.sheets import foreign
from aipipeline.tables.sheets.content import BASE, ID, writable
from aipipeline.tables.sheets.mapping import TIME_IN, TIME_OUT, SheetMapping, is_section
from aipipeline.tables.sheets.raw import RawSheet, Special


@dataclass
class SheetLine:
    """`values` by field, of columns that can be written; `key` is the text that names the row, "" for a new one."""

    number: int
    key: Any = None
    token: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)  # read-only columns, to tell when they differ


def lines_of(raw: RawSheet, mapping: SheetMapping, loaded: Loaded) -> list[SheetLine]:
    """Every line with any mapped value; in a foreign sheet, section lines and filled-down columns are spread."""
    known = {column.name: column for column in loaded.columns}
    places = {name: int(index) for index, name in mapping.columns.items()}
    written = [(name, places[name]) for name in places if name in known and writable(known[name])]
    others = [(name, places[name]) for name in places if name in known and not writable(known[name])]
    special = [name for name in (ID, BASE, TIME_IN, TIME_OUT) if name in places]
    found: list[SheetLine] = []
    section: str | None = None
    held: dict[str, Any] = {}
    for number, line in raw.rows:
        if number < mapping.first:
            continue
        if mapping.sections and is_section(line):
            section, held = str(foreign.filled(line)[0]).strip(), {}
            continue
        size = len(line)
        row = SheetLine(number)
        row.values = {name: line[place] if place < size else None for name, place in written}
        row.others = {name: line[place] if place < size else None for name, place in others}
        extra = {name: line[places[name]] if places[name] < size else None for name in special}
        if not any(value not in (None, "") for value in (*row.values.values(), *row.others.values(), *extra.values())):
            continue
        row.token = str(extra.get(BASE) or "")
        if mapping.key:
            row.key = extra.get(ID) if mapping.key == ID else _cell(line, places.get(mapping.key))
        if not mapping.own:
            _spread(row, mapping, section, held)
            _loosen(row, mapping, known, loaded, extra)
        found.append(row)
    return found


def _cell(line: Sequence[Any], place: int | None) -> Any:
    return line[place] if place is not None and place < len(line) else None


def _spread(row: SheetLine, mapping: SheetMapping, section: str | None, held: dict[str, Any]) -> None:
    for name in mapping.fill:
        if row.values.get(name) in (None, ""):
            row.values[name] = held.get(name)
        else:
            held[name] = row.values[name]
    if section is not None and row.values.get("scene") in (None, ""):
        row.values["scene"] = section


def _loosen(
    row: SheetLine, mapping: SheetMapping, known: dict[str, Column], loaded: Loaded, extra: dict[str, Any]
) -> None:
    """What foreign sheets use for nothing becomes nothing, and (unless asked) what is empty is left out."""
    fps = loaded.project.rate
    for name, value in row.values.items():
        row.values[name] = foreign.plain(known[name], value, times=mapping.times, fps=fps)
    if TIME_IN in extra and TIME_OUT in extra and row.values.get("duration_frames") in (None, ""):
        frames = foreign.span(extra[TIME_IN], extra[TIME_OUT], times=mapping.times, fps=fps)
        if frames is not None:
            row.values["duration_frames"] = frames
    if not mapping.blank:
        row.values = {name: value for name, value in row.values.items() if value not in (None, "")}


def key_number(value: Any) -> int | None:
    """A row id as a sheet holds it."""
    return whole_number(value) if not isinstance(value, (float, Special)) else None


def date_text(column: Column, value: Any) -> Any:
    """Excel may have turned a text into a date or a time: then it is read as it is shown."""
    if isinstance(value, Special) and value.kind == "time":
        return foreign.clock(value)
    if column.type == ColumnType.DURATION and isinstance(value, float):
        return value
    return value
