"""The panels of the grid in Chromium: views, filter, sort, group, own columns, status, undo."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aipipeline.tables
from aipipeline.history.project_services import set_member
from aipipeline.tables.models import CustomColumn, SavedView, TableSettings
from aipipeline.tables.registry import table_of
from assets.models import Character
from shots.models import Scene, Shot
from shots.services import moves
from tests.e2e.gridpage import cell, grid, open_grid, wait_loaded, wait_saved, wait_text
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CASES = json.loads((Path(aipipeline.tables.__file__).parent / "tests/filter_cases.json").read_text(encoding="utf-8"))
IN_BROWSER = """async (fixture) => {
  const { compileFilter, searchTest, searchText, wellFormed } = await import("/static/js/grid/filter.js");
  const { Values } = await import("/static/js/grid/values.js");
  const { parseRate, timecode } = await import("/static/js/timecode.js");
  const columns = fixture.columns.map((column) => ({ options: "", ...column }));
  const lists = Object.entries(fixture.options).map(([key, pairs]) => [key, pairs.map(([id, label]) => ({ id, label }))]);
  const rate = parseRate(fixture.fps);
  const values = new Values(Object.fromEntries(lists), rate);
  const text = searchText(columns, (column, value) =>
    column.type === "duration" && value !== null ? timecode(value, rate) : values.text(column, value));
  return fixture.cases.map((one) => {
    const test = "search" in one ? searchTest(one.search, text) : compileFilter(wellFormed(one.filter, columns), columns);
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
    """Twelve shots in two scenes; lengths 1, 2, 3 s in turn; every third one has two people."""
    scenes = [
        Scene.objects.create(project=project, code=f"SCN_0{n}0", heading=f"SCENE {n}", position=n) for n in (1, 2)
    ]
    people = [Character.objects.create(project=project, name=name) for name in ("리나", "민준")]
    rows = [
        {
            "fields": {
                "scene": scenes[n // 6].pk,
                "description": f"{'창가에 앉은 리나' if n % 2 else '골목을 걷는 민준'} {n}",
                "characters": [person.pk for person in people] if n % 3 == 0 else [people[n % 2].pk],
                "size": ("CU", "WS", "MS")[n % 3],
                "duration_frames": 24 * (n % 3 + 1),
            },
            "before": None,
        }
        for n in range(12)
    ]
    table_of("shots").apply_batch(project=project, actor=admin_user, create=rows)
    return list(Shot.objects.live().filter(project=project).order_by("position"))


@pytest.fixture
def other(chromium: Any, site: str, project: Any, admin_user: Any, artist: Any) -> Iterator[Any]:
    """The page of a colleague, in a browser of their own."""
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en", base_url=site)
    page = context.new_page()
    page.set_default_timeout(15_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/login/")
    page.fill("input[name=username]", "artist")
    page.fill("input[name=password]", "pass-for-tests")
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/")
    yield page
    context.close()
    assert errors == []


def shown(page: Any) -> list[int]:
    """Ids of the rows in the order in which they are shown."""
    found: list[int] = grid(page, "grid.rows.shown.filter((row) => !row.isGroup).map((row) => row.id)")
    return found


def wait_shown(page: Any, ids: list[int]) -> None:
    page.wait_for_function(
        "(ids) => { const { grid } = document.querySelector('[data-grid]');"
        " return grid.loaded && JSON.stringify(grid.rows.shown.filter((row) => !row.isGroup).map((row) => row.id)) === ids; }",
        arg=json.dumps(ids, separators=(",", ":")),
    )


def pick(page: Any, panel: str, column: str) -> None:
    """Choose a column in the "… by" list of the sort or group panel."""
    page.click(f"[data-panel={panel}]")
    page.select_option(".gp-order:popover-open [data-key=add]", column)
    page.keyboard.press("Escape")


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
    assert f"view={view.pk}" in page.url and "filter=" not in page.url

    # A change stands in the address; back takes it away; a reload keeps all.
    page.fill("[data-search-box]", "리나")
    page.wait_for_function("location.search.includes('search=')")
    page.click("[data-panel=group]")
    page.click(".gp-order:popover-open [data-key=clear]")
    page.wait_for_function("location.search.includes('group=')")
    page.keyboard.press("Escape")
    page.go_back()
    page.wait_for_function("!location.search.includes('group=')")
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
    grid(page, "grid.range.setActive({ row: 1, cell: 1 })")
    wait_shown(page, wide[1:])
    page.click(".gp-chips >> text=Clear all")
    wait_shown(page, [shot.pk for shot in shots])
    cell(page, shots[0].pk, "characters").click(button="right")
    page.click(".gp-menu >> text=Not this value")
    wait_shown(page, [])
    page.wait_for_selector(".tg-message")
    page.click("[data-panel=filter]")
    page.click(".gp-filter [data-key=clear]")
    wait_shown(page, [shot.pk for shot in shots])


def add_column(page: Any, label: str, kind: str, choices: tuple[str, ...] = ()) -> str:
    page.click("[data-panel=columns]")
    page.click(".gp-columns [data-key=new]")
    page.fill(".gp-dialog .field input", label)
    page.select_option(".gp-dialog select", kind)
    for choice in choices:
        page.locator(".gp-choices .input").last.fill(choice)
        page.keyboard.press("Enter")
    page.click(".gp-dialog .btn.primary")
    page.wait_for_selector(".gp-dialog", state="detached")
    page.wait_for_function(
        "(label) => { const { grid } = document.querySelector('[data-grid]');"
        " return grid.columns.some((one) => one.label === label && grid.columnSet.indexOf(one.name) > 0); }",
        arg=label,
    )
    name: str = grid(page, "grid.columns.find((one) => one.label === args[0]).name", label)
    return name


OWN: list[tuple[str, str, str, str]] = [
    ("Note", "text", "비 오는 날", "비 오는 날"),
    ("Takes", "number", "12", "12"),
    ("Mood", "choice", "Tense", "Tense"),
    ("Checked", "tick", "yes", ""),
    ("Shooting day", "date", "2026-11-25", "2026-11-25"),
    ("Editor", "person", "감독", "감독"),
    ("Board", "link", "https://example.org/b", "example.org/b"),
]


def test_own_columns_of_every_type(page: Any, other: Any, project: Any, admin_user: Any, shots: list[Shot]) -> None:
    set_member(project=project, actor=admin_user, user=admin_user, role="admin")
    open_grid(page, project)
    names: dict[str, str] = {}
    for label, kind, typed, text in OWN:
        name = names[label] = add_column(page, label, kind, ("Calm", "Tense") if kind == "choice" else ())
        grid(page, "grid.commit([{ id: args[0], field: args[1], text: args[2] }], 'edit')", shots[0].pk, name, typed)
        wait_saved(page)
        grid(page, "grid.slick.scrollCellIntoView(0, grid.columnSet.indexOf(args[0]))", name)
        wait_text(page, shots[0].pk, name, text)
    stored = Shot.objects.get(pk=shots[0].pk).custom
    keys = {label: name.removeprefix("custom.") for label, name in names.items()}
    assert stored[keys["Note"]] == "비 오는 날" and stored[keys["Takes"]] == 12 and stored[keys["Checked"]] is True
    assert stored[keys["Shooting day"]] == "2026-11-25" and stored[keys["Editor"]] == admin_user.pk

    # Filter by one, change its choices, and its cells follow.
    grid(page, "document.querySelector('[data-grid]').panels.filter.openWith(args[0])", names["Mood"])
    page.fill(".gp-filter [data-key='value-0']", "ten")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    wait_shown(page, [shots[0].pk])
    grid(page, "document.querySelector('[data-grid]').panels.columns.edit.edit(grid.column(args[0]))", names["Mood"])
    page.locator(".gp-choices .input").nth(1).fill("긴장")
    page.click(".gp-dialog .btn.primary")
    wait_text(page, shots[0].pk, names["Mood"], "긴장")
    page.click(".gp-chips >> text=Clear all")

    # Rename a built-in column, hide one, and move one: after a reload and for a colleague's eyes.
    page.click("[data-panel=columns]")
    page.fill(".gp-columns [data-key=column-search]", "")
    page.click(".gp-columns [data-key='more-description']")
    page.click(".gp-menu >> text=Rename")
    page.fill(".gp-dialog .field input", "화면")
    page.click(".gp-dialog .btn.primary")
    page.wait_for_selector(".slick-header-column:has-text('화면')")
    page.click("[data-panel=columns]")
    page.uncheck(".gp-columns [data-key='show-angle']")
    page.focus(".gp-columns [data-key='grip-size']")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    columns = grid(page, "grid.columnSet.widths().map(([name]) => name)")
    assert "angle" not in columns and columns.index("size") == columns.index("environment") - 1
    page.wait_for_function(
        "async ([url, want]) => JSON.stringify((await (await fetch(url)).json()).config.columns?.map(([name]) => name)) === want",
        arg=[f"/api/v1/projects/{project.code}/shots/view/", json.dumps(columns, separators=(",", ":"))],
    )
    page.reload()
    wait_loaded(page)
    assert grid(page, "grid.columnSet.widths().map(([name]) => name)") == columns
    other.goto(f"/projects/{project.code}/shots/")
    wait_loaded(other)
    assert grid(other, "grid.column('description').own_label") == "화면"
    assert set(names.values()) <= set(grid(other, "grid.columns.map((one) => one.name)"))

    # Removing asks, keeps the cells, and is undone.
    page.click("[data-panel=columns]")
    page.fill(".gp-columns [data-key=column-search]", "Note")
    page.click(f".gp-columns [data-key='more-{names['Note']}']")
    page.click(".gp-menu >> text=Remove")
    page.click("#confirm-dialog [data-confirm-yes]")
    page.wait_for_function("(name) => !document.querySelector('[data-grid]').grid.column(name)", arg=names["Note"])
    assert Shot.objects.get(pk=shots[0].pk).custom[keys["Note"]] == "비 오는 날"
    grid(page, "grid.command('undo')")
    page.wait_for_function("(name) => document.querySelector('[data-grid]').grid.column(name)", arg=names["Note"])
    assert CustomColumn.objects.live().filter(project=project).count() == len(OWN)
    assert grid(page, "grid.item(args[0])[args[1]]", shots[0].pk, names["Note"]) == "비 오는 날"


def test_many_shots_change_their_status_and_a_refusal_says_which(
    page: Any, project: Any, admin_user: Any, shots: list[Shot]
) -> None:
    ids = [shot.pk for shot in shots]
    for to in ("ready", "generating", "review"):
        moves.move_shots_to(project=project, actor=admin_user, ids=ids[:2], to=to)
    moves.move_shots_to(project=project, actor=admin_user, ids=ids[2:3], to="ready")
    open_grid(page, project)
    grid(page, "grid.chooseRows(grid.items().slice(0, 4), true)")
    page.click(".gp-bulk-status")
    # First two are in review, the third is ready, the fourth a draft: "Approved" is open to two of four.
    entry = page.locator(".gp-menu .menu-item:has-text('Approved')")
    assert re.sub(r"\s+", " ", entry.inner_text()) == "Approved 2 of 4"
    entry.click()
    page.wait_for_selector(".gp-refused")
    refused = page.locator(".gp-refused li").all_inner_texts()
    assert [text.split("\n")[0] for text in refused] == [shots[2].code, shots[3].code]
    assert Shot.objects.filter(pk__in=ids, status="approved").count() == 0
    page.click(".gp-dialog .btn.primary:has-text('Move the other 2')")
    processes.wait_until(lambda: Shot.objects.filter(pk__in=ids[:2], status="approved").count() == 2)
    wait_text(page, ids[0], "code", shots[0].code)
    page.wait_for_function(
        "(id) => document.querySelector('[data-grid]').grid.item(id).status === 'approved'", arg=ids[1]
    )

    # Sending back needs a reason. One cell, by the keyboard.
    moves.move_shots_to(project=project, actor=admin_user, ids=ids[:1], to="review")
    page.wait_for_function(
        "(id) => document.querySelector('[data-grid]').grid.item(id).status === 'review'", arg=ids[0]
    )
    grid(page, "grid.chooseRows(null, false)")
    grid(page, "grid.range.setActive({ row: 0, cell: grid.columnSet.indexOf('status') })")
    grid(page, "grid.input.focus()")
    page.keyboard.press("Enter")
    page.wait_for_selector(".gp-menu")
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    page.wait_for_selector(".gp-dialog textarea")
    page.click(".gp-dialog .btn.primary")
    assert "a reason is needed" in page.inner_text(".gp-dialog .errors")
    assert Shot.objects.get(pk=ids[0]).status == "review"
    page.click(".gp-quick button >> nth=1")
    page.click(".gp-dialog .btn.primary")
    processes.wait_until(lambda: Shot.objects.get(pk=ids[0]).status == "ready")
    page.hover("[data-undo]")
    page.wait_for_function("document.querySelector('[data-undo]').title.startsWith('Undo: Changed a status')")
