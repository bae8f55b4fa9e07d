"""Sheets that are text: csv in the encodings that Excel writes, our own json, and tables from the clipboard."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.tables.sheets.raw import RawSheet, SheetError, table_from

MAX_FIELD = 1_000_000
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
_KEPT = re.compile(r"'+[=+\-@\t\r\n]")
_ESCAPED = re.compile(r"'*[=+\-@\t\r\n]")
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x7f\ufffe\uffff]")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
csv.field_size_limit(MAX_FIELD)


def harmless(text: str) -> str:
    """A leading apostrophe keeps a spreadsheet from running a text as a formula; `harmful` takes it off."""
    return f"'{text}" if _ESCAPED.match(text) else text


def harmful(text: str) -> str:
    """The opposite of `harmless`."""
    return text[1:] if text[:1] == "'" and _KEPT.match(text) else text


def decoded(data: bytes) -> str:
    """The text of these bytes: UTF-8, UTF-16 with or without its mark, or cp949."""
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "")
    if not encoding and b"\x00" in data[:4000]:
        # Signs of ASCII have an empty byte in UTF-16: before them or after them tells the order.
        little = data[1:4000:2].count(0) >= data[0:4000:2].count(0)
        encoding = "utf-16-le" if little else "utf-16-be"
    for name in (encoding,) if encoding else ("utf-8", "cp949"):
        try:
            text = data.decode(name)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SheetError(_("The text is neither UTF-8 nor cp949. Save the sheet as CSV UTF-8."))
    if _BINARY.search(text):
        raise SheetError(_("This is no text sheet. Send the sheet as .xlsx, .csv or .json."))
    return text


def read_text(path: Path, *, kind: str = "") -> RawSheet:
    """A csv, json, or a pasted table ("html" or text with tabs) of at most MAX_BYTES, which the caller checked."""
    text = decoded(path.read_bytes())
    start = text.lstrip()[:2000].lower()
    if kind == "json" or (kind != "csv" and start[:1] in ("[", "{")):
        return _json(text)
    if start.startswith("<") and "<t" in text.lower():
        return _html(text)
    return _csv(text)


def _csv(text: str) -> RawSheet:
    try:
        # A lone quote in a pasted line begins no quoted cell that would swallow all the rest.
        rows = list(_lines(text, _delimiter(text)))
    except csv.Error as error:
        raise SheetError(_("The sheet cannot be read: %(reason)s.") % {"reason": error}) from error
    return table_from(rows, RawSheet())


def _lines(text: str, delimiter: str) -> Iterator[list[Any]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for count, line in enumerate(reader):
        if count > 200_000:
            raise SheetError(_("The sheet has more than 20,000 rows. Split it and import the parts one by one."))
        yield [harmful(value) for value in line]


def _delimiter(text: str) -> str:
    """The sign that splits the first lines into the most cells, and into equally many."""

    def score(sign: str) -> tuple[int, int]:
        lines = []
        for line in csv.reader(io.StringIO(text[:20_000], newline=""), delimiter=sign):
            if any(line):
                lines.append(len(line))
            if len(lines) > 20:
                break
        usual = max(set(lines), key=lines.count, default=0)
        return (lines.count(usual) if usual > 1 else 0, usual)

    return max((",", ";", "\t"), key=score)


def _json(text: str) -> RawSheet:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SheetError(_("The file is no valid JSON: %(reason)s.") % {"reason": str(error)[:200]}) from error
    records = found.get("rows") if isinstance(found, dict) else found
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise SheetError(_("The JSON must be a list of objects, one for each row."))
    names = list(dict.fromkeys(name for record in records for name in record))
    for number, record in enumerate(records, 2):
        for name, value in record.items():
            if isinstance(value, (dict, list)):
                raise SheetError(
                    _("Row %(row)s, %(column)s: a text or a number is needed.") % {"row": number, "column": name[:60]}
                )
    lines = [names, *([record.get(name) for name in names] for record in records)]
    return table_from(lines, RawSheet())


class _Table(HTMLParser):
    """The rows of the first table that a spreadsheet puts on the clipboard; merged cells count for the first alone."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[Any]] = []
        self.parts: list[str] | None = None
        self.span = 1
        self.depth = self.tables = 0
        self.merged = self.open = False
        self.held: dict[int, int] = {}  # by column: rows that a cell above still covers

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self.depth += 1
            self.tables += 1
        elif tag == "tr" and self.tables == 1:
            self._end_row()
            self.rows.append([])
            self.open = True
        elif tag in ("td", "th") and self.rows and self.tables == 1:
            self._end_cell()
            self._covered()
            self.parts = []
            self.span = _number(given.get("colspan"))
            down = _number(given.get("rowspan"))
            self.merged = self.merged or self.span > 1 or down > 1
            for column in range(len(self.rows[-1]), len(self.rows[-1]) + self.span):
                if down > 1:
                    self.held[column] = down - 1
        elif tag == "br" and self.parts is not None:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._end_cell()
        elif tag == "tr" or tag == "table":
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self.parts is not None:
            # Line breaks of the markup are spaces; those of the cell are <br>.
            self.parts.append(re.sub(r"[ \t]*[\r\n]+[ \t]*", " ", data))

    def _covered(self) -> None:
        """Step over the columns that a cell of a row above covers."""
        line = self.rows[-1]
        while self.held.get(len(line), 0) > 0:
            self.held[len(line)] -= 1
            line.append(None)

    def _end_cell(self) -> None:
        if self.parts is None or not self.rows:
            return
        text = "".join(self.parts).replace("\xa0", " ").strip(" ")
        self.rows[-1].extend([text, *([None] * (self.span - 1))])
        self.parts, self.span = None, 1

    def _end_row(self) -> None:
        self._end_cell()
        for column, rows in self.held.items() if self.rows else ():
            if rows > 0 and column >= len(self.rows[-1]) and self.open:
                self.held[column] = rows - 1
        self.open = False


def _number(text: str | None) -> int:
    return max(1, min(int(text), 200)) if text and text.isascii() and text.isdigit() else 1


def _html(text: str) -> RawSheet:
    reader = _Table()
    reader.feed(text)
    reader.close()
    if not reader.rows:
        raise SheetError(_("There is no table in what was pasted."))
    sheet = RawSheet()
    if reader.merged:
        sheet.note(0, 0, _("Merged cells: the value counts for the first cell alone."))
    return table_from(reader.rows, sheet)
