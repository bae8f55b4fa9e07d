"""Sheets out: xlsx with drop-downs and shaded read-only columns, csv that Excel reads, json."""

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.tables.columns import Column, ColumnType
from aipipeline.tables.registry import sheet_kinds
from aipipeline.tables.sheets.base import Base, pack, plain_text, token
from aipipeline.tables.sheets.content import BASE, ID, SheetContent, Wanted, content_of, own_labels, writable
from aipipeline.tables.sheets.pictures import pictures_of
from aipipeline.tables.sheets.text_in import harmless
from aipipeline.tables.sheets.xlsx_out import OutColumn, OutSheet, as_cells, write_xlsx

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
IN_MEMORY = 4 * 1024 * 1024
MAX_CHOICES = 5000


@dataclass(frozen=True)
class Exported:
    """A finished sheet; `file` is open at its start, and goes away when it is closed."""

    name: str
    content_type: str
    file: IO[bytes]


def export_sheet(
    *,
    wanted: Wanted,
    format: str,
    headers: str = "names",
    pictures: bool = False,
    user: Any = None,
) -> Exported:
    """One sheet in a temporary file. `headers`: "names" of fields, or the "labels" that people read.

    NotFound for an unknown kind or view, Invalid for an unknown format or a filter that is none.
    """
    if format not in TYPES or wanted.kind not in sheet_kinds():
        raise NotFound(_("Sheets: %(kinds)s; as xlsx, csv or json.") % {"kinds": ", ".join(sheet_kinds())})
    if headers not in ("names", "labels"):
        raise Invalid(_("headers: names or labels."), fields={"headers": [_("unknown")]})
    content = content_of(wanted, user=user)
    own = own_labels(wanted.project, content.loaded.table.key) if headers == "labels" else {}
    words = [own.get(c.name) or str(c.label) if headers == "labels" else c.name for c in content.columns]
    words = _told_apart(words, content.columns)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # the caller closes it
    try:
        if format == "xlsx":
            _xlsx(content, words, file, pictures=pictures)
        else:
            lines = _with_tokens(content)
            names = [ID, *words, BASE]
            _csv(names, lines, file) if format == "csv" else _json(names, lines, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return Exported(f"{wanted.project.code}_{wanted.kind}.{format}", TYPES[format], file)


def _told_apart(words: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """Headers that people gave twice carry the field's name too."""
    taken = [word.strip().casefold() for word in words]
    return [
        f"{word} ({column.name})" if taken.count(word.strip().casefold()) > 1 or word.casefold() in (ID, BASE) else word
        for word, column in zip(words, columns, strict=True)
    ]


def _with_tokens(content: SheetContent) -> Iterable[list[Any]]:
    names = [column.name for column in content.columns]
    for index, line in enumerate(content.values()):
        yield [*line, token(index, names, list(map(plain_text, line[1:])))]


def _csv(names: Sequence[str], lines: Iterable[Sequence[Any]], file: IO[bytes]) -> None:
    out = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(out)
    writer.writerow([harmless(name) for name in names])
    for line in lines:
        writer.writerow([harmless(value) if isinstance(value, str) else _csv_text(value) for value in line])
    out.flush()
    out.detach()


def _csv_text(value: Any) -> Any:
    return "" if value is None else plain_text(value)


def _json(names: Sequence[str], lines: Iterable[Sequence[Any]], file: IO[bytes]) -> None:
    first = True
    for line in lines:
        record = json.dumps(dict(zip(names, line, strict=True)), ensure_ascii=False)
        file.write(f"{'[' if first else ','}\n {record}".encode())
        first = False
    file.write(b"[]\n" if first else b"\n]\n")


def _xlsx(content: SheetContent, words: Sequence[str], file: IO[bytes], *, pictures: bool) -> None:
    rows = as_cells(content.values())
    project = content.loaded.project
    base = Base(
        content.loaded.table.key,
        project.pk,
        project.code,
        [column.name for column in content.columns],
        content.ordered,
    )
    columns = [OutColumn(ID, 8, editable=False, hidden=True)]
    columns += [_column(content, column, word) for column, word in zip(content.columns, words, strict=True)]
    found: Mapping[int, bytes] = {}
    if pictures:
        columns.append(OutColumn(str(_("Image")), 15, editable=False))
        found = pictures_of(content.loaded.table.key, project, [row[ID] for row in content.rows])
    sheet = OutSheet(
        title=content.title,
        columns=columns,
        rows=[[*row, None] for row in rows] if pictures else rows,
        base=pack(base, ((row[0], list(map(plain_text, row[1:]))) for row in rows)),
        frozen=min(2, len(columns) - 1),
        pictures={index: found[row[0]] for index, row in enumerate(rows) if row[0] in found},
        picture_column=len(columns),
    )
    write_xlsx(sheet, file)


_WIDE = {ColumnType.LONG_TEXT: 48.0, ColumnType.TEXT: 20.0, ColumnType.REFERENCES: 22.0, ColumnType.LINK: 30.0}


def _column(content: SheetContent, column: Column, word: str) -> OutColumn:
    # A pixel of the grid is about a seventh of a character.
    width = min(60.0, max(_WIDE.get(column.type, 9.0), column.width / 7))
    choices: list[str] = []
    if writable(column) and column.options and column.type != ColumnType.REFERENCES:
        by_key = column.type == ColumnType.CHOICE and not column.custom
        given = content.loaded.options.get(column.options, [])[:MAX_CHOICES]
        choices = [str(option.id) if by_key else option.label for option in given]
    elif column.type == ColumnType.TICK:
        choices = ["TRUE", "FALSE"]
    wrap = column.type in (ColumnType.LONG_TEXT, ColumnType.TEXT, ColumnType.REFERENCES)
    return OutColumn(word, width, writable(column), False, wrap, choices, _help(column))


def _help(column: Column) -> str:
    if not writable(column):
        return str(_("This column is changed in the program, not in the sheet."))
    if column.type == ColumnType.DURATION:
        return str(_("Frames (96), seconds (4s) or timecode (00:00:04:00)."))
    if column.type == ColumnType.REFERENCES:
        return str(_("Several names are split by commas."))
    return str(column.help)
