"""Sheets that would hurt: each is refused or told by row and column, in seconds, with bounded memory."""

import io
import resource
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings

from aipipeline.history.project_services import create_project
from aipipeline.projects.errors import Invalid, PipelineError
from aipipeline.tables.models import SheetImport
from aipipeline.tables.sheets import store
from aipipeline.tables.sheets.apply import apply_import
from aipipeline.tables.sheets.imports import create_import, look
from aipipeline.tables.sheets.raw import SheetError
from aipipeline.tables.tests.sheets import book_of, difference, edited, exported, made, places_of, saved, sent
from shots.models import Shot
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db]
PARTS = {
    "[Content_Types].xml": "<Types/>",
    "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@contextmanager
def grown() -> Iterator[list[int]]:
    """By how many bytes this process is larger than before, looked at fifty times a second."""
    before, sizes, done = resident(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            sizes.append(resident() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield sizes
    finally:
        done.set()
        watcher.join()


def packed(extra: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**PARTS, **extra}.items():
            archive.writestr(name, content)
    return out.getvalue()


def worksheet(rows: str) -> bytes:
    return packed({"xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>"})


def ole(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + stream.encode("utf-16-le") + b"\0" * 600


def bomb() -> bytes:
    return packed({f"xl/media/{n}.bin": b"0" * 60_000_000 for n in range(5)})


def lying_bomb() -> bytes:
    """An archive whose list of entries says that they are small."""
    data = packed({"xl/worksheets/sheet1.xml": b"<worksheet>" + b"<a/>" * 10_000_000})
    return data.replace((40_000_011).to_bytes(4, "little"), (1000).to_bytes(4, "little"))


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    rows = "<worksheet><sheetData><row><c><v>&l11;</v></c></row></sheetData></worksheet>"
    text = f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]>{rows}'
    return packed({"xl/worksheets/sheet1.xml": text})


BAD: dict[str, tuple[Any, str, str]] = {
    "empty": (lambda: b"", "a.xlsx", "empty"),
    "broken-zip": (lambda: b"PK\x03\x04broken", "a.xlsx", "damaged"),
    "cut-off": (lambda: exported_half(), "a.xlsx", "damaged"),
    "password": (lambda: ole("EncryptedPackage"), "a.xlsx", "password"),
    "old-xls": (lambda: ole("Workbook"), "a.xls", ".xls files"),
    "xls-by-name": (lambda: b"x", "a.xls", ".xls files"),
    "macros": (lambda: packed({"xl/vbaProject.bin": b"x"}), "a.xlsx", "macros"),
    "macros-by-name": (lambda: b"x", "a.xlsm", "macros"),
    "xlsb": (lambda: packed({"xl/workbook.bin": b"x"}), "a.xlsb", "xlsb"),
    "ods": (lambda: packed({"content.xml": b"x", "mimetype": b"y"}), "a.ods", "OpenDocument"),
    "other-zip": (lambda: zipped_text(), "a.xlsx", "no Excel sheet"),
    "text-as-xlsx": (lambda: b"a,b\n1,2\n", "a.xlsx", "no .xlsx"),
    "no-text": (lambda: bytes(range(256)) * 9, "a.csv", "UTF-8"),
    "nul": (lambda: b"a,b\n\x00\x01,2\n", "a.csv", "text"),
    "bomb": (bomb, "a.xlsx", "200 MB"),
    "lying-bomb": (lying_bomb, "a.xlsx", ""),
    "laughs": (laughs, "a.xlsx", "damaged"),
    "columns": (lambda: made(["화면", *[f"c{n}" for n in range(240)]], ["x"] * 241), "a.xlsx", "200 columns"),
    "columns-csv": (lambda: ("화면" + ",c" * 240 + "\n").encode(), "a.csv", "200 columns"),
    "far-column": (lambda: worksheet('<row r="1"><c r="XFD1"><v>1</v></c></row>'), "a.xlsx", "200 columns"),
    "rows": (lambda: worksheet("<row><c><v>1</v></c></row>" * 20_001), "a.xlsx", "20,000 rows"),
    "rows-csv": (lambda: b"a\n" * 20_001, "a.csv", "20,000 rows"),
    "cells": (lambda: worksheet(f"<row>{'<c><v>1</v></c>' * 190}</row>" * 3200), "a.xlsx", "600,000 cells"),
    "elements": (lambda: packed({"xl/worksheets/sheet1.xml": "<worksheet>" + "<a/>" * 4_100_000}), "a.xlsx", "200 MB"),
    "bad-reference": (lambda: worksheet('<row r="1"><c r="1A"><v>1</v></c></row>'), "a.xlsx", "damaged"),
    "bad-string": (lambda: worksheet('<row r="1"><c r="A1" t="s"><v>99</v></c></row>'), "a.xlsx", "damaged"),
    "bad-row": (lambda: worksheet('<row r="x"><c r="A1"><v>1</v></c></row>'), "a.xlsx", "damaged"),
    "bad-xml": (lambda: worksheet("<row><c></row>"), "a.xlsx", "damaged"),
    "json": (lambda: b'{"a": ', "a.json", "JSON"),
    "json-deep": (lambda: b"[" * 200_000, "a.json", "JSON"),
    "json-list": (lambda: b"[1, 2]", "a.json", "list of objects"),
    "json-nested": (lambda: b'[{"description": {"a": 1}}]', "a.json", "Row 2"),
    "field": (lambda: b'a\n"' + b"x" * 2_000_000 + b'"\n', "a.csv", "cannot be read"),
    "no-table": (lambda: b"<html><table></table></html>", "pasted table", "no table"),
    "large": (lambda: b"x" * (21 * 1024**2), "a.csv", "20 MB"),
}  # fmt: skip


def zipped_text() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return out.getvalue()


def exported_half() -> bytes:
    data = made(*[["화면", "대사"] for _n in range(300)])
    return data[: len(data) // 2]


@pytest.mark.parametrize("name", list(BAD))
def test_a_sheet_that_cannot_be_read_is_refused_with_a_reason(project: Any, admin_user: Any, name: str) -> None:
    make, filename, words = BAD[name]
    data = make()
    began = time.monotonic()
    with grown() as memory, pytest.raises(PipelineError) as caught:
        sent(project, admin_user, data, filename)
    assert words in str(caught.value)
    assert time.monotonic() - began < 20  # seconds on two idle cores, more while others work on them
    assert max(memory) < 250 * 1024**2
    assert not SheetImport.objects.exists()
    assert not store.root().exists() or not any(store.root().iterdir())


def test_a_gigabyte_is_refused_before_it_is_read(project: Any, admin_user: Any) -> None:
    """By the length that the client names; and without one after twenty megabytes."""
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while taken < 1024**3:
            taken += 65536
            yield b"x" * 65536

    with pytest.raises(SheetError):
        create_import(project=project, actor=admin_user, kind="shots", name="a.xlsx", chunks=endless(), size=1024**3)
    assert taken == 0
    with grown() as memory, pytest.raises(SheetError):
        create_import(project=project, actor=admin_user, kind="shots", name="a.xlsx", chunks=endless())
    assert taken <= 21 * 1024**2
    assert max(memory) < 32 * 1024**2


def test_a_request_that_names_a_gigabyte_is_refused(client: Any, project: Any, admin_user: Any) -> None:
    client.force_login(admin_user)
    for url in (f"/api/v1/projects/{project.code}/sheet-imports/", f"/projects/{project.code}/imports/"):
        answer = client.post(url, data=b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(1024**3))
        assert answer.status_code in (413, 422), url
        assert b"20 MB" in answer.content


def test_merged_hidden_and_computed_cells_are_told(project: Any, admin_user: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for line in (["화면", "대사", "길이"], ["한 장면", "가", 48], [None, "나", 48], ["셋", "다", "=1+1"]):
        sheet.append(line)
    sheet["A2"], sheet["A3"] = "한 장면", None
    sheet.merge_cells("A2:A3")
    sheet.row_dimensions[3].hidden = True
    diff = difference(project, admin_user, saved(book))
    notes = " ".join(diff.notes)
    assert "A2:A3" in notes
    assert "3" in next(note for note in diff.notes if "idden" in note)
    # openpyxl writes formulas without their values: there is nothing that could be taken.
    assert [(e.row, e.field, e.letter) for e in diff.errors] == [(4, "duration_frames", "C")]
    assert [[c.sheet for c in row.cells if c.state == "added"] for row in diff.rows] == [
        ["한 장면", "가", "48"], ["나", "48"], ["셋", "다"],
    ]  # fmt: skip


def test_the_value_that_excel_stored_for_a_formula_is_taken(project: Any, admin_user: Any) -> None:
    data = worksheet(
        '<row r="1"><c r="A1" t="str"><v>화면</v></c><c r="B1" t="str"><v>길이</v></c></row>'
        '<row r="2"><c r="A2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c><c r="B2"><f>24*2</f><v>48</v></c></row>'
        '<row r="3"><c r="A3" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B3"><v>24</v></c></row>'
    )
    diff = difference(project, admin_user, data)
    assert [c.value for c in diff.rows[0].cells] == ["ab", 48]
    assert any("A2" in note for note in diff.notes)
    assert places_of(diff) == {(3, "description")}


def test_ids_that_stand_twice_or_belong_elsewhere_are_told(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    other = create_project(actor=admin_user, code="OTHER", title="남의 것", width=320, height=180)
    theirs = applied_project(other, admin_user)

    def double(sheet: Any, column: dict[str, int]) -> None:
        sheet.append([cell.value for cell in sheet[2]])
        sheet.cell(3, 1).value = theirs[0].pk

    row = sent(project, admin_user, edited(exported(project), double))
    diff = look(row)
    assert places_of(diff) == {(3, "id"), (5, "id")}
    with pytest.raises(Invalid):
        apply_import(row=row, actor=admin_user, accept="all")
    with pytest.raises(SheetError) as caught:
        sent(project, admin_user, exported(other))
    assert "OTHER" in str(caught.value)
    found = difference(project, admin_user, exported(other, format="csv"), "s.csv")
    assert {error.field for error in found.errors} == {"id"}
    assert len(found.errors) == len(theirs)
    assert Shot.objects.filter(project=project).count() == len(shots)


def test_a_damaged_base_is_told(project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    for value in ("x", "AAAA", "eJw=", "eJyrVspLzE1VslIyVNJRykxRsjLUUUpJLEkEALf4B9w="):
        book = book_of(exported(project))
        book["_aip"]["A1"].value = value
        with pytest.raises(SheetError) as caught:
            sent(project, admin_user, saved(book))
        assert "Export" in str(caught.value)
    csv = exported(project, format="csv").decode("utf-8-sig").replace("0.", "9999999.").replace("_base", "_base")
    assert difference(project, admin_user, csv.encode(), "s.csv").counts["added"] == 0


def test_cells_of_every_wrong_kind_are_told_by_place(project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    columns = ["description", "size", "duration_frames", "seed", "characters", "environment", "emotion", "due_date"]
    wrong: list[list[Any]] = [
        ["x", "HUGE", "später", "viele", "아무도", "어디도", "y" * 81, "gestern"],
        ["x", 7, 0, -1, 5, 6, 1, "2026-13-40"],
        ["z" * 32_001, True, 1e300, float("9" * 30), True, False, "", 99999999],
    ]
    diff = difference(project, admin_user, made(columns, *wrong))
    assert {(2, name) for name in columns[1:]} <= places_of(diff)
    assert {
        (3, name) for name in ("size", "duration_frames", "seed", "characters", "environment", "due_date")
    } <= places_of(diff)
    assert {(4, name) for name in ("size", "duration_frames", "seed", "characters", "environment")} <= places_of(diff)
    assert all(error.letter == "ABCDEFGH"[columns.index(error.field)] for error in diff.errors)


def test_uploads_lie_where_every_host_finds_them(project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    row = sent(project, admin_user, exported(project), "../../etc/기이한 이름.xlsx")
    assert row.name == "기이한 이름.xlsx"
    assert Path(settings.STORAGE_ROOT) in store.folder_of(row.pk).parents
