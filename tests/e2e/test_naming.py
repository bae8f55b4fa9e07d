"""The naming page in Chromium: what a template makes is shown while it is written, also by an input method."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from aipipeline.projects.models import Project
from assets.naming import DEFAULTS
from tests.factories import applied_project
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SHOT, TOLD = "#naming-shot", "#naming-told-shot"


@pytest.fixture
def farm(transactional_db: None, own_storage: None) -> Iterator[dict[str, processes.Process]]:
    """The web alone: nothing is rendered here."""
    started: dict[str, processes.Process] = {}
    yield started
    for process in started.values():
        process.stop()


def saved(project: Any) -> Any:
    return Project.objects.get(pk=project.pk).naming


def test_a_template_is_tried_while_it_is_written_saved_and_taken_back(page: Any, project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    page.goto(f"/projects/{project.code}/naming/")
    page.wait_for_selector(f"{TOLD} >> text=scenes/SCN_010/shots/SHT_0010")

    # Typed wrong: the error, its place, and nothing to save.
    page.fill(SHOT, "샷/{shto}")
    page.wait_for_selector(f"{TOLD} >> text=Did you mean {{shot}}?")
    assert page.get_attribute(SHOT, "aria-invalid") == "true"
    page.click(f"{TOLD} .naming-place")
    assert page.evaluate("getSelection().toString()") == "{shto}"

    # A click puts the right token over what the place selected.
    page.click(f".naming-row:has({SHOT}) .naming-token >> text=shot")
    assert page.input_value(SHOT) == "샷/{shot}"
    page.wait_for_selector(f"{TOLD} >> text=샷/SHT_0010")
    assert page.get_attribute(SHOT, "aria-invalid") is None

    # A syllable that is being composed is asked about when it is whole.
    asked: list[str] = []
    page.on("request", lambda request: request.url.endswith("/preview/") and asked.append(request.post_data or ""))
    devtools = page.context.new_cdp_session(page)
    page.focus(SHOT)
    page.press(SHOT, "Home")
    for text in ("ㅂ", "바", "밤"):
        devtools.send("Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1})
        page.wait_for_timeout(400)
    assert asked == []
    devtools.send("Input.insertText", {"text": "밤"})
    page.wait_for_selector(f"{TOLD} >> text=밤샷/SHT_0010")
    assert len(asked) == 1
    assert saved(project) == {}

    page.click("#naming-save")
    page.wait_for_selector("text=The templates were saved")
    assert saved(project) == {"shot": "밤샷/{shot}"}
    assert "is-editing" not in (page.get_attribute("#naming-form", "class") or "")

    # Undo brings the old one back; what is written and not saved stays when the page refreshes itself.
    page.click("h1")
    page.keyboard.press("Control+z")
    expect(page.locator(SHOT)).to_have_value(DEFAULTS["shot"])
    assert saved(project) == {}
    page.fill(SHOT, "mine/{shot}")
    page.click("h1")
    page.evaluate("document.dispatchEvent(new Event('aip:refresh'))")
    page.wait_for_timeout(1500)
    assert page.input_value(SHOT) == "mine/{shot}"

    page.fill("#naming-path", "P:\\Shows\\TEST\\scenes\\SCN_010\\shots\\SHT_0010\\render\\v002\\x.png")
    page.press("#naming-path", "Enter")
    page.wait_for_selector("#naming-read dd >> text=SHT_0010")
    assert "render" in page.inner_text("#naming-read")


def test_a_template_that_breaks_the_tree_is_not_saved_and_defaults_come_back(
    page: Any, project: Any, admin_user: Any
) -> None:
    applied_project(project, admin_user)
    page.goto(f"/projects/{project.code}/naming/")
    page.fill(SHOT, "scenes/{scene}")
    page.wait_for_selector(f"{TOLD} >> text=would be one folder")
    page.click("#naming-save")
    page.wait_for_selector("[data-form-errors] >> text=The templates were not saved")
    assert saved(project) == {}
    assert page.input_value(SHOT) == "scenes/{scene}"
    page.click("[data-defaults]")
    page.wait_for_selector(f"{TOLD} >> text=scenes/SCN_010/shots/SHT_0010")
    page.click("#naming-save")
    page.wait_for_selector("text=The templates were saved")
