"""A sheet goes out of the shot list, is edited elsewhere, and comes back through the pages of the import."""

import os
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import expect

from shots.models import Shot
from shots.services import editing
from tests.e2e.gridpage import open_grid
from tests.factories import applied_project

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def shot_of(page: Any, name: str) -> None:
    """A picture for people, where one is asked for."""
    if folder := os.environ.get("AIP_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def waits(page: Any) -> Any:
    """A decision is kept when the server has answered."""
    return page.expect_response(lambda answer: "/decide/" in answer.url and answer.ok)


def test_a_sheet_is_merged_by_hand(page: Any, project: Any, admin_user: Any, tmp_path: Path) -> None:
    shots = applied_project(project, admin_user)
    before = list(Shot.objects.filter(project=project).order_by("position").values("description", "dialogue", "size"))
    open_grid(page, project)
    page.click("[popovertarget=sheet-menu]")
    with page.expect_download() as download:
        page.click("#sheet-menu a >> nth=0")
    file = tmp_path / "콘티.xlsx"
    download.value.save_as(file)
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    column = {cell.value: cell.column for cell in sheet[1]}
    texts, size = column["Description"], column["Size"]
    for row in (2, 3, 4):
        sheet.cell(row, texts).value = f"{sheet.cell(row, texts).value} 그리고 시트"
    sheet.cell(3, size).value = "ECU"
    sheet.cell(5, texts).value = "시트의 새 쇼트"
    book.save(file)
    editing.update_shots(
        project=project, actor=admin_user, items=[{"id": shots[0].pk, "fields": {"description": "여기서 고친 설명"}}]
    )
    # The menu is still open from the download.
    page.click("#sheet-menu [data-open-dialog=sheet-import]")
    page.set_input_files("#sheet-import input[type=file]", str(file))
    page.wait_for_url("**/imports/*/")
    conflict = page.locator(".diff-cell[data-state=conflict]")
    expect(conflict).to_have_count(1)
    expect(page.locator(".diff-cell[data-state=changed]")).to_have_count(3)
    expect(page.locator(".diff-row[data-state=added]")).to_have_count(1)
    expect(page.locator("[data-open]").first).to_be_visible()
    assert page.locator(".theirs mark").first.inner_text().strip()
    shot_of(page, "import-conflict")
    # By keys: the conflict takes the sheet's, the next cell is left as it is here.
    conflict.click()
    with waits(page):
        page.keyboard.press("a")
    expect(conflict).to_have_attribute("data-take", "1")
    page.keyboard.press("ArrowDown")
    with waits(page):
        page.keyboard.press("Space")
    expect(page.locator("[data-apply]")).to_contain_text("3 cells")
    # The decisions are the server's: another page load shows them.
    page.reload()
    expect(page.locator(".diff-cell[data-state=conflict]")).to_have_attribute("data-take", "1")
    with page.expect_response(lambda answer: "/apply/" in answer.url):
        page.click("[data-apply]")
    expect(page.locator(".notice.good")).to_be_visible()
    rows = list(Shot.objects.live().filter(project=project).order_by("position").values("description", "size"))
    assert rows[0]["description"] == f"{before[0]['description']} 그리고 시트"
    assert rows[1] == {"description": before[1]["description"], "size": "ECU"}
    assert rows[2]["description"].endswith("그리고 시트")
    assert rows[3]["description"] == "시트의 새 쇼트"
    shot_of(page, "import-applied")
    page.locator(".toast [data-undo]").click()
    page.wait_for_function("() => document.querySelectorAll('.toast').length > 0")
    for _n in range(100):
        if Shot.objects.live().filter(project=project).count() == len(before):
            break
        page.wait_for_timeout(100)
    rows = list(
        Shot.objects.live().filter(project=project).order_by("position").values("description", "dialogue", "size")
    )
    assert rows == [{**before[0], "description": "여기서 고친 설명"}, *before[1:]]
    expect(page.get_by_text("This import was undone.")).to_be_visible()
    expect(page.locator(".notice [data-undo]")).to_have_count(0)


def test_a_foreign_table_is_pasted_and_its_columns_are_named(page: Any, project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    open_grid(page, project)
    page.click("[popovertarget=sheet-menu]")
    page.click("#sheet-menu [data-open-dialog=sheet-import]")
    page.fill("#sheet-import textarea", "순번\t무엇\t길이\n#01\t붙여 넣은 쇼트\t7s\n#02\t둘째\t🔒 8s\n")
    page.click("#sheet-import footer .primary")
    page.wait_for_url("**/imports/*/")
    page.select_option("select[name=column-1]", "description")
    page.fill("input[name=save_as]", "외주")
    shot_of(page, "import-mapping")
    page.click("button:has-text('Show changes')")
    expect(page.locator(".diff-row[data-state=added]")).to_have_count(2)
    with waits(page):
        page.locator(".diff-row[data-state=added] .diff-head [data-accept='0']").nth(1).click()
    with page.expect_response(lambda answer: "/apply/" in answer.url):
        page.click("[data-apply]")
    expect(page.locator(".notice.good")).to_be_visible()
    made = Shot.objects.live().filter(project=project, description__in=["붙여 넣은 쇼트", "둘째"])
    assert list(made.values_list("description", "duration_frames")) == [("붙여 넣은 쇼트", 168)]
