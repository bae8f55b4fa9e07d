"""Sheets in: checked before they are opened, read into rows with their places."""

import csv
import io
import zipfile
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook

from aipipeline.projects.errors import Invalid

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED = 400 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_CELL = 32_000


class SheetError(Invalid):
    """The file is no sheet that can be read; the message says what to do."""

    code = "sheet_unreadable"


@dataclass(frozen=True)
class SheetRow:
    """`number` is the row in the sheet, from 1; `cells` by column name, texts and whole numbers."""

    number: int
    cells: dict[str, Any]


def read_sheet(data: bytes, filename: str) -> tuple[list[str], list[SheetRow]]:
    """Header names and rows of the first worksheet. SheetError for anything that is no plain sheet."""
    if len(data) > MAX_BYTES:
        raise SheetError(_("The sheet is larger than 20 MB."))
    lowered = filename.lower()
    if lowered.endswith(".csv"):
        table = _read_csv(data)
    elif lowered.endswith(".xlsx"):
        table = _read_xlsx(data)
    elif lowered.endswith(".xls"):
        raise SheetError(_("Old .xls files are not read. Save the sheet as .xlsx and send it again."))
    elif lowered.endswith(".xlsm"):
        raise SheetError(_("Sheets with macros are not read. Save it as .xlsx and send it again."))
    else:
        raise SheetError(_("Send the sheet as .xlsx or .csv."))
    return _rows(table)


def _rows(table: list[list[Any]]) -> tuple[list[str], list[SheetRow]]:
    if not table:
        raise SheetError(_("The sheet is empty."))
    headers = [str(name or "").strip().lower() for name in table[0]]
    if len(headers) > MAX_COLUMNS:
        raise SheetError(_("The sheet has more than 200 columns."))
    doubled = {name for name in headers if name and headers.count(name) > 1}
    if doubled:
        raise SheetError(_("Columns stand twice: %(names)s.") % {"names": ", ".join(sorted(doubled))})
    rows = []
    for number, line in enumerate(table[1:], 2):
        cells = {name: _plain(value) for name, value in zip(headers, line, strict=False) if name}
        if any(value not in (None, "") for value in cells.values()):
            rows.append(SheetRow(number, cells))
    if len(rows) > MAX_ROWS:
        raise SheetError(_("The sheet has more than 20,000 rows."))
    return [name for name in headers if name], rows


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    # Other numbers and dates as text: a column that wants whole numbers then says so, also of an infinity.
    return str(value)


def _read_csv(data: bytes) -> list[list[Any]]:
    for encoding in ("utf-8-sig", "cp949"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SheetError(_("The text is neither UTF-8 nor cp949. Save the sheet as CSV UTF-8."))
    if "\x00" in text:
        raise SheetError(_("This is no text sheet."))
    sample = text[:4000]
    delimiter = max((",", ";", "\t"), key=sample.split("\n", 1)[0].count)
    csv.field_size_limit(MAX_CELL * 4)
    try:
        table = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise SheetError(_("The sheet cannot be read: %(reason)s") % {"reason": error}) from error
    return [[_unquoted(value) for value in line] for line in table]


def _unquoted(value: str) -> str:
    """Takes the apostrophe off that the export put before what looks like a formula."""
    return value[1:] if value.startswith("'") and value[1:2] in ("=", "+", "-", "@", "\t", "\r") else value


def _read_xlsx(data: bytes) -> list[list[Any]]:
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise SheetError(_("The sheet is protected by a password, or an old .xls. Save it as plain .xlsx."))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MAX_UNPACKED or len(entries) > 2000:
                raise SheetError(_("The sheet unpacks to more than 400 MB; this is no normal sheet."))
            if any(entry.filename.lower().endswith("vbaproject.bin") for entry in entries):
                raise SheetError(_("Sheets with macros are not read. Save it as .xlsx and send it again."))
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        table = _first_sheet(book)
    except SheetError:
        raise
    except Exception as error:  # openpyxl raises whatever its XML layers do on a broken file
        raise SheetError(_("The file is damaged or no .xlsx: %(reason)s") % {"reason": str(error)[:200]}) from error
    book.close()
    return table


def _first_sheet(book: Workbook) -> list[list[Any]]:
    sheet = book.worksheets[0] if book.worksheets else None
    if sheet is None:
        raise SheetError(_("The sheet is empty."))
    if (sheet.max_column or 0) > MAX_COLUMNS or (sheet.max_row or 0) > MAX_ROWS + 5000:
        raise SheetError(_("The sheet is too large: at most 20,000 rows and 200 columns."))
    return [list(line) for line in sheet.iter_rows(values_only=True)]
