"""The production tree in Chromium: by keys alone, copied paths, search, live changes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from renders.models import PathMap
from renders.services.publishing import publish_files
from renders.tests.tree_world import path_of_shot, production
from shots.models import Shot
from tests.factories import picture
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def farm(transactional_db: None, own_storage: None) -> Iterator[dict[str, processes.Process]]:
    """The web alone: nothing is rendered here."""
    started: dict[str, processes.Process] = {}
    yield started
    for process in started.values():
        process.stop()


@pytest.fixture
def shots(project: Any, admin_user: Any, tmp_path: Path) -> list[Shot]:
    for number in range(450):
        folder = project.root / "export" / "dailies"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"d{number}.txt").write_text(str(number))
    return production(project, admin_user, tmp_path)


def shoot(page: Any, name: str) -> None:
    if folder := os.environ.get("TREE_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_the_tree_by_keys_alone(page: Any, project: Any, shots: list[Shot], admin_user: Any, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/projects/{project.code}/")
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_url("**/tree/")
    chosen = page.locator('.tree-item[aria-selected="true"]')
    expect(chosen).to_have_attribute("data-path", "")
    expect(page.locator("#tree-totals")).to_contain_text("files")
    shoot(page, "root")

    chosen.focus()
    page.keyboard.type("scenes")
    expect(chosen).to_have_attribute("data-path", "scenes")
    page.wait_for_timeout(900)
    page.keyboard.press("ArrowRight")
    expect(chosen).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    scene = path_of_shot(shots[0]).split("/")[1]
    expect(chosen).to_have_attribute("data-path", f"scenes/{scene}")

    # A path without a map says what to do; with one it is in the clipboard as this platform writes it.
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_contain_text("path map")
    page.click("#open-path-maps")
    page.fill(".path-map.is-new input[name=windows]", "films")
    page.click(".path-map.is-new button.primary")
    expect(page.locator(".path-map.is-new [data-form-errors]")).to_contain_text("Z:\\productions")
    page.fill(".path-map.is-new input[name=windows]", "Z:\\films")
    page.fill(".path-map.is-new input[name=linux]", "/mnt/films")
    page.click(".path-map.is-new button.primary")
    expect(page.locator(".path-map:not(.is-new)")).to_have_count(1)
    shoot(page, "maps")
    page.keyboard.press("Escape")
    assert PathMap.objects.get().windows == "Z:\\films"
    page.click('[data-platform="windows"]')
    expect(page.locator('[data-path-form="windows"]')).to_have_text(f"Z:\\films\\TEST\\scenes\\{scene}")
    chosen.focus()
    page.keyboard.press("c")
    expect(page.locator(".toast").last).to_contain_text("Z:\\films")
    assert page.evaluate("navigator.clipboard.readText()") == f"Z:\\films\\TEST\\scenes\\{scene}"

    # A link into the tree opens it down to the version; what is published meanwhile appears by itself.
    path = path_of_shot(shots[0])
    page.goto(f"/projects/{project.code}/tree/?path={path}/previz/v003")
    expect(page.locator("#tree-details img").first).to_be_visible()
    expect(chosen).to_have_attribute("data-path", f"{path}/previz/v003")
    expect(page.locator('[data-path-form="windows"]')).to_be_visible()
    shoot(page, "version")
    publish_files(owner=shots[0], kind="previz", files={"새.png": picture(tmp_path / "n.png")}, actor=admin_user)
    fresh = page.locator(f'.tree-item[data-path="{path}/previz/v004"]')
    expect(fresh.locator(".is-latest")).to_be_visible(timeout=15_000)
    expect(page.locator(f'.tree-item[data-path="{path}/previz/v003"] .is-latest')).to_have_count(0)
    chosen.focus()
    for _step in range(3):  # the version closes, its folder is chosen, and closes
        page.keyboard.press("ArrowLeft")
    expect(chosen).to_have_attribute("data-path", f"{path}/previz")
    expect(chosen).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#tree-details h2").first).to_have_text("previz")
    page.keyboard.press("Home")
    expect(chosen).to_have_attribute("data-path", "")

    # Many names come in pages.
    page.goto(f"/projects/{project.code}/tree/?path=export/dailies")
    page.locator('.tree-item[data-path="export/dailies"] > .tree-row .tree-toggle').click()
    page.locator('.tree-item[data-path="export/dailies"] > .tree-row .tree-toggle').click()
    more = page.locator(".tree-item.is-more")
    expect(more).to_contain_text("250")
    more.click()
    expect(page.locator('.tree-item[data-path="export/dailies/d399.txt"]')).to_have_count(1)
    expect(chosen).to_have_attribute("data-path", "export/dailies/d200.txt")
    shoot(page, "pages")

    # Search, by hand and by a pasted path; Escape gives the tree back.
    page.fill("#tree-q", "v002")
    hit = page.locator("a.tree-hit").first
    expect(hit).to_contain_text(f"{path}/previz/v002")
    expect(page.locator("#tree")).to_be_hidden()
    shoot(page, "search")
    page.press("#tree-q", "Escape")
    expect(page.locator("#tree")).to_be_visible()
    page.fill("#tree-q", f"Z:\\films\\TEST\\{path.replace('/', chr(92))}\\previz\\v001\\리나_패널.png")
    expect(hit).to_contain_text("리나_패널.png")
    page.press("#tree-q", "ArrowDown")
    page.keyboard.press("Enter")
    expect(chosen).to_have_attribute("data-path", f"{path}/previz/v001/리나_패널.png")
    expect(page.locator(".tree-picture img")).to_be_visible()
    shoot(page, "file")
    with page.expect_download() as download:
        page.goto(f"/projects/{project.code}/tree/?path={path}/previz")
        page.click('a[href*="/tree/zip/"]')
    assert download.value.suggested_filename == f"{project.code}_{'_'.join(path.split('/')[-2:])}_previz.zip"
