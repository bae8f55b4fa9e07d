"""Sheets that were not made here: their habits as real files, the guess, the person's correction, saved by name."""

import io
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest

from aipipeline.history.services import undo
from aipipeline.projects.errors import Invalid
from aipipeline.tables.models import SheetMapping
from aipipeline.tables.sheets.apply import apply_import
from aipipeline.tables.sheets.imports import look, mapping_of, set_mapping
from aipipeline.tables.tests.sheets import difference, made, places_of, saved, sent
from assets.models import Character
from shots.models import Scene, Shot
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def new_rows(diff: Any) -> list[dict[str, Any]]:
    """The values of each new row."""
    return [{cell.field: cell.value for cell in row.cells} for row in diff.rows if row.state == "added"]


def scenes_of(project: Any) -> list[Scene]:
    return list(Scene.objects.live().filter(project=project).order_by("position"))


def test_a_header_on_row_five_with_sections_and_scenes_on_the_first_row_of_a_group(
    project: Any, admin_user: Any
) -> None:
    applied_project(project, admin_user)
    one, two = scenes_of(project)
    data = made(
        ["우리 영화 콘티"], [], ["감독", "누군가"], [],
        ["씬번호", "컷", "샷 사이즈", "화면 내용", "대사", "길이", "비고"],
        [one.code, "#01", "WS (실루엣)", "창가", "안녕", "7s", "메모"],
        [None, "#02", "MS→ECU", "손", "", "🔒 8s", ""],
        [two.code, "Trans #02", "BIRD/CU/MACRO", "골목", "-", "0:25-0:45（20초）", ""],
        [None, "①-2", "-", "하늘", "", "00:12-00:18", ""],
        [None, "-", "클로즈업", "얼굴", "", "", ""],
    )  # fmt: skip
    row = sent(project, admin_user, data)
    assert row.state == "mapping"
    mapping = mapping_of(row)
    assert (mapping.header, mapping.first, mapping.fill) == (5, 6, ["scene"])
    assert mapping.columns == {
        "0": "scene", "1": "code", "2": "size", "3": "description", "4": "dialogue", "5": "duration_frames",
    }  # fmt: skip
    diff = look(row)
    assert diff.errors == []
    assert diff.ignored == ["비고"]
    rows = new_rows(diff)
    assert [entry.get("scene") for entry in rows] == [one.pk, one.pk, two.pk, two.pk, two.pk]
    assert [entry.get("size") for entry in rows] == ["WS", "MS", "CU", None, "CU"]
    assert [entry.get("duration_frames") for entry in rows] == [168, 192, 480, 144, None]
    assert all("code" not in entry for entry in rows)


def test_times_that_excel_made_of_minutes_seconds_and_frames(project: Any, admin_user: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["컷", "화면", "In", "Out", "길이"])
    sheet.append([1, "가", time(0, 0, 10), time(0, 2, 3), None])  # 0:00:10 to 0:02:03: ten frames to 2 s 3 f
    sheet.append([2, "나", None, None, time(0, 1, 23)])  # 1 s 23 f
    sheet.append([3, "다", "", "", timedelta(minutes=1, seconds=12)])
    row = sent(project, admin_user, saved(book))
    assert mapping_of(row).times == "mssff"
    assert [entry.get("duration_frames") for entry in new_rows(look(row))] == [41, 47, 36]
    columns = {"0": "code", "1": "description", "4": "duration_frames"}
    given = {"header": 1, "first": 2, "columns": columns, "times": "hmmss"}
    row = set_mapping(row=row, actor=admin_user, given=given)
    assert [entry.get("duration_frames") for entry in new_rows(look(row))][1:] == [83 * 24, 72 * 24]


def test_times_whose_last_part_cannot_be_frames_are_seconds(project: Any, admin_user: Any) -> None:
    row = sent(project, admin_user, made(["화면", "길이"], ["가", time(0, 0, 45)], ["나", time(0, 0, 5)]))
    assert mapping_of(row).times == "hmmss"
    assert [entry["duration_frames"] for entry in new_rows(look(row))] == [45 * 24, 5 * 24]


def test_section_rows_name_the_scene_of_what_follows(project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    one, two = scenes_of(project)
    heading = one.heading or one.code
    data = made(["Shot", "Description", "Size"], [heading], [1, "a", "CU"], [2, "b", "MS"], [two.code], [3, "c", "WS"])
    row = sent(project, admin_user, data)
    assert mapping_of(row).sections
    assert [entry.get("scene") for entry in new_rows(look(row))] == [one.pk, one.pk, two.pk]


@pytest.mark.parametrize(
    ("encoding", "sign"), [("cp949", ";"), ("utf-8-sig", ","), ("utf-16", "\t"), ("utf-16-le", ",")]
)
def test_csv_of_every_encoding_and_sign(project: Any, admin_user: Any, encoding: str, sign: str) -> None:
    text = f'컷{sign}화면{sign}길이\n1{sign}"여러{sign} 줄\n말"{sign}4s\n2{sign}둘{sign}48\n'
    diff = difference(project, admin_user, text.encode(encoding), "콘티.csv")
    assert [entry["description"] for entry in new_rows(diff)] == [f"여러{sign} 줄\n말", "둘"]
    assert [entry["duration_frames"] for entry in new_rows(diff)] == [96, 48]


def test_a_pasted_table_of_html_or_tabs(project: Any, admin_user: Any) -> None:
    html = """<html><head><style>td{mso-number-format:"@"}</style></head><body><!--StartFragment--><table border=0>
    <tr><td>컷</td><td>화면</td><td colspan=2>대사</td></tr>
    <tr><td rowspan=2>1</td><td>한<br>줄</td><td>안녕&nbsp;하세요</td><td></td></tr>
    <tr><td>둘째</td><td>&lt;웃음&gt;</td></tr></table></body></html>"""
    for pasted in (html, '컷\t화면\t대사\n1\t"한\n줄"\t안녕 하세요\n\t둘째\t<웃음>\n'):
        found = new_rows(difference(project, admin_user, pasted.encode(), "pasted table"))
        assert [entry["description"] for entry in found] == ["한\n줄", "둘째"]
        assert [entry["dialogue"] for entry in found] == ["안녕 하세요", "<웃음>"]


def test_rows_are_found_by_their_code_and_blanks_keep_ours(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    lines = [["Shot", "Description", "Dialogue"], [shots[0].code, "다시", ""], ["SHT_9999", "새", "말"]]
    row = sent(project, admin_user, made(*lines))
    diff = look(row)
    assert [(c.field, c.base, c.sheet, c.state) for r in diff.rows if r.row_id for c in r.cells] == [
        ("description", None, "다시", "changed")
    ]
    assert diff.counts["added"] == 1
    assert set(diff.missing) == {shot.code for shot in shots[1:]}
    columns = {"0": "code", "1": "description", "2": "dialogue"}
    given = {"header": 1, "first": 2, "columns": columns, "key": "code", "blank": True}
    row = set_mapping(row=row, actor=admin_user, given=given)
    held = Shot.objects.get(pk=shots[0].pk).dialogue
    changed = {c.field for r in look(row).rows if r.row_id for c in r.cells}
    assert changed == ({"description", "dialogue"} if held else {"description"})
    apply_import(row=row, actor=admin_user, accept="all")
    shots[0].refresh_from_db()
    assert (shots[0].description, shots[0].dialogue) == ("다시", "")
    assert Shot.objects.live().filter(project=project, description="새", dialogue="말").count() == 1


def test_a_correction_is_saved_by_name_and_offered_when_the_headers_match(project: Any, admin_user: Any) -> None:
    lines = [["메모", "무엇", "얼마"], ["x", "하나", "2s"], ["y", "둘", "3s"]]
    row = sent(project, admin_user, made(*lines))
    assert row.state == "mapping"
    columns = {"1": "description", "2": "duration_frames"}
    set_mapping(row=row, actor=admin_user, given={"header": 1, "first": 2, "columns": columns}, save_as="외주 콘티")
    assert SheetMapping.objects.get().name == "외주 콘티"
    again = sent(project, admin_user, made(*lines, ["z", "셋", "4s"]))
    assert again.state == "ready"
    assert [entry["description"] for entry in new_rows(look(again))] == ["하나", "둘", "셋"]
    other = sent(project, admin_user, made(["메모", "다른 것"], ["x", "y"]))
    assert other.state == "mapping"


def test_a_wrong_correction_is_told(project: Any, admin_user: Any) -> None:
    row = sent(project, admin_user, made(["가", "나"], ["x", "y"]))
    for given, name in (
        ({"header": 1, "first": 2, "columns": {}}, "columns"),
        ({"header": 1, "first": 2, "columns": {"0": "planet"}}, "columns"),
        ({"header": 1, "first": 2, "columns": {"0": "action", "1": "action"}}, "columns"),
        ({"header": "x", "first": 2, "columns": {"0": "action"}}, "header"),
        ({"header": 1, "first": 2, "columns": {"0": "action"}, "key": "code"}, "key"),
    ):
        with pytest.raises(Invalid) as caught:
            set_mapping(row=row, actor=admin_user, given=given)
        assert name in caught.value.fields


def test_our_sheet_without_its_ids_is_read_by_the_codes(project: Any, admin_user: Any) -> None:
    from aipipeline.tables.tests.sheets import edited, exported

    shots = applied_project(project, admin_user)

    def change(sheet: Any, column: dict[str, int]) -> None:
        sheet.cell(2, column["description"]).value = "다시"
        sheet.delete_cols(1)

    diff = difference(project, admin_user, edited(exported(project), change))
    assert [(r.row_id, c.field, c.state) for r in diff.rows for c in r.cells] == [
        (shots[0].pk, "description", "changed")
    ]
    assert diff.counts["removed"] == 0


def test_dates_and_numbers_in_text_columns_are_texts(project: Any, admin_user: Any) -> None:
    book = openpyxl.Workbook()
    book.active.append(["화면", "대사", "액션", "마감"])
    book.active.append([date(2026, 11, 25), 12.5, True, datetime(2026, 12, 1)])
    book.active.append(["말", 7, time(1, 2, 3), "2026. 12. 2"])
    diff = difference(project, admin_user, saved(book))
    assert places_of(diff) == set()
    assert new_rows(diff) == [
        {"description": "2026-11-25", "dialogue": "12.5", "action": "true", "due_date": "2026-12-01"},
        {"description": "말", "dialogue": "7", "action": "1:02:03", "due_date": "2026-12-02"},
    ]


def test_characters_split_by_many_signs(project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    a, b = Character.objects.filter(project=project).order_by("id")[:2]
    diff = difference(
        project, admin_user, made(["화면", "인물"], ["x", f"{a.name}, {b.name}"], ["y", f"{b.name}、{a.name}"])
    )
    assert [entry["characters"] for entry in new_rows(diff)] == [[a.pk, b.pk], [b.pk, a.pk]]


def test_another_worksheet_can_be_chosen(project: Any, admin_user: Any) -> None:
    book = openpyxl.Workbook()
    book.active.append(["표지"])
    second = book.create_sheet("샷")
    second.append(["컷", "화면"])
    second.append([1, "가"])
    out = io.BytesIO()
    book.save(out)
    row = sent(project, admin_user, out.getvalue())
    row = set_mapping(row=row, actor=admin_user, given={"worksheet": "샷"})
    assert row.state == "mapping"
    assert new_rows(look(row)) == [{"description": "가"}]


def test_what_the_sheet_names_and_nobody_has_is_made_when_asked_for(project: Any, admin_user: Any) -> None:
    """Into an empty project: scenes, people and places come with the shots, in one step back."""
    lines = [
        ["씬", "화면", "인물", "장소"],
        ["S#1 카페", "가", "리나, 민준", "카페"],
        [None, "나", "민준", "카페"],
        ["S#2", "다", "-", ""],
    ]
    row = sent(project, admin_user, made(*lines))
    assert {(2, "scene"), (2, "characters"), (2, "environment"), (4, "scene")} <= places_of(look(row))
    columns = {"0": "scene", "1": "description", "2": "characters", "3": "environment"}
    given = {"header": 1, "first": 2, "columns": columns, "fill": True, "make": True}
    row = set_mapping(row=row, actor=admin_user, given=given)
    assert look(row).errors == []
    apply_import(row=row, actor=admin_user, accept="all")
    shots = list(Shot.objects.live().filter(project=project).order_by("position"))
    assert [shot.scene.heading for shot in shots if shot.scene] == ["S#1 카페", "S#1 카페", "S#2"]
    assert [shot.environment.name if shot.environment else "" for shot in shots] == ["카페", "카페", ""]
    casts = [list(shot.castings.order_by("order").values_list("character__name", flat=True)) for shot in shots]
    assert casts == [["리나", "민준"], ["민준"], []]
    undo(project=project, actor=admin_user)
    assert not Shot.objects.live().filter(project=project).exists()
    assert not Scene.objects.live().filter(project=project).exists()
    assert not Character.objects.live().filter(project=project).exists()
