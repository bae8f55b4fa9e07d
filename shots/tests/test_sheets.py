"""Sheets out and in: what is exported comes back unchanged, and nothing is half-applied."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from aipipeline.history import services as history
from aipipeline.projects.errors import PipelineError
from shots.models import Shot
from shots.services import editing
from shots.sheets.export import export_sheet
from shots.sheets.importing import import_sheet
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def workbook(project: Any) -> Any:
    return openpyxl.load_workbook(io.BytesIO(export_sheet(project=project, kind="shots", format="xlsx")[1]))


def saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def bring(project: Any, actor: Any, data: bytes, name: str = "s.xlsx", dry: bool = False) -> Any:
    return import_sheet(project=project, actor=actor, kind="shots", data=data, filename=name, dry_run=dry)


@pytest.mark.parametrize("format", ["xlsx", "csv"])
def test_an_export_comes_back_as_no_change(project: Any, admin_user: Any, format: str) -> None:
    applied_project(project, admin_user)
    data = export_sheet(project=project, kind="shots", format=format)[1]
    diff = bring(project, admin_user, data, f"s.{format}")
    assert diff.errors == []
    assert diff.counts["changed"] == diff.counts["added"] == 0


def test_changes_and_new_rows_are_one_undo_step(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    book = workbook(project)
    sheet = book.worksheets[0]
    column = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, column["description"]).value = "바뀐 설명"
    sheet.cell(2, column["duration_frames"]).value = "2s"
    sheet.append([None] * sheet.max_column)
    sheet.cell(sheet.max_row + 1, column["description"]).value = "새 행"
    diff = bring(project, admin_user, saved(book))
    assert (diff.counts["changed"], diff.counts["added"]) == (2, 1)
    shots[0].refresh_from_db()
    assert (shots[0].description, shots[0].duration_frames) == ("바뀐 설명", 48)
    assert Shot.objects.live().filter(project=project, description="새 행").exists()
    history.undo(project=project, actor=admin_user)
    shots[0].refresh_from_db()
    assert shots[0].description != "바뀐 설명"
    assert not Shot.objects.live().filter(project=project, description="새 행").exists()


def test_errors_name_row_and_column_and_write_nothing(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    book = workbook(project)
    sheet = book.worksheets[0]
    column = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, column["description"]).value = "gut"
    sheet.cell(3, column["size"]).value = "HUGE"
    diff = bring(project, admin_user, saved(book))
    assert [(e.row, e.column) for e in diff.errors] == [(3, "size")]
    shots[0].refresh_from_db()
    assert shots[0].description != "gut"


def test_formulas_go_out_as_text(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    editing.update_shots(
        project=project, actor=admin_user, items=[{"id": shot.pk, "fields": {"description": "=HYPERLINK(1)"}}]
    )
    cell = next(c for c in workbook(project).worksheets[0][2] if c.value == "=HYPERLINK(1)")
    assert cell.data_type == "s"
    assert b"'=HYPERLINK" in export_sheet(project=project, kind="shots", format="csv")[1]


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(5):
            archive.writestr(f"xl/worksheets/sheet{i}.xml", b"0" * 90_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "a.xlsx"),
        (b"PK\x03\x04broken", "a.xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, "a.xlsx"),
        (b"x", "a.xls"),
        (b"x", "a.xlsm"),
        (b"only,words\n1,2\n", "a.csv"),
        (_bomb(), "a.xlsx"),
        (b"x" * (21 * 1024**2), "a.csv"),
    ],
    ids=["empty", "broken", "password", "xls", "macros", "no-headers", "bomb", "large"],
)
def test_bad_sheets_are_refused_with_a_message(project: Any, admin_user: Any, data: bytes, name: str) -> None:
    with pytest.raises(PipelineError) as caught:
        bring(project, admin_user, data, name, dry=True)
    assert str(caught.value)
