"""The panels of the grid in Chromium: filter, search, sort, group and saved views."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aipipeline.tables
from aipipeline.history.project_services import set_member
from aipipeline.tables.models import SavedView, TableSettings
from shots.models import Shot
from tests.e2e.gridpage import cell, grid, open_grid, wait_loaded, wait_saved
from tests.e2e.panelpage import log_in, pick, shown, twelve_shots, wait_shown
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CASES = json.loads((Path(aipipeline.tables.__file__).parent / "tests/filter_cases.json").read_text(encoding="utf-8"))
IN_BROWSER = """async (fixture) => {
  const { compileFilter, searchTest, searchText, wellFormed } = await import("/static/js/grid/filter.js");
  const { Values } = await import("/static/js/grid/values.js");
  const { parseRate, timecode } = await import("/static/js/timecode.js");
  const columns = fixture.columns.map((column) => ({ options: "", ...column }));
  const named = (pairs) => pairs.map(([id, label]) => ({ id, label }));
  const lists = Object.entries(fixture.options).map(([key, pairs]) => [key, named(pairs)]);
  const rate = parseRate(fixture.fps);
  const values = new Values(Object.fromEntries(lists), rate);
  const text = searchText(columns, (column, value) =>
    column.type === "duration" && value !== null ? timecode(value, rate) : values.text(column, value));
  return fixture.cases.map((one) => {
    const filter = () => compileFilter(wellFormed(one.filter, columns), columns);
    const test = "search" in one ? searchTest(one.search, text) : filter();
    return fixture.rows.filter(test).map((row) => row.id);
  });
}"""


@pytest.fixture
def site(transactional_db: None, own_storage: None) -> Iterator[str]:
    """The web alone: nothing is rendered here."""
    process, url = processes.web()
    yield url
    process.stop()


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    return twelve_shots(project, admin_user)


@pytest.fixture
def other(chromium: Any, site: str, project: Any, admin_user: Any, artist: Any) -> Iterator[Any]:
    """The page of a colleague."""
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    page, errors = log_in(chromium, site, "artist")
    yield page
    page.context.close()
    assert errors == []


def test_filters_mean_the_same_in_the_browser(page: Any) -> None:
    found = page.evaluate(IN_BROWSER, CASES)
    wrong = {
        case["name"]: (ids, case["ids"]) for case, ids in zip(CASES["cases"], found, strict=True) if ids != case["ids"]
    }
    assert wrong == {}
    assert len(found) >= 60


def test_a_view_is_made_saved_shared_and_seen_by_a_colleague(
    page: Any, other: Any, project: Any, shots: list[Shot]
) -> None:
    open_grid(page, project)
    # Two conditions joined by or, by hand.
    page.click("[data-panel=filter]")
    page.click(".gp-filter > .gp-foot button:has-text('Condition')")
    page.select_option("[data-key='field-0']", "size")
    page.fill("[data-key='value-0']", "clo")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    wait_shown(page, [shot.pk for shot in shots if shot.size == "CU"])
    page.click(".gp-filter > .gp-foot button:has-text('Condition')")
    page.select_option("[data-key='field-1']", "duration_frames")
    page.fill("[data-key='value-1']", "3s")
    page.select_option("[data-key='join-']", "or")
    wanted = [shot for shot in shots if shot.size == "CU" or shot.duration_frames >= 72]
    wait_shown(page, [shot.pk for shot in wanted])
    assert page.locator(".gp-foot-count").inner_text() == f"{len(wanted)} of 12"
    page.keyboard.press("Escape")
    assert page.locator(".gp-chips .gp-chip").all_inner_texts() == ["Size is one of Close-up", "Length ≥ 00:00:03:00"]

    pick(page, "sort", "duration_frames")
    pick(page, "group", "scene")
    by_length = sorted(wanted, key=lambda shot: (shot.scene.position, shot.duration_frames, shot.position))
    wait_shown(page, [shot.pk for shot in by_length])
    assert page.locator(".gp-dirty").is_visible()

    page.click("[data-panel=views]")
    page.click(".gp-menu >> text=Save as a new view")
    page.fill(".gp-dialog input[type=text], .gp-dialog input:not([type])", "긴 컷과 클로즈업")
    page.check(".gp-dialog input[type=checkbox]")
    page.click(".gp-dialog .btn.primary")
    page.wait_for_selector(".gp-view-name:text-is('긴 컷과 클로즈업')")
    assert page.locator(".gp-dirty").is_hidden()
    view = SavedView.objects.get(project=project)
    assert view.shared
    assert view.config["sort"] == [["duration_frames", "asc"]]
    assert f"view={view.pk}" in page.url
    assert "filter=" not in page.url

    # A change stands in the address; back takes it away; a reload keeps all.
    page.fill("[data-search-box]", "리나")
    page.wait_for_function("() => location.search.includes('search=')")
    page.click("[data-panel=group]")
    page.click(".gp-order:popover-open [data-key=clear]")
    page.wait_for_function("() => location.search.includes('group=')")
    page.keyboard.press("Escape")
    page.go_back()
    page.wait_for_function("() => !location.search.includes('group=')")
    ours = [shot.pk for shot in by_length if "리나" in shot.description or shot.characters.filter(name="리나").exists()]
    wait_shown(page, ours)
    link = page.url.replace(page.evaluate("location.origin"), "")
    page.reload()
    wait_loaded(page)
    wait_shown(page, ours)
    assert page.input_value("[data-search-box]") == "리나"
    page.wait_for_function(
        "async (url) => (await (await fetch(url)).json()).config.search === '리나'",
        arg=f"/api/v1/projects/{project.code}/shots/view/",
    )

    # The link shows a colleague the same; without it they choose the view by its name, and may not change it.
    other.goto(link)
    wait_loaded(other)
    wait_shown(other, ours)
    other.goto(f"/projects/{project.code}/shots/?view=0")
    wait_loaded(other)
    assert len(shown(other)) == 12
    other.click("[data-panel=views]")
    other.click(".gp-menu >> text=긴 컷과 클로즈업")
    wait_shown(other, [shot.pk for shot in by_length])
    pick(other, "sort", "code")
    assert other.locator(".gp-save").is_hidden()
    other.click("[data-panel=views]")
    assert other.locator(".gp-menu >> text=Remove the view").count() == 0
    other.click(".gp-menu >> text=Back to the saved view")
    wait_shown(other, [shot.pk for shot in by_length])

    # The lead makes it everybody's first view, then takes it away; undo brings it back.
    page.click("[data-panel=views]")
    page.click(".gp-menu >> text=Make it the project's default")
    processes.wait_until(lambda: TableSettings.objects.filter(project=project, default_view=view).exists())
    page.click("[data-panel=views]")
    page.click(".gp-menu >> text=Remove the view")
    page.click("#confirm-dialog [data-confirm-yes]")
    processes.wait_until(lambda: SavedView.objects.get(pk=view.pk).removed_at is not None)
    grid(page, "grid.command('undo')")
    processes.wait_until(lambda: SavedView.objects.get(pk=view.pk).removed_at is None)


def test_only_this_value_and_rows_that_leave_the_filter(page: Any, project: Any, shots: list[Shot]) -> None:
    open_grid(page, project)
    cell(page, shots[1].pk, "size").click(button="right")
    page.click(".gp-menu >> text=Only this value")
    wide = [shot.pk for shot in shots if shot.size == "WS"]
    wait_shown(page, wide)
    # An edit that no longer matches stays until its row is left.
    page.keyboard.press("Escape")
    grid(page, "grid.range.setActive({ row: 0, cell: grid.columnSet.indexOf('size') })")
    grid(page, "grid.commit([{ id: args[0], field: 'size', value: 'CU' }], 'edit')", wide[0])
    wait_saved(page)
    page.wait_for_timeout(600)
    assert shown(page) == wide
    leaving = page.locator(".slick-row.is-leaving .tg-rowhead")
    assert [mark.get_attribute("title") for mark in leaving.all()] == [
        "This row no longer matches the filter. It is hidden once you leave it."
    ]
    grid(page, "grid.range.setActive({ row: 1, cell: 1 })")
    wait_shown(page, wide[1:])
    # The sheet of this view: the rows and columns that are shown.
    grid(page, "document.querySelector('[data-grid]').panels.state.change({ columns: [['code', 90], ['size', 90]] })")
    link = grid(page, "document.querySelector('[data-grid]').panels.views.exportUrl('json')")
    sheet = page.evaluate("async (url) => (await fetch(url)).json()", link)
    assert [row["Shot"] for row in sheet] == [shot.code for shot in shots if shot.pk in wide[1:]]
    assert "Size" in sheet[0]
    assert "Description" not in sheet[0]
    page.click(".gp-chips >> text=Clear all")
    grid(page, "document.querySelector('[data-grid]').panels.state.reset()")
    wait_shown(page, [shot.pk for shot in shots])
    cell(page, shots[0].pk, "characters").click(button="right")
    page.click(".gp-menu >> text=Not this value")
    wait_shown(page, [])
    page.wait_for_selector(".tg-message")
    page.click("[data-panel=filter]")
    page.click(".gp-filter [data-key=clear]")
    wait_shown(page, [shot.pk for shot in shots])


def test_a_look_that_was_changed_just_before_leaving_is_kept(page: Any, project: Any, shots: list[Shot]) -> None:
    open_grid(page, project)
    assert page.locator("[data-grid]").get_attribute("data-row") == "m"
    grid(page, "document.querySelector('[data-grid]').panels.state.change({ row: 'l' }, true)")
    page.goto("/")
    open_grid(page, project)
    assert page.locator("[data-grid]").get_attribute("data-row") == "l"


def test_a_menu_chooses_nothing_for_the_mouse(page: Any, project: Any, shots: list[Shot]) -> None:
    open_grid(page, project)
    cell(page, shots[1].pk, "size").click(button="right")
    focused = "() => document.activeElement.getAttribute('role')"
    assert page.evaluate(focused) == "menu"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "menuitem"
    page.keyboard.press("Escape")
    page.locator(".gp-tools button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".gp-menu")
    assert page.evaluate(focused) == "menuitemradio"
