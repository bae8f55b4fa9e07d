"""A stretch of work in the shot list's grid, undone to its start and redone to its end by the keyboard."""

from typing import Any

import pytest

from aipipeline.history.models import Action
from shots.models import Casting, Shot
from tests.e2e.griddata import shot_rows, shots, site, web
from tests.e2e.gridpage import cell, grid, open_grid, put_clipboard, wait_saved
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

__all__ = ["shot_rows", "shots", "site", "web"]

FIELDS = ("pk", "code", "scene", "description", "action", "dialogue", "size", "duration_frames", "status", "locked")


def seen(project: Any) -> list[Any]:
    """What people see of the list, in story order: cells, and who plays."""
    rows = Shot.objects.live().filter(project=project).order_by("position", "id")
    cast = Casting.objects.live().filter(project=project).order_by("shot", "order")
    return [list(rows.values_list(*FIELDS)), list(cast.values_list("shot", "character"))]


def steps(state: str) -> int:
    return Action.objects.filter(state=state, undoable=True).exclude(tab="").count()


def test_all_work_is_undone_to_the_start_and_redone_to_the_end(page: Any, project: Any, shots: list[Shot]) -> None:
    open_grid(page, project)
    columns = [["code", 80], ["description", 200], ["action", 160], ["size", 110], ["duration_frames", 110]]
    grid(page, "grid.applyView({ columns: args[0], frozen: 1 })", columns)
    start, made = seen(project), steps("done")

    def told(count: int) -> None:
        """So many steps are done, and the grid has heard of them."""
        processes.wait_until(lambda: steps("done") == made + count)
        wait_saved(page)

    for number in range(3):
        cell(page, shots[number].pk, "description").click()
        page.keyboard.type(f"새 설명 {number}")
        page.keyboard.press("Enter")
        told(number + 1)
    cell(page, shots[3].pk, "description").click()
    put_clipboard(page, text="가\t나\r\n다\t라\r\n")
    told(4)
    cell(page, shots[3].pk, "action").click()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+d")
    told(5)
    cell(page, shots[0].pk, "description").click()
    page.keyboard.press("Delete")
    told(6)
    cell(page, shots[1].pk, "description").click()
    page.keyboard.press("Alt+ArrowDown")
    told(7)
    cell(page, shots[2].pk, "description").click()
    grid(page, "grid.command('insertAbove')")
    told(8)
    end = seen(project)
    assert end != start

    for count in range(7, -1, -1):
        page.keyboard.press("Control+z")
        told(count)
    assert seen(project) == start
    page.keyboard.press("Control+z")
    page.wait_for_selector(".toast >> text=nothing to undo")
    assert seen(project) == start

    for count in range(1, 9):
        page.keyboard.press("Control+Shift+z")
        told(count)
    assert seen(project) == end
    shown = [[row[0], row[3]] for row in end[0]]
    processes.wait_until(lambda: grid(page, "grid.items().map((item) => [item.id, item.description])") == shown)
