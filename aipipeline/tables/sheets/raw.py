"""A sheet as it was read: rows of plain values, before anybody knows what its columns are."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_CELLS = 600_000
MAX_TEXTS = 64_000_000
MAX_NOTES = 50
# Excel's own limit: a longer text does not fit into one of its cells.
MAX_CELL = 32_767


class SheetError(Invalid):
    """The whole sheet cannot be read; the message says why and what to do."""

    code = "sheet"


@dataclass(frozen=True)
class Special:
    """A cell that is no plain value: "time" (seconds of a time of day or a span), "formula" (no value is stored in
    the file), "error" (#REF! and the like)."""

    kind: str
    value: Any

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Note:
    """Something that the person should know; `row` and `column` (from 1) are 0 when it is about the whole sheet."""

    row: int
    column: int
    message: str


@dataclass
class RawSheet:
    """`rows`: (number in the sheet from 1, values) of rows with any value. `base`: the text that our own export hid.

    Values are str, int, float, bool, None, an ISO date "2026-11-25" as str, or a `Special`.
    """

    rows: list[tuple[int, list[Any]]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    base: str = ""
    title: str = ""
    others: list[str] = field(default_factory=list)

    def note(self, row: int, column: int, message: str) -> None:
        if len(self.notes) < MAX_NOTES:
            self.notes.append(Note(row, column, str(message)))


class Limits:
    """Counts what a reader takes in, and stops it before the memory is full."""

    def __init__(self) -> None:
        self.rows = self.cells = self.letters = 0

    def row(self) -> None:
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise SheetError(_("The sheet has more than 20,000 rows. Split it and import the parts one by one."))

    def cell(self, column: int, length: int) -> None:
        """`column` counts from 1."""
        self.cells += 1
        self.letters += length
        if column > MAX_COLUMNS:
            raise SheetError(_("The sheet has more than 200 columns. Remove those that are not for this list."))
        if self.cells > MAX_CELLS or self.letters > MAX_TEXTS:
            raise SheetError(_("The sheet holds too much: at most 600,000 cells and 64 million characters."))


def table_from(lines: Iterable[list[Any]], sheet: RawSheet) -> RawSheet:
    """Fill a sheet from lines of values, within the limits; empty lines keep their number and are left out."""
    limits = Limits()
    for number, line in enumerate(lines, 1):
        while line and line[-1] in (None, ""):
            line.pop()
        if not line:
            continue
        limits.row()
        for column, value in enumerate(line, 1):
            if value not in (None, ""):
                limits.cell(column, len(value) if isinstance(value, str) else 8)
        sheet.rows.append((number, line))
    return sheet


def letter(column: int) -> str:
    """The column's letter in Excel: 1 is A, 27 is AA."""
    found = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found
