"""A difference as the page shows it: chips with counts, rows with their cells in words, and what is decided."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.projects.frames import frames_to_timecode
from aipipeline.tables.columns import Column, ColumnType, Options
from aipipeline.tables.sheets.compare import Diff, DiffCell, DiffRow
from aipipeline.tables.sheets.decisions import Decisions, move_id
from aipipeline.tables.sheets.words import Span, changed_words

MAX_TEXT = 4000


def _with(*states: str) -> Callable[[Diff], list[DiffRow]]:
    return lambda diff: [row for row in diff.rows if any(cell.state in states for cell in row.cells)]


FILTERS: dict[str, Callable[[Diff], list[DiffRow]]] = {
    "": lambda diff: [row for row in diff.rows if is_shown(row)],
    "conflict": lambda diff: [
        row for row in diff.rows if row.state == "gone" or any(cell.state == "conflict" for cell in row.cells)
    ],
    "changed": _with("changed"),
    "added": lambda diff: [row for row in diff.rows if row.state == "added"],
    "removed": lambda diff: [row for row in diff.rows if row.state == "removed"],
    "moved": lambda diff: [row for row in diff.rows if row.moved],
    "here": _with("here", "same"),
    "error": _with("error"),
}
LABELS = {
    "": gettext_lazy("All"),
    "conflict": gettext_lazy("Conflicts"),
    "changed": gettext_lazy("Changed"),
    "added": gettext_lazy("New rows"),
    "removed": gettext_lazy("Missing rows"),
    "moved": gettext_lazy("Moved"),
    "here": gettext_lazy("Changed here"),
    "error": gettext_lazy("Errors"),
}
COUNTS = {
    "conflict": "conflict", "changed": "changed", "added": "added", "removed": "removed", "moved": "moved",
    "error": "errors",
}  # fmt: skip


def is_shown(row: DiffRow) -> bool:
    """Rows in which there is something to decide, or something wrong."""
    if row.state in ("added", "removed", "gone", "error") or row.moved:
        return True
    return any(cell.state in ("changed", "conflict", "error") for cell in row.cells)


@dataclass(frozen=True)
class Chip:
    key: str
    label: Any
    count: int
    current: bool


def chips(diff: Diff, show: str) -> list[Chip]:
    """The filters with how many cells (rows for new, missing and moved ones) each holds; empty ones are left out."""
    counts = diff.counts
    numbers = {key: counts[name] for key, name in COUNTS.items()}
    numbers["here"] = counts["here"] + counts["same"]
    numbers[""] = len(FILTERS[""](diff))
    return [Chip(key, LABELS[key], numbers[key], key == show) for key in FILTERS if numbers[key] or key in ("", show)]


@dataclass(frozen=True)
class ShownCell:
    """`take`: True the sheet's, False ours. `open`: a conflict about which nobody has said anything."""

    id: str
    label: str
    state: str
    letter: str
    base: str
    base_known: bool
    here: list[Span]
    sheet: list[Span]
    take: bool
    open: bool
    fixed: bool
    message: str


@dataclass(frozen=True)
class ShownRow:
    id: str
    row: int
    code: str
    state: str
    words: str
    cells: list[ShownCell]
    take: bool
    open: bool
    whole: bool
    move_id: str
    move_take: bool


class Words:
    """A sheet's texts as the page says them: the word for a key, timecode for frames, a scene with its heading."""

    def __init__(self, columns: Iterable[Column], options: Options, fps: Fraction) -> None:
        self.columns = {column.name: column for column in columns}
        self.options = options
        self.fps = fps
        self._said: dict[str, dict[str, str]] = {}

    def say(self, name: str, text: str) -> str:
        """`text` itself where it is not what a sheet of ours would hold."""
        column = self.columns.get(name)
        if column is None or not text:
            return text
        if column.type == ColumnType.DURATION:
            return frames_to_timecode(int(text), self.fps) if text.isascii() and text.isdecimal() else text
        if column.custom or column.type not in (ColumnType.CHOICE, ColumnType.STATUS, ColumnType.REFERENCE):
            return text
        return self._of(column).get(text, text)

    def _of(self, column: Column) -> dict[str, str]:
        if column.options not in self._said:
            found = self.options.get(column.options, [])
            if column.type == ColumnType.REFERENCE:
                said = {o.label: f"{o.label} · {o.hint}" if o.hint else o.label for o in found}
            else:
                said = {str(o.id): str(o.label) for o in found}
            self._said[column.options] = said
        return self._said[column.options]


def shown_rows(
    rows: Iterable[DiffRow], diff: Diff, decisions: Decisions, labels: Mapping[str, str], said: Words
) -> list[ShownRow]:
    """Rows for the template. `labels` are the columns' names for people."""
    letters = {(problem.row, problem.field): problem.letter for problem in diff.errors}
    words = {
        "added": _("new row"),
        "removed": _("not in the sheet any more"),
        "gone": _("was removed here"),
        "error": _("cannot be read"),
    }
    found = []
    for row in rows:
        cells = [
            _cell(row, cell, decisions, labels, letters.get((row.row, cell.field), ""), said) for cell in row.cells
        ]
        whole = row.state in ("added", "removed")
        take = decisions.takes_row(row) if whole else any(cell.take for cell in cells)
        state = words.get(row.state, "")
        if row.state == "removed" and row.touched:
            state = _("not in the sheet any more, but changed here since")
        found.append(
            ShownRow(
                row.id, row.row, row.code, row.state, state, cells, take,
                row.state == "removed" and decisions.about_row(row) is None, whole,
                move_id(row) if row.moved else "", decisions.takes_move(row),
            )
        )  # fmt: skip
    return found


def _cell(
    row: DiffRow, cell: DiffCell, decisions: Decisions, labels: Mapping[str, str], letter: str, said: Words
) -> ShownCell:
    ours = said.say(cell.field, cell.here)[:MAX_TEXT]
    theirs = (cell.sheet if cell.state == "error" else said.say(cell.field, cell.sheet))[:MAX_TEXT]
    base = said.say(cell.field, cell.base or "")[:MAX_TEXT]
    here, sheet = changed_words(ours, theirs)
    known = cell.base is not None and cell.base != cell.here
    if known:
        # Each side against what both came from: that is what the two people did.
        here = changed_words(base, ours)[1]
        sheet = changed_words(base, theirs)[1]
    if cell.state == "added":
        sheet = [Span(theirs, False)]
    fixed = cell.state in ("error", "same", "unchanged") or row.state in ("gone", "error")
    return ShownCell(
        cell.id,
        labels.get(cell.field, cell.field),
        cell.state,
        letter,
        base,
        known,
        here,
        sheet,
        not fixed and decisions.takes_cell(row, cell),
        cell.state == "conflict" and not fixed and decisions.about_cell(row, cell) is None,
        fixed,
        cell.message,
    )
