"""Sheets out as .xlsx: openpyxl makes the frame (styles, lists, frozen header), the rows are written as a stream.

A million styled cell objects would take three times the time of the writing itself; here a row is one text.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from xml.sax.saxutils import escape as escape_xml

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from aipipeline.tables.sheets.raw import MAX_CELL, letter
from aipipeline.tables.sheets.text_in import RISKY
from aipipeline.tables.sheets.xlsx_in import BASE_SHEET, LISTS_SHEET

BASE_CELL = 32_000
PICTURE_HEIGHT = 54  # points
_ROWS = "<sheetData>"
_SPARE_ROWS = 500
_UNSAFE = re.compile(r"[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_STYLE = re.compile(r'<c r="([A-Z]+)([23])"[^>]*? s="(\d+)"')


@dataclass
class OutColumn:
    """A column of the sheet: `width` in characters; `choices` make a drop-down; `help` a note on the header."""

    header: str
    width: float = 14
    editable: bool = True
    hidden: bool = False
    wrap: bool = False
    choices: Sequence[str] = ()
    help: str = ""


@dataclass
class OutSheet:
    """`rows` are values in the columns' order: None, numbers, booleans and texts, never formulas."""

    title: str
    columns: Sequence[OutColumn]
    rows: Sequence[Sequence[Any]]
    base: str = ""
    frozen: int = 2
    pictures: Mapping[int, bytes] = field(default_factory=dict)  # JPEG by index of the row
    picture_column: int = 0


def write_xlsx(sheet: OutSheet, target: IO[bytes]) -> None:
    """Write the workbook into a binary file that can seek."""
    frame = io.BytesIO()
    _frame(sheet).save(frame)
    frame.seek(0)
    with zipfile.ZipFile(frame) as given, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as made:
        for entry in given.infolist():
            content = given.read(entry)
            if entry.filename != "xl/worksheets/sheet1.xml":
                made.writestr(entry.filename, content)
                continue
            with made.open(entry.filename, "w", force_zip64=True) as part:
                for piece in _with_rows(content.decode(), sheet):
                    part.write(piece.encode())


def _frame(sheet: OutSheet) -> Workbook:
    book = Workbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.title = _title(sheet.title)
    page.sheet_view.zoomScale = 90
    page.freeze_panes = f"{letter(sheet.frozen + 1)}2"
    lists = book.create_sheet(LISTS_SHEET)
    lists.sheet_state = "hidden"
    head, shaded = PatternFill("solid", fgColor="2B3242"), PatternFill("solid", fgColor="EEF0F4")
    line = Border(bottom=Side("hair", color="C5CAD6"))
    for number, column in enumerate(sheet.columns, 1):
        top = page.cell(1, number)
        top.value, top.data_type = column.header, "s"
        top.font = Font(bold=True, color="FFFFFF" if column.editable else "AEB6C8")
        top.fill, top.alignment = head, Alignment(vertical="center", wrap_text=True)
        if column.help:
            top.comment = Comment(column.help[:250], "AIPipeline", width=280, height=90)
        # Rows 2 and 3 lend their styles to the rows that are written later: plain, and text that looks like a formula.
        for row in (2, 3):
            cell = page.cell(row, number, "x")
            cell.alignment = Alignment(vertical="top", wrap_text=column.wrap)
            cell.border = line
            if not column.editable:
                cell.fill, cell.font = shaded, Font(color="6B7280")
            cell.quotePrefix = row == 3
        page.column_dimensions[letter(number)].width = column.width
        page.column_dimensions[letter(number)].hidden = column.hidden
        if column.choices:
            _drop_down(page, lists, number, column, len(sheet.rows))
    page.row_dimensions[1].height = 24
    page.auto_filter.ref = f"A1:{letter(len(sheet.columns))}{len(sheet.rows) + 1}"
    page.print_title_rows = "1:1"
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for index, content in sheet.pictures.items():
        picture = Image(io.BytesIO(content))
        page.add_image(picture, f"{letter(sheet.picture_column)}{index + 2}")
    if sheet.base:
        hidden = book.create_sheet(BASE_SHEET)
        hidden.sheet_state = "veryHidden"
        for row, at in enumerate(range(0, len(sheet.base), BASE_CELL), 1):
            hidden.cell(row, 1, sheet.base[at : at + BASE_CELL]).data_type = "s"
    return book


def _drop_down(page: Worksheet, lists: Worksheet, number: int, column: OutColumn, rows: int) -> None:
    """The choices stand in a hidden sheet: their number and length are then free, and so are commas in them."""
    place = (lists.max_column + 1) if lists.cell(1, 1).value is not None else 1
    lists.cell(1, place).value = column.header
    for row, choice in enumerate(column.choices, 2):
        cell = lists.cell(row, place)
        cell.value, cell.data_type = choice[:MAX_CELL], "s"
    name = letter(place)
    rule = DataValidation(
        type="list", formula1=f"{LISTS_SHEET}!${name}$2:${name}${len(column.choices) + 1}", allow_blank=True
    )
    rule.showErrorMessage = False  # several names with commas, and words of the other language, are read too
    rule.add(f"{letter(number)}2:{letter(number)}{rows + _SPARE_ROWS + 1}")
    page.add_data_validation(rule)


def _title(text: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", text)[:31].strip() or "Sheet"


def _with_rows(page: str, sheet: OutSheet) -> Iterator[str]:
    """The worksheet with its rows in place of those that lent their styles."""
    styles = {(name, row): style for name, row, style in _STYLE.findall(page)}
    start, middle, rest = page.partition(_ROWS)
    header, _rows, end = rest.partition('<row r="2"')
    yield re.sub(
        r'<dimension ref="[^"]*"', f'<dimension ref="A1:{letter(len(sheet.columns))}{len(sheet.rows) + 1}"', start
    )
    yield middle + header
    writers = [
        _writer(letter(number), styles[letter(number), "2"], styles[letter(number), "3"])
        for number in range(1, len(sheet.columns) + 1)
    ]
    yield from _rows_as_text(sheet, writers)
    yield "</sheetData>" + end.partition("</sheetData>")[2]


def _rows_as_text(sheet: OutSheet, writers: Sequence[Callable[[int, Any], str]]) -> Iterator[str]:
    parts: list[str] = []
    for index, values in enumerate(sheet.rows):
        number = index + 2
        height = f' ht="{PICTURE_HEIGHT}" customHeight="1"' if index in sheet.pictures else ""
        parts.append(f'<row r="{number}"{height}>')
        parts.extend([write(number, value) for write, value in zip(writers, values, strict=True)])
        parts.append("</row>")
        if len(parts) > 8000:
            yield "".join(parts)
            parts = []
    yield "".join(parts)


def _writer(name: str, plain: str, quoted: str) -> Callable[[int, Any], str]:
    def write(row: int, value: Any) -> str:
        if value is None or value == "":
            return f'<c r="{name}{row}" s="{plain}"/>'
        if value is True or value is False:
            return f'<c r="{name}{row}" s="{plain}" t="b"><v>{int(value)}</v></c>'
        if isinstance(value, (int, float)):
            return f'<c r="{name}{row}" s="{plain}"><v>{value!r}</v></c>'
        style = quoted if value.startswith(RISKY) else plain
        text = xml_text(value) if _UNSAFE.search(value) else value
        return f'<c r="{name}{row}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'

    return write


def xml_text(text: str) -> str:
    """The text as XML; what XML cannot hold is written as Excel does (_x000D_)."""
    return escape_xml(_CONTROL.sub(lambda match: f"_x{ord(match.group()):04X}_", text))


def as_cells(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Rows whose texts fit into Excel's cells and whose numbers keep all their digits there."""
    return [[_fitting(value) for value in row] for row in rows]


def _fitting(value: Any) -> Any:
    if isinstance(value, str):
        return cut(value) if len(value) > MAX_CELL else value
    # Excel keeps 15 digits of a number.
    return str(value) if isinstance(value, int) and abs(value) >= 10**15 else value


def cut(text: str) -> str:
    """A text that is too long for a cell, with its end marked."""
    return f"{text[: MAX_CELL - 2]} …"
