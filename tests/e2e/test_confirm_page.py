"""Confirm in the browser: from checked rows to the plan, done, unlocked again with a reason, moved."""

from typing import Any

import pytest

from shots.models import Folder, FolderState, Shot
from shots.services import editing
from tests.e2e.gridpage import wait_loaded
from tests.factories import applied_project
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def choose(page: Any, *shots: Shot) -> None:
    """Check these rows of the list."""
    for shot in shots:
        page.evaluate(f"document.querySelector('[data-grid]').grid.chosen.add({shot.pk})")
    page.evaluate("document.querySelector('[data-grid]').grid.furniture.draw()")


def test_chosen_rows_are_confirmed_unlocked_and_moved(page: Any, project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    base = f"/projects/{project.code}/shots/"
    page.goto(base)
    wait_loaded(page)
    choose(page, shots[0], shots[2])
    page.click("#confirm-chosen")
    page.wait_for_url("**/shots/confirm/?shots=*")
    assert page.locator("#fate-create code", has_text=shots[0].code).count() == 1
    assert page.locator("#fate-create code", has_text=shots[2].code).count() == 1
    assert page.locator("#fate-create code", has_text=shots[1].code).count() == 0
    assert not project.root.exists()
    page.click("#confirm-now")
    page.wait_for_selector("#confirm-result")
    assert set(Shot.objects.filter(locked=True)) == {shots[0], shots[2]}
    page.goto(base)
    wait_loaded(page)
    page.wait_for_selector(".tg-lock[title*='Unlock']")
    choose(page, shots[0], shots[2])
    page.click("[data-open-dialog=unlock-chosen]")
    page.fill("#unlock-chosen-reason", "순서를 바꾼다")
    page.click("#unlock-chosen .btn.primary")
    processes.wait_until(lambda: not Shot.objects.filter(locked=True).exists())
    page.wait_for_selector("#unlock-chosen:not([open])", state="attached")
    page.wait_for_function("() => !document.querySelector('.tg-lock')")
    item = {"id": shots[0].pk, "fields": {"scene": shots[-1].scene_id}}
    editing.update_shots(project=project, actor=admin_user, items=[item])
    page.goto(f"{base}confirm/")
    page.click("#fate-renamed button:has-text('Move now')")
    page.wait_for_selector("#fate-renamed", state="detached")
    assert Folder.objects.filter(shot=shots[0], state=FolderState.LEFT).exists()
