"""Sheets that tests make, send and look at."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl

from aipipeline.tables.models import SheetImport
from aipipeline.tables.sheets.compare import Diff, DiffCell
from aipipeline.tables.sheets.content import Wanted
from aipipeline.tables.sheets.export import export_sheet
from aipipeline.tables.sheets.imports import create_import, look


def exported(project: Any, kind: str = "shots", format: str = "xlsx", **options: Any) -> bytes:
    view = options.pop("view", {})
    with export_sheet(wanted=Wanted(project, kind, view), format=format, **options).file as file:
        return file.read()


def book_of(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def edited(data: bytes, change: Callable[[Any, dict[str, int]], None]) -> bytes:
    """The exported workbook after a person's edit; `change` gets the sheet and the columns by header."""
    book = book_of(data)
    sheet = book.worksheets[0]
    change(sheet, {cell.value: cell.column for cell in sheet[1]})
    return saved(book)


def made(*lines: Sequence[Any]) -> bytes:
    """A foreign workbook with these lines."""
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(list(line))
    return saved(book)


def sent(project: Any, actor: Any, data: bytes, name: str = "s.xlsx", kind: str = "shots") -> SheetImport:
    return create_import(project=project, actor=actor, kind=kind, name=name, chunks=[data], size=len(data))


def difference(project: Any, actor: Any, data: bytes, name: str = "s.xlsx", kind: str = "shots") -> Diff:
    return look(sent(project, actor, data, name, kind))


def cells_of(diff: Diff) -> list[DiffCell]:
    return [cell for row in diff.rows for cell in row.cells]


def places_of(diff: Diff) -> set[tuple[int, str]]:
    """(row, column) of each error."""
    return {(error.row, error.field) for error in diff.errors}
