"""The admin in a real browser: no error in the console, nothing from outside, and its scripts work."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin

from aipipeline.history.models import Action
from shots.models import Shot
from tests.admin.conftest import fill
from tests.admin.pages import address, list_address
from tests.admin.test_every_model import EDITS, row_of
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


def test_pages_work_under_their_policy(
    transactional_db: None, own_storage: None, project: Any, admin_user: Any, artist: Any, chromium: Any, tmp_path: Path
) -> None:
    fill(project, admin_user, artist, tmp_path)
    shot = Shot.objects.filter(project=project).order_by("position")[0]
    web, site = processes.web()
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="ko-KR")
    page = context.new_page()
    page.set_default_timeout(60_000)
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(f"{page.url} {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(f"{page.url} {error}"))
    page.on("request", lambda r: trouble.append(r.url) if not r.url.startswith((site, "data:", "blob:")) else None)
    try:
        page.goto(f"{site}/admin/login/?next=/admin/")
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", "pass-for-tests")
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        for model in admin.site._registry:
            page.goto(site + list_address(model))
            row = model._default_manager.order_by("pk")[0]
            page.goto(site + address(row))
        _save_unchanged(page, site)
        _edit_a_shot(page, site, shot)
        _import_a_sheet(page, site, shot, tmp_path)
        assert trouble == []
    finally:
        context.close()
        web.stop()


def _save_unchanged(page: Any, site: str) -> None:
    """What browsers make of values (line ends, empty colours, rounded times) is no edit."""
    count = Action.objects.count()
    for label in sorted(EDITS):
        row = row_of(label)
        page.goto(site + address(row))
        page.locator("[name=_save]").first.click()
        page.wait_for_url(f"**{list_address(type(row))}")
        assert Action.objects.count() == count, (label, Action.objects.order_by("-created_at")[0].changes)


def _edit_a_shot(page: Any, site: str, shot: Shot) -> None:
    """The tabs (Alpine) and the autocomplete (select2) are scripts that the strict policy would stop."""
    page.goto(site + address(shot))
    page.fill("textarea[name=description]", "빗속에 우산 하나")
    page.click(".field-scene .select2-selection")
    page.wait_for_selector(".select2-results__option >> text=SCN_020")
    page.keyboard.press("Escape")
    page.click("#tabs-items a[href='#steps']")
    page.fill("input[name=steps-0-due_date]", "2032-03-04")
    page.click("button[name=_save], input[name=_save]")
    page.wait_for_url("**/shots/shot/#steps")
    shot.refresh_from_db()
    assert shot.description == "빗속에 우산 하나"
    assert str(shot.steps.order_by("id")[0].due_date) == "2032-03-04"


def _import_a_sheet(page: Any, site: str, shot: Shot, folder: Path) -> None:
    sheet = folder / "sheet.csv"
    sheet.write_text(f"code,description\n{shot.code},시트에서 온 말\n", encoding="utf-8-sig")
    page.goto(site + list_address(Shot, "import"))
    page.select_option("select[name=project]", str(shot.project_id))
    page.set_input_files("input[type=file]", str(sheet))
    page.select_option("select[name=format]", label="csv")
    page.locator("form:has(input[name=import_file]) [type=submit]").click()
    page.wait_for_selector("ins")
    page.locator("form:has(input[name=import_file_name]) [type=submit]").click()
    page.wait_for_url("**/shots/shot/")
    shot.refresh_from_db()
    assert shot.description == "시트에서 온 말"
