"""Sheets out and in: what is exported comes back as it was, whatever stands in the cells."""

import io
import json
from typing import Any

import pytest
from PIL import Image

from aipipeline.tables.registry import table_of
from aipipeline.tables.services.columns import add_column
from aipipeline.tables.sheets.pictures import provide_pictures
from aipipeline.tables.tests.sheets import book_of, difference, edited, exported, sent
from assets.models import Character, CinematicPreset, Environment
from shots.models import Shot
from shots.services.batch import apply_batch
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
KINDS = ("shots", "technical", "environments", "characters", "presets")
TEXTS = (
    '=HYPERLINK("http://x","y")', "+1", "-1-", "@sum", "'=1", "''=1", "'인용'", "줄\n바꿈\n",
    "  앞뒤 공백  ", "\t탭", "\r캐리지\r\n끝",
    "한글과 조합형 각", "_x000D_ 그대로", "<b>&amp;</b>", "1", "007", "1.50", "TRUE", "2026-11-25", "3:20",
    "쉼표, 세미콜론; \"따옴표\"", "🎬 😀", "길다 " * 6000,
)  # fmt: skip


@pytest.fixture
def hard(project: Any, admin_user: Any) -> list[Shot]:
    """A project whose texts are what spreadsheets stumble over, with a column of its own of every kind."""
    applied_project(project, admin_user)
    apply_batch(project=project, actor=admin_user, create=[{"fields": {}}] * 4)
    shots = list(Shot.objects.filter(project=project).order_by("position"))
    CinematicPreset.objects.create(project=project, name="밤, 비", camera="=Arri", filters="'+1")
    table = table_of("shots")
    kinds = ("text", "number", "choice", "tick", "date", "link")
    names = [
        add_column(
            project=project, table=table, actor=admin_user, label=f"열 {kind}", type=kind,
            choices=[{"label": "가, 나"}, {"label": "다"}] if kind == "choice" else None,
        ).key
        for kind in kinds
    ]  # fmt: skip
    from aipipeline.tables.custom import options_of

    choice = options_of(project, table)[f"custom.{names[2]}"][0].id
    for number, text in enumerate(TEXTS):
        shot = shots[number % len(shots)]
        field = ("description", "action", "dialogue", "prompt", "negative_prompt")[number // len(shots) % 5]
        values = [text[:200], 1.5 + number, choice, bool(number % 2), "2026-11-25", "https://x.kr/?a=1&b"]
        own = dict(zip(names, values, strict=True))
        Shot.objects.filter(pk=shot.pk).update(**{field: text, "custom": own, "seed": 2**53 - 1 - number})
    Environment.objects.filter(project=project).update(description=TEXTS[0], prompt=TEXTS[4], interior=None)
    Character.objects.filter(project=project).update(description=TEXTS[7], use_lora=True, lora_strength=0.7)
    return shots


@pytest.mark.parametrize("format", ["xlsx", "csv", "json"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_export_comes_back_as_nothing_to_do(
    project: Any, admin_user: Any, hard: list[Shot], kind: str, format: str
) -> None:
    for headers in ("names", "labels"):
        data = exported(project, kind, format, headers=headers)
        diff = difference(project, admin_user, data, f"s.{format}", kind)
        assert diff.errors == [], headers
        assert diff.rows == [], headers
        assert diff.ignored == [], headers
        counts = {**diff.counts, "unchanged": 0}
        assert set(counts.values()) == {0}


def test_a_workbook_that_went_through_another_program_comes_back_too(
    project: Any, admin_user: Any, hard: list[Shot]
) -> None:
    diff = difference(project, admin_user, edited(exported(project), lambda sheet, column: None))
    assert (diff.errors, diff.rows) == ([], [])


def test_a_sheet_is_made_for_people(project: Any, admin_user: Any, hard: list[Shot]) -> None:
    book = book_of(exported(project))
    sheet = book.worksheets[0]
    column = {cell.value: cell.column_letter for cell in sheet[1]}
    assert sheet.freeze_panes == "C2"
    assert sheet.column_dimensions["A"].hidden
    assert sheet.column_dimensions[column["description"]].width > 40
    assert book["_aip"].sheet_state == "veryHidden"
    assert book["_lists"].sheet_state == "hidden"
    listed = {str(rule.sqref).split(":")[0] for rule in sheet.data_validations.dataValidation}
    assert {f"{column[name]}2" for name in ("size", "angle", "movement", "scene", "environment")} <= listed
    assert f"{column['status']}2" not in listed
    plain, shaded = sheet[f"{column['description']}2"], sheet[f"{column['status']}2"]
    assert plain.fill.fgColor.rgb != shaded.fill.fgColor.rgb
    assert plain.alignment.wrap_text
    cells = [cell for line in sheet.iter_rows(min_row=2) for cell in line if cell.value is not None]
    assert all(cell.data_type != "f" for cell in cells)
    risky = [cell for cell in cells if str(cell.value).startswith("=")]
    assert risky
    assert all(cell.quotePrefix and cell.data_type == "s" for cell in risky)
    length = sheet[f"{column['duration_frames']}2"]
    assert isinstance(length.value, int)


def test_csv_and_json_are_harmless_and_read_by_others(project: Any, admin_user: Any, hard: list[Shot]) -> None:
    text = exported(project, format="csv")
    assert text.startswith(b"\xef\xbb\xbf")
    assert b"'=HYPERLINK" in text
    assert b",=HYPERLINK" not in text
    records = json.loads(exported(project, format="json"))
    assert [record["id"] for record in records] == [shot.pk for shot in hard]
    assert records[0]["code"] == hard[0].code
    assert isinstance(records[0]["duration_frames"], int)


def test_pictures_are_in_the_sheet_when_asked_for(
    project: Any, admin_user: Any, hard: list[Shot], tmp_path: Any
) -> None:
    file = tmp_path / "a.png"
    Image.new("RGB", (400, 200), "red").save(file)
    broken = tmp_path / "b.png"
    broken.write_bytes(b"no picture")
    from aipipeline.tables.sheets import pictures

    before = pictures._providers.get("shots")
    provide_pictures("shots", lambda _project, ids: {ids[0]: file, ids[1]: broken})
    try:
        data = exported(project, pictures=True)
    finally:
        pictures._providers["shots"] = before or (lambda _project, ids: {})
    images = book_of(data).worksheets[0]._images
    assert len(images) == 1
    assert Image.open(io.BytesIO(images[0]._data())).width <= 96
    assert difference(project, admin_user, data).rows == []


def test_the_present_view_is_what_goes_out(project: Any, admin_user: Any, hard: list[Shot]) -> None:
    node = {"field": "code", "op": "is", "value": hard[1].code}
    view = {"filter": node, "columns": ["description", "size"]}
    sheet = book_of(exported(project, view=view)).worksheets[0]
    assert [cell.value for cell in sheet[1]] == ["id", "code", "description", "size"]
    assert sheet.max_row == 2
    # What the view left out is not missing when the sheet comes back.
    assert difference(project, admin_user, exported(project, view=view)).rows == []
    turned = exported(project, view={"sort": [["code", "desc"]]})
    codes = [row[1].value for row in book_of(turned).worksheets[0].iter_rows(min_row=2)]
    assert codes == sorted(codes, reverse=True)
    assert difference(project, admin_user, turned).rows == []


def test_headers_of_either_language_are_understood(project: Any, admin_user: Any, hard: list[Shot]) -> None:
    from django.utils import translation

    with translation.override("en"):
        data = exported(project, headers="labels")
    with translation.override("ko"):
        row = sent(project, admin_user, data)
    assert row.state == "ready"
    assert row.mapping["own"]
    assert set(row.mapping["columns"].values()) >= {"code", "description", "duration_frames", "characters"}


def test_a_text_longer_than_a_cell_of_excel_is_not_lost(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    Shot.objects.filter(pk=shots[0].pk).update(prompt="긴 " * 20_000)
    data = exported(project)
    assert difference(project, admin_user, data).rows == []

    def shorten(sheet: Any, column: dict[str, int]) -> None:
        sheet.cell(2, column["prompt"]).value = "짧게"

    diff = difference(project, admin_user, edited(data, shorten))
    assert [(error.row, error.field) for error in diff.errors] == [(2, "prompt")]
