"""Own columns, status and history in the grid's panels, in Chromium; and who is there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from aipipeline.history.project_services import set_member
from aipipeline.tables.models import CustomColumn, ViewChoice
from shots.models import Shot, ShotStep
from shots.services import moves
from shots.services.editing import update_shots
from tests.e2e.gridpage import grid, open_grid, wait_loaded, wait_saved, wait_text
from tests.e2e.panelpage import log_in, twelve_shots, wait_shown
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


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
    assert stored[keys["Note"]] == "비 오는 날"
    assert stored[keys["Takes"]] == 12
    assert stored[keys["Checked"]] is True
    assert stored[keys["Shooting day"]] == "2026-11-25"
    assert stored[keys["Editor"]] == admin_user.pk

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
    page.wait_for_selector(".gp-dialog", state="detached")
    page.wait_for_function(
        "(key) => document.querySelector('[data-grid]').grid.options(key).some(({ label }) => label === '긴장')",
        arg=names["Mood"],
    )
    grid(page, "grid.slick.scrollCellIntoView(0, grid.columnSet.indexOf(args[0]))", names["Mood"])
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
    before: list[str] = grid(page, "grid.columnSet.widths().map(([name]) => name)")
    page.focus(".gp-columns [data-key='grip-size']")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    columns = grid(page, "grid.columnSet.widths().map(([name]) => name)")
    assert "angle" not in columns
    assert columns.index("size") == before.index("size") - 1
    assert sorted(columns) == sorted(before)
    kept = ViewChoice.objects.filter(project=project, user=admin_user)
    processes.wait_until(lambda: [name for name, _ in kept.get().config.get("columns", [])] == columns)
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
        moves.move_shots_to(project=project, actor=admin_user, ids=[*ids[:2], ids[4]], to=to)
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
    done = ShotStep.objects.filter(shot__in=ids[:4], state="approved")
    assert done.count() == 0
    page.click(".gp-dialog .btn.primary:has-text('Move the other 2')")
    processes.wait_until(lambda: done.count() == 2)
    page.wait_for_selector(".toast:has-text('2 rows are now')")

    # Sending back needs a reason. One cell, by the keyboard.
    grid(page, "grid.chooseRows(null, false)")
    grid(page, "grid.range.setActive({ row: 4, cell: grid.columnSet.indexOf('status') })")
    grid(page, "grid.input.focus()")
    page.keyboard.press("Enter")
    page.wait_for_selector(".gp-menu")
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    page.wait_for_selector(".gp-dialog textarea")
    page.click(".gp-dialog .btn.primary")
    assert "a reason is needed" in page.inner_text(".gp-dialog .errors")
    assert Shot.objects.get(pk=ids[4]).status == "review"
    page.click(".gp-quick button >> nth=1")
    page.click(".gp-dialog .btn.primary")
    processes.wait_until(lambda: Shot.objects.get(pk=ids[4]).status == "ready")
    page.hover("[data-undo]")
    page.wait_for_function("() => document.querySelector('[data-undo]').title.startsWith('Undo: Changed a status')")


def test_the_history_of_a_row_puts_cells_back_and_shows_who_is_there(
    page: Any, other: Any, project: Any, admin_user: Any, artist: Any, shots: list[Shot]
) -> None:
    first = shots[0]
    before = first.description
    update_shots(
        project=project, actor=artist, items=[{"id": first.pk, "fields": {"description": "새 화면", "size": "WS"}}]
    )
    open_grid(page, project)
    open_grid(other, project)
    # A colleague stands on a cell: their face in the toolbar, their name on the cell.
    grid(other, "grid.range.setActive({ row: 3, cell: grid.columnSet.indexOf('description') })")
    face = page.locator(".gp-faces .gp-face")
    face.wait_for()
    assert face.get_attribute("title") == f"아티스트 · {shots[3].code} · Description"
    page.wait_for_selector(f".slick-row[data-id='{shots[3].pk}'] .slick-cell.gp-here[data-field=description]")
    other.wait_for_selector(".gp-faces .gp-face")
    face.click()
    assert grid(page, "grid.range.item.id") == shots[3].pk

    # Alt+H shows who changed what; one cell is put back, and that is a step of its own.
    grid(page, "grid.range.setActive({ row: 0, cell: 1 })")
    page.keyboard.press("Alt+h")
    entry = page.locator(".gp-entry").first
    entry.wait_for()
    assert entry.locator("header b").inner_text() == "아티스트"
    row = entry.locator("dt:has-text('Description') + dd")
    assert row.locator("del").inner_text() == before
    assert row.locator("ins").inner_text() == "새 화면"
    entry.locator("dt:has-text('Description') button").click()
    processes.wait_until(lambda: Shot.objects.get(pk=first.pk).description == before)
    assert Shot.objects.get(pk=first.pk).size == "WS"
    page.wait_for_function("() => document.querySelectorAll('.gp-entry').length >= 3")
    wait_text(page, first.pk, "description", before)
    page.keyboard.press("Escape")
    page.wait_for_selector(".gp-drawer", state="hidden")

    # Undo leaves alone what a colleague wrote since, and says which cell and why.
    update_shots(project=project, actor=artist, items=[{"id": first.pk, "fields": {"description": "그 뒤에"}}])
    wait_text(page, first.pk, "description", "그 뒤에")
    page.keyboard.press("Control+z")
    toast = page.locator(".toast:has-text('Undone, but not all of it:')")
    toast.wait_for()
    assert f"{first.code} · Description: " in toast.inner_text()
    assert Shot.objects.get(pk=first.pk).description == "그 뒤에"

    # The colleague leaves: nobody is there any more.
    other.goto("about:blank")
    page.wait_for_selector(".gp-faces .gp-face", state="detached")
    page.wait_for_selector(".slick-cell.gp-here", state="detached")
