"""Sheets out: xlsx with frozen header, widths and drop-downs; csv that Excel reads; json."""

import csv
import io
import json
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from assets.models import Character, Environment
from shots.choices import Angle, Movement, ShotSize
from shots.models import Shot
from shots.resources import CharacterResource, EnvironmentResource, SheetResource, ShotResource, TechnicalResource
from shots.selectors import prefetch_row

KINDS: dict[str, type[SheetResource]] = {
    "shots": ShotResource,
    "technical": TechnicalResource,
    "environments": EnvironmentResource,
    "characters": CharacterResource,
}
CHOICES = {"size": ShotSize.values, "angle": Angle.values, "movement": Movement.values}
FORMATS = ("xlsx", "csv", "json")
RISKY = ("=", "+", "-", "@", "\t", "\r")


def export_sheet(*, project: Project, kind: str, format: str) -> tuple[str, bytes]:
    """File name and content of one of the four sheets; header in row 1 of the first worksheet."""
    if kind not in KINDS or format not in FORMATS:
        raise Invalid(_("Sheets: shots, technical, environments, characters; as xlsx, csv or json."))
    resource = KINDS[kind]()
    data = resource.export(queryset=_rows(project, kind))
    headers, rows = list(data.headers or []), [list(row) for row in data]
    name = f"{project.code}_{kind}.{format}"
    if format == "xlsx":
        return name, _xlsx(resource, headers, rows)
    if format == "csv":
        return name, _csv(headers, rows)
    records = [dict(zip(headers, row, strict=True)) for row in rows]
    return name, json.dumps(records, ensure_ascii=False, indent=1, default=str).encode()


def _rows(project: Project, kind: str) -> Any:
    if kind in ("shots", "technical"):
        return prefetch_row(Shot.objects.live().filter(project=project)).order_by("position", "id")
    model = Environment if kind == "environments" else Character
    return model.objects.live().filter(project=project).order_by("id")


def _xlsx(resource: SheetResource, headers: list[str], rows: list[list[Any]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(resource.title)
    sheet.freeze_panes = "C2"
    for column, name in enumerate(headers, 1):
        sheet.column_dimensions[get_column_letter(column)].width = resource.widths.get(name, 14)
    for name, values in CHOICES.items():
        if name in headers:
            letter = get_column_letter(headers.index(name) + 1)
            rule = DataValidation(type="list", formula1=f'"{",".join(values)}"', allow_blank=True)
            rule.add(f"{letter}2:{letter}{max(len(rows) + 200, 1000)}")
            sheet.data_validations.append(rule)
    bold, fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="2B3242")
    top = []
    for name in headers:
        cell = WriteOnlyCell(sheet, value=name)
        cell.font, cell.fill = bold, fill
        top.append(cell)
    sheet.append(top)
    wrap = Alignment(vertical="top", wrap_text=True)
    for row in rows:
        sheet.append([_cell(sheet, value, wrap) for value in row])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(headers))}{len(rows) + 1}"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: Any, value: Any, wrap: Alignment) -> Any:
    if isinstance(value, int) or value in (None, ""):
        return value if value != "" else None
    cell = WriteOnlyCell(sheet, value=_printable(str(value)))
    # A text is a text, also when it begins like a formula.
    cell.data_type = "s"
    cell.alignment = wrap
    return cell


def _printable(text: str) -> str:
    return "".join(c for c in text if c in "\n\t" or ord(c) >= 32)[:32_000]


def _csv(headers: list[str], rows: list[list[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headers)
    for row in rows:
        writer.writerow([_harmless(value) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(value: Any) -> Any:
    """A leading apostrophe keeps a spreadsheet from running a text as a formula; the import takes it off."""
    if isinstance(value, str) and value.startswith(RISKY):
        return f"'{value}"
    return "" if value is None else value
