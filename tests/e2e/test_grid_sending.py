"""The grid in Chromium when answers are lost and edits overtake each other: nothing doubled, nothing passed over."""

from typing import Any

import pytest

from aipipeline.tables.columns import Column, ColumnType
from aipipeline.tables.registry import table_of
from aipipeline.tables.selectors import load
from assets.models import Character
from shots.models import Shot
from shots.services.editing import update_shots
from tests.e2e.griddata import shots, site, web
from tests.e2e.gridpage import cell, grid, open_grid, wait_saved

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

__all__ = ["shots", "site", "web"]

COMMIT = "void grid.commit([{ id: args[0], field: 'description', text: args[1] }], 'edit')"


def lose_next_answer(page: Any) -> None:
    """The next batch reaches the server, its answer does not come back."""

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/batch/", lose, times=1)


def test_a_lost_answer_doubles_no_row_and_is_no_conflict(page: Any, project: Any, shots: list[Shot]) -> None:
    open_grid(page, project)
    lose_next_answer(page)
    grid(page, "void grid.commit([], 'paste', { create: [{ fields: { description: '새 샷' }, before: args[0] }] })",
         shots[1].pk)  # fmt: skip
    page.wait_for_function("() => document.querySelector('[data-grid]').grid.saving.attempt === 1")
    wait_saved(page)
    assert Shot.objects.filter(description="새 샷").count() == 1

    lose_next_answer(page)
    grid(page, COMMIT, shots[0].pk, "처음")
    page.wait_for_function("() => document.querySelector('[data-grid]').grid.saving.attempt === 1")
    # What was written is known by the changes before it is sent again; then the person goes on writing.
    page.wait_for_function(
        "([id, old]) => document.querySelector('[data-grid]').grid.rows.byId.get(id).revision > old",
        arg=[shots[0].pk, shots[0].revision],
    )
    grid(page, COMMIT, shots[0].pk, "다음")
    wait_saved(page)
    assert Shot.objects.get(pk=shots[0].pk).description == "다음"
    assert page.locator("dialog .conflict").count() == 0


def test_a_cell_opened_before_its_own_edit_was_answered_is_no_conflict(
    page: Any, project: Any, shots: list[Shot]
) -> None:
    open_grid(page, project)
    held: list[Any] = []
    page.route("**/batch/", lambda route: held.append(route), times=1)
    cell(page, shots[0].pk, "description").click()
    page.keyboard.type("하나")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("F2")  # opened over what the server does not have yet
    page.keyboard.type(" 둘")
    held[0].continue_()
    wait_saved(page)
    page.keyboard.press("Enter")
    wait_saved(page)
    assert Shot.objects.get(pk=shots[0].pk).description == "하나 둘"


def test_what_is_typed_over_a_conflict_is_asked_about(page: Any, project: Any, artist: Any, shots: list[Shot]) -> None:
    open_grid(page, project)
    page.route("**/batch/", lambda route: route.fulfill(status=503, body="away"))
    grid(page, COMMIT, shots[0].pk, "내 처음")
    update_shots(project=project, actor=artist, items=[{"id": shots[0].pk, "fields": {"description": "남의 글"}}])
    page.wait_for_function(
        "([id, old]) => document.querySelector('[data-grid]').grid.rows.byId.get(id).revision > old",
        arg=[shots[0].pk, shots[0].revision],
    )
    # The cell still shows the own text: writing on in it is no word about the colleague's.
    grid(page, COMMIT, shots[0].pk, "내 다음")
    page.unroute("**/batch/")
    page.wait_for_selector("dialog .conflict")
    texts = page.locator("dialog .conflict button").all_inner_texts()
    assert [text.splitlines()[-1] for text in texts] == ["내 다음", "남의 글"]
    assert Shot.objects.get(pk=shots[0].pk).description == "남의 글"
    page.click("dialog .conflict button[value=mine]")
    wait_saved(page)
    assert Shot.objects.get(pk=shots[0].pk).description == "내 다음"


def test_texts_are_read_as_the_server_reads_them(page: Any, project: Any, shots: list[Shot]) -> None:
    names = ["Kim, Jr.", 'the "Boss"', '"Ace"', "두、줄", "리나"]
    rows = [Character.objects.get_or_create(project=project, name=name)[0] for name in names]
    open_grid(page, project)
    ids = [row.pk for row in rows]
    text = grid(page, "grid.values.text(grid.column('characters'), args)", *ids)
    reader = load(table_of("shots"), project).reader
    column = table_of("shots").column("characters")
    assert column is not None
    assert text == reader.shown(column, ids)  # the server writes and reads the same
    assert reader.parse(column, text) == ids
    assert grid(page, "grid.values.read(grid.column('characters'), args[0])", text) == {"value": ids}
    # Ticks too: what the grid shows at once is what is saved.
    words = ["x", "X", "o", "✔", "☐", "예", "아니요", "yes", "0"]
    tick = Column("t", "", ColumnType.TICK)
    shown = grid(page, "args.map((word) => grid.values.read({ type: 'tick' }, word).value)", *words)
    assert shown == [reader.parse(tick, word) for word in words]
