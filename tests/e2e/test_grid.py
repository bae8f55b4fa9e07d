"""The shot list as a spreadsheet, in Chromium on the real site: editing, input methods, conflicts, lost connections."""

from typing import Any

import pytest

from aipipeline.history.project_services import set_member
from shots.models import Casting, Shot
from shots.services.editing import update_shots
from tests.e2e.griddata import own_columns, shots, site, web
from tests.e2e.gridpage import cell, cell_selector, count_requests, grid, open_grid, wait_loaded, wait_saved, wait_text
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

__all__ = ["own_columns", "shots", "site", "web"]


def go_to(page: Any, shot: Shot, field: str) -> None:
    """Make a cell the active one, wherever it is scrolled."""
    grid(page, "grid.range.setActive({ row: grid.rows.rowOf.get(args[0]), cell: grid.columnSet.indexOf(args[1]) })",
         shot.pk, field)  # fmt: skip
    grid(page, "grid.input.focus()")


def stored(shot: Shot) -> Shot:
    return Shot.objects.get(pk=shot.pk)


def test_cells_of_every_kind_are_edited_from_the_keyboard(
    page: Any, project: Any, admin_user: Any, shots: list[Shot], own_columns: dict[str, str]
) -> None:
    first, second = shots[0], shots[1]
    open_grid(page, project)
    cell(page, first.pk, "description").click()
    page.keyboard.type("one line")  # typing replaces
    page.keyboard.press("Alt+Enter")
    page.keyboard.type("two lines")
    page.keyboard.press("Enter")
    assert grid(page, "grid.range.item.id") == second.pk
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("F2")  # opens with what is there
    page.keyboard.type(" and more")
    page.keyboard.press("Tab")
    page.keyboard.type("동작")
    page.keyboard.press("Escape")  # takes back
    cell(page, first.pk, "duration_frames").click()
    page.keyboard.type("4s")
    page.keyboard.press("Enter")
    page.keyboard.type("00:00:02:12")
    page.keyboard.press("Enter")
    cell(page, first.pk, "size").click()
    page.keyboard.type("close")
    page.keyboard.press("Enter")
    go_to(page, first, "characters")
    page.keyboard.press("Enter")
    page.keyboard.type("ㅎㄹ")  # initial letters are enough
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    go_to(page, first, "environment")
    page.keyboard.type("골")
    page.keyboard.press("Enter")
    typed = {"text": "자유", "number": "1,200.5", "date": "2026.12.1", "link": "https://example.org/a", "choice": "둘"}
    for kind, text in typed.items():
        go_to(page, first, own_columns[kind])
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    go_to(page, first, own_columns["tick"])
    page.keyboard.press("Space")
    go_to(page, first, own_columns["person"])
    page.keyboard.type(admin_user.username)
    page.keyboard.press("Enter")
    wait_saved(page)
    shot = stored(first)
    assert (shot.description, shot.action) == ("one line\ntwo lines and more", "")
    assert (shot.duration_frames, stored(second).duration_frames) == (96, 60)
    assert shot.size == "CU"
    assert [row.character.name for row in Casting.objects.live().filter(shot=shot).order_by("order")] == [
        "리나",
        "하린",
    ]
    assert shot.environment is not None
    assert shot.environment.name == "골목"
    own = {kind: shot.custom[name.removeprefix("custom.")] for kind, name in own_columns.items()}
    choice = own.pop("choice")
    assert grid(page, "grid.options(grid.column(args[0]).options).find((o) => o.id === args[1]).label",
                own_columns["choice"], choice) == "둘"  # fmt: skip
    assert own == {
        "text": "자유", "number": 1200.5, "date": "2026-12-01", "link": "https://example.org/a", "tick": True,
        "person": admin_user.pk,
    }  # fmt: skip


def test_korean_is_composed_in_the_cell_whatever_ends_it(page: Any, project: Any, shots: list[Shot]) -> None:
    open_grid(page, project)
    keys = page.context.new_cdp_session(page)

    def compose(*steps: str) -> None:
        for text in steps:
            keys.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})

    def owned(key: str) -> None:
        """A key that the input method uses itself."""
        code = {"type": "rawKeyDown", "key": key, "windowsVirtualKeyCode": 229}
        keys.send("Input.dispatchKeyEvent", code)

    cell(page, shots[0].pk, "action").click()
    compose("ㅎ", "하", "한")  # 1: begins over a resting cell; the method's own Enter ends the syllable only
    owned("Enter")
    keys.send("Input.insertText", {"text": "한"})
    compose("ㄱ", "그", "글")
    keys.send("Input.insertText", {"text": "글"})
    page.keyboard.press("Enter")
    compose("ㅈ", "조")  # 2: the arrow belongs to the method's list of candidates
    owned("ArrowDown")
    assert grid(page, "grid.range.item.id") == shots[1].pk
    keys.send("Input.insertText", {"text": "좋다"})
    page.keyboard.press("Tab")
    cell(page, shots[2].pk, "action").dblclick()  # 3: within an open editor, ended by a click elsewhere
    compose("ㅂ", "비")
    keys.send("Input.insertText", {"text": "비"})
    cell(page, shots[4].pk, "dialogue").click()
    wait_saved(page)
    assert [stored(shot).action for shot in shots[:3]] == ["한글", "좋다", "비"]
    assert [stored(shot).action for shot in shots[3:]] == [""] * 9


def test_what_cannot_be_read_stays_in_its_cell_until_it_is_right(page: Any, project: Any, shots: list[Shot]) -> None:
    open_grid(page, project)
    grid(page, "grid.commit([{ id: args[0], field: 'size', text: '아주 가까이' }, { id: args[1], field: 'action', "
         "text: '걷는다' }], 'paste')", shots[0].pk, shots[1].pk)  # fmt: skip
    page.wait_for_selector(f"{cell_selector(shots[0].pk, 'size')}.is-refused")
    assert cell(page, shots[0].pk, "size").inner_text() == "아주 가까이"
    processes.wait_until(lambda: stored(shots[1]).action == "걷는다")  # the rest of the block is saved
    assert stored(shots[0]).size == "MS"
    assert grid(page, "grid.saving.state") == "error"
    cell(page, shots[0].pk, "size").click()
    page.keyboard.type("wide")
    page.keyboard.press("Enter")
    wait_saved(page)
    assert stored(shots[0]).size == "WS"


def test_edits_wait_for_the_connection_and_outlive_a_reload(page: Any, project: Any, shots: list[Shot]) -> None:
    open_grid(page, project)
    page.context.set_offline(True)
    cell(page, shots[0].pk, "description").click()
    page.keyboard.type("끊긴 사이에")
    page.keyboard.press("Enter")
    page.keyboard.type("둘째도")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{cell_selector(shots[1].pk, 'description')}.is-unsent")
    assert grid(page, "[grid.saving.state, grid.saving.waiting]") == ["offline", 2]
    assert cell(page, shots[0].pk, "description").inner_text() == "끊긴 사이에"
    page.context.set_offline(False)
    wait_saved(page)
    assert [stored(shot).description for shot in shots[:2]] == ["끊긴 사이에", "둘째도"]

    page.route("**/batch/", lambda route: route.fulfill(status=503, body="away"))
    cell(page, shots[2].pk, "description").click()
    page.keyboard.type("다시 열어도")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{cell_selector(shots[2].pk, 'description')}.is-unsent")
    page.once("dialog", lambda dialog: dialog.accept())  # "leave the page?"
    page.reload()
    wait_loaded(page)
    assert cell(page, shots[2].pk, "description").inner_text() == "다시 열어도"
    assert stored(shots[2]).description == "설명 3"
    page.unroute("**/batch/")
    wait_saved(page)
    assert stored(shots[2]).description == "다시 열어도"


def test_two_browsers_in_conflict_see_both_values(
    page: Any, chromium: Any, site: str, project: Any, admin_user: Any, artist: Any, shots: list[Shot]
) -> None:
    set_member(project=project, actor=admin_user, user=artist, role="director")
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, base_url=site, locale="en")
    other = context.new_page()
    other.goto("/login/")
    other.fill("input[name=username]", "artist")
    other.fill("input[name=password]", "pass-for-tests")
    other.press("input[name=password]", "Enter")
    other.wait_for_url("**/")
    open_grid(page, project)
    open_grid(other, project)
    for window, text in ((page, "내 글"), (other, "남의 글")):
        cell(window, shots[0].pk, "description").dblclick()
        window.keyboard.press("Control+A")
        window.keyboard.type(text)
    cell(other, shots[0].pk, "action").click()  # another cell of the row is no conflict
    other.keyboard.type("남의 동작")
    other.keyboard.press("Enter")
    wait_saved(other)
    wait_text(page, shots[0].pk, "action", "남의 동작")  # live, while the cell is open here
    page.wait_for_selector("textarea.tg-input.is-conflict")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog .conflict")
    assert page.locator("dialog .conflict button").all_inner_texts() == ["Yours\n내 글", "Theirs, saved now\n남의 글"]
    page.keyboard.press("Escape")  # put off: nothing is lost
    assert cell(page, shots[0].pk, "description").inner_text() == "내 글"
    page.click("[data-grid-saving][data-state=conflict]")
    page.click("dialog .conflict button[value=mine]")
    wait_saved(page)
    wait_text(other, shots[0].pk, "description", "내 글")
    assert (stored(shots[0]).description, stored(shots[0]).action) == ("내 글", "남의 동작")

    # Several at once: each is chosen, or all.
    requests = count_requests(page, "/batch/")
    page.route("**/changes/**", lambda route: route.abort())  # what the colleague did is not known here yet
    items = [{"id": shot.pk, "fields": {"dialogue": "그들의 말"}} for shot in shots[:2]]
    update_shots(project=project, actor=artist, items=items)
    cell(page, shots[0].pk, "dialogue").click()
    grid(page, "grid.commit(args[0].map((id) => ({ id, field: 'dialogue', text: '우리 말' })), 'paste')",
         [shot.pk for shot in shots[:3]])  # fmt: skip
    page.wait_for_selector("dialog .conflict >> nth=1")
    page.locator("dialog .conflict").nth(1).locator("button[value=theirs]").click()
    page.unroute("**/changes/**")
    page.click("dialog button[value=save]")
    wait_saved(page)
    assert [stored(shot).dialogue for shot in shots[:4]] == ["우리 말", "그들의 말", "우리 말", ""]
    assert len(requests) == 3  # refused, the undisputed one, the decided one
    context.close()
