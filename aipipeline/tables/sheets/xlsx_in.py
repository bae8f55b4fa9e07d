"""An .xlsx into plain rows: streamed, with bounded memory, and nothing of it is ever run.

openpyxl reads everything before it can be refused and does not tell hidden rows or merged cells in its streaming
mode; this reads the parts that a table needs with expat, at about half of openpyxl's time.
"""

import posixpath
import re
import zipfile
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.parsers import expat

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel
from openpyxl.utils.escape import unescape

from aipipeline.tables.sheets.raw import Limits, RawSheet, SheetError, Special, letter

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BASE_SHEET = "_aip"
LISTS_SHEET = "_lists"
MAX_ENTRIES = 2000
MAX_UNPACKED = 200 * 1024 * 1024
MAX_ELEMENTS = 4_000_000
_PIECE = 256 * 1024
_ESCAPED = "_x"
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})$")
_RANGE = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})$")


def read_xlsx(path: Path, *, worksheet: str = "") -> RawSheet:
    """The named worksheet, or the first visible one. SheetError for whatever is no plain workbook."""
    with open(path, "rb") as file:
        refuse_ole(file.read(8), path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_archive(archive)
            return _Workbook(archive).read(worksheet)
    except SheetError:
        raise
    except (
        zipfile.BadZipFile, expat.ExpatError, KeyError, ValueError, IndexError, OSError, EOFError, NotImplementedError,
        OverflowError, RuntimeError, zipfile.LargeZipFile,
    ) as error:  # fmt: skip
        reason = str(error)[:200] or type(error).__name__
        raise SheetError(
            _("The file is damaged or no .xlsx: %(reason)s. Open it in Excel and save it again.") % {"reason": reason}
        ) from error
    except Exception as error:  # zlib and lzma have errors of their own
        if type(error).__module__ not in ("zlib", "lzma", "_lzma"):
            raise
        raise SheetError(
            _("The file is damaged or no .xlsx: %(reason)s. Open it in Excel and save it again.") % {"reason": error}
        ) from error


def refuse_ole(head: bytes, path: Path) -> None:
    """Old .xls files and password-protected ones look alike from outside: a container of Microsoft's."""
    if head[:8] != OLE:
        return
    with open(path, "rb") as file:
        content = file.read(20 * 1024 * 1024)
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise SheetError(_("The sheet is protected by a password. Take the password off and send it again."))
    raise SheetError(_("Old .xls files are not read. Save the sheet as .xlsx and send it again."))


def _check_archive(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    names = {entry.filename.lower() for entry in entries}
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise SheetError(_("The sheet unpacks to more than 200 MB; this is no normal sheet."))
    if any(entry.flag_bits & 1 for entry in entries):
        raise SheetError(_("The sheet is protected by a password. Take the password off and send it again."))
    if any(name.endswith("vbaproject.bin") for name in names):
        raise SheetError(_("Sheets with macros are not read. Save it as .xlsx and send it again."))
    if "xl/workbook.bin" in names:
        raise SheetError(_("Binary sheets (.xlsb) are not read. Save it as .xlsx and send it again."))
    if "content.xml" in names and "mimetype" in names:
        raise SheetError(_("OpenDocument sheets are not read. Save it as .xlsx and send it again."))
    if "xl/workbook.xml" not in names:
        raise SheetError(_("This is no Excel sheet. Save it as .xlsx and send it again."))


class _Workbook:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.limits = Limits()
        self.sheets: list[tuple[str, str, str]] = []  # name, state, relation id
        self.epoch = CALENDAR_WINDOWS_1900
        self.targets: dict[str, str] = {}
        self.strings: list[str] = []
        self.styles: list[str] = []  # "", "date" or "time", by index of the cell format
        self._walk("xl/workbook.xml", self._workbook_part)
        self._walk("xl/_rels/workbook.xml.rels", self._relation_part)
        if "xl/sharedStrings.xml" in archive.namelist():
            _SharedStrings(self).read()
        if "xl/styles.xml" in archive.namelist():
            _Styles(self).read()

    def read(self, wanted: str) -> RawSheet:
        visible = [name for name, state, _rel in self.sheets if state == "visible"]
        if not visible:
            raise SheetError(_("The sheet is empty."))
        title = wanted if wanted in visible else visible[0]
        found = RawSheet(title=title, others=visible)
        _Worksheet(self, found).read(self._path(title))
        if any(name == BASE_SHEET for name, _state, _rel in self.sheets):
            hidden = RawSheet(title=BASE_SHEET)
            _Worksheet(self, hidden).read(self._path(BASE_SHEET))
            found.base = "".join(str(value) for _number, line in hidden.rows for value in line if value is not None)
        return found

    def _path(self, title: str) -> str:
        relation = next(rel for name, _state, rel in self.sheets if name == title)
        return self.targets[relation]

    def _workbook_part(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith("id") and ":" in key), "")
            self.sheets.append((attributes["name"], attributes.get("state", "visible"), relation))
        elif name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            self.epoch = CALENDAR_MAC_1904

    def _relation_part(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes["Target"]
            inside = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
            self.targets[attributes["Id"]] = inside

    def _walk(self, part: str, start: Callable[[str, dict[str, str]], None]) -> None:
        self.parse(part, start=start)

    def parse(
        self,
        part: str,
        *,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Read one part in pieces; names of elements come without their prefix."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = 64 * 1024
        count = 0

        def opened(name: str, attributes: dict[str, str]) -> None:
            nonlocal count
            count += 1
            if count > MAX_ELEMENTS:
                raise SheetError(_("The sheet unpacks to more than 200 MB; this is no normal sheet."))
            start(name.rpartition(":")[2] if ":" in name else name, attributes)

        def refuse(*_args: Any) -> None:
            raise SheetError(_("The file is damaged or no .xlsx: it declares entities."))

        parser.StartElementHandler = opened
        if end is not None:
            closed = end
            parser.EndElementHandler = lambda name: closed(name.rpartition(":")[2] if ":" in name else name)
        if text is not None:
            parser.CharacterDataHandler = text
        parser.EntityDeclHandler = refuse
        with self.archive.open(part) as file:
            while piece := file.read(_PIECE):
                parser.Parse(piece, False)
            parser.Parse(b"", True)


class _SharedStrings:
    """The texts that cells point to; the reading of Chinese characters (rPh) is left out."""

    def __init__(self, book: _Workbook) -> None:
        self.book = book
        self.parts: list[str] = []
        self.inside = self.phonetic = False

    def read(self) -> None:
        self.book.parse("xl/sharedStrings.xml", start=self.start, end=self.end, text=self.text)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self.parts = []
        elif name == "rPh":
            self.phonetic = True
        elif name == "t":
            self.inside = not self.phonetic

    def end(self, name: str) -> None:
        if name == "t":
            self.inside = False
        elif name == "rPh":
            self.phonetic = False
        elif name == "si":
            found = "".join(self.parts)
            self.book.limits.cell(1, len(found))
            self.book.strings.append(unescape(found) if _ESCAPED in found else found)

    def text(self, data: str) -> None:
        if self.inside:
            self.parts.append(data)


class _Styles:
    """Which cell formats mean a date or a time."""

    def __init__(self, book: _Workbook) -> None:
        self.book = book
        self.formats: dict[int, str] = dict(BUILTIN_FORMATS)
        self.inside = False

    def read(self) -> None:
        self.book.parse("xl/styles.xml", start=self.start, end=self.end)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self.formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self.inside = True
        elif name == "xf" and self.inside:
            code = self.formats.get(int(attributes.get("numFmtId", "0") or 0), "")
            kind = ""
            if is_timedelta_format(code):
                kind = "span"
            elif is_date_format(code):
                kind = "date"
            self.book.styles.append(kind)

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self.inside = False


class _Worksheet:
    """One worksheet into a RawSheet."""

    def __init__(self, book: _Workbook, found: RawSheet) -> None:
        self.book, self.found = book, found
        self.number = self.column = 0
        self.line: list[Any] = []
        self.kind = self.style = ""
        self.parts: list[str] = []
        self.take = self.formula = self.hidden = self.phonetic = False
        self.merged: list[str] = []
        self.hidden_rows: list[int] = []
        self.computed: list[str] = []

    def read(self, part: str) -> None:
        self.book.parse(part, start=self.start, end=self.end, text=self.parts_append)
        self._merged_cells()
        if self.hidden_rows:
            self.found.note(
                self.hidden_rows[0], 0, _("Hidden rows are read too: %(rows)s.") % {"rows": _few(self.hidden_rows)}
            )
        if self.computed:
            self.found.note(
                0,
                0,
                _("Formulas: the values that Excel stored last are read (%(cells)s).") % {"cells": _few(self.computed)},
            )

    def parts_append(self, data: str) -> None:
        if self.take:
            self.parts.append(data)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            reference = attributes.get("r")
            self.column = _column_of(reference) if reference else self.column + 1
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.parts, self.formula = [], False
        elif name == "v" or (name == "t" and not self.phonetic):
            self.take = True
        elif name == "f":
            self.formula = True
        elif name == "row":
            number = attributes.get("r")
            self.number = int(number) if number else self.number + 1
            self.line, self.column = [], 0
            self.hidden = attributes.get("hidden") in ("1", "true")
        elif name == "rPh":
            self.phonetic = True
        elif name == "mergeCell" and len(self.merged) < 100_000:
            self.merged.append(attributes.get("ref", ""))

    def end(self, name: str) -> None:
        if name == "v" or name == "t":
            self.take = False
        elif name == "c":
            if self.parts or self.formula:
                self._cell()
        elif name == "rPh":
            self.phonetic = False
        elif name == "row" and self.line:
            self.book.limits.row()
            self.found.rows.append((self.number, self.line))
            if self.hidden:
                self.hidden_rows.append(self.number)

    def _cell(self) -> None:
        raw = "".join(self.parts)
        value = self._value(raw) if raw or not self.formula else Special("formula", "")
        if self.formula and not isinstance(value, Special) and len(self.computed) < 1000:
            self.computed.append(f"{letter(self.column)}{self.number}")
        if value is None or value == "":
            return
        self.book.limits.cell(self.column, len(raw))
        missing = self.column - 1 - len(self.line)
        if missing > 0:
            self.line.extend([None] * missing)
        elif missing < 0:  # cells out of order
            self.line[self.column - 1] = value
            return
        self.line.append(value)

    def _value(self, raw: str) -> Any:
        kind = self.kind
        if kind == "s":
            return self.book.strings[int(raw)]
        if kind == "n":
            return self._number(raw)
        if kind in ("inlineStr", "str"):
            return unescape(raw) if _ESCAPED in raw else raw
        if kind == "b":
            return raw.strip() in ("1", "true")
        if kind == "e":
            return Special("error", raw)
        return raw[:10] if kind == "d" else raw

    def _number(self, raw: str) -> Any:
        try:
            value: int | float = int(raw)
        except ValueError:
            value = float(raw)
            if value.is_integer() and abs(value) < 2**53:
                value = int(value)
        style = self.book.styles[int(self.style)] if self.style and self.style != "0" else ""
        if not style:
            return value
        if style == "span" or 0 <= value < 1:
            return Special("time", round(float(value) * 86_400, 3))
        try:
            moment = from_excel(value, self.book.epoch)
        except (ValueError, OverflowError):
            return value
        if isinstance(moment, datetime):
            plain = moment.date().isoformat()
            return plain if moment.time() == time() else f"{plain} {moment.time().isoformat('seconds')}"
        return Special("time", moment.total_seconds()) if isinstance(moment, timedelta) else value

    def _merged_cells(self) -> None:
        """The value of a merged range stands in its first cell; what is hidden below the others is left out."""
        lines = dict(self.found.rows) if self.merged else {}
        for reference in self.merged:
            match = _RANGE.match(reference)
            if not match:
                continue
            left, top, right, bottom = match.groups()
            first, last = _column_of(left + "1"), _column_of(right + "1")
            for number in range(int(top), min(int(bottom), int(top) + 20_000) + 1):
                line = lines.get(number, [])
                for column in range(first, min(last, len(line)) + 1):
                    if (number, column) != (int(top), first):
                        line[column - 1] = None
        if self.merged:
            self.found.note(
                0,
                0,
                _("Merged cells: the value counts for the first cell alone (%(cells)s).")
                % {"cells": _few(self.merged)},
            )
        self.found.rows = [(number, line) for number, line in self.found.rows if any(v is not None for v in line)]


_columns: dict[str, int] = {}


def _column_of(reference: str) -> int:
    """The number of the column of "AB12", from 1."""
    match = _REFERENCE.match(reference)
    if match is None:
        raise ValueError(f"cell {reference[:20]!r}")
    letters = match.group(1)
    found = _columns.get(letters)
    if found is None:
        found = 0
        for sign in letters:
            found = found * 26 + ord(sign) - 64
        _columns[letters] = found
    return found


def _few(things: list[Any]) -> str:
    return ", ".join(map(str, things[:8])) + (f" … ({len(things)})" if len(things) > 8 else "")
