"""The prompt panel in Chromium: dialects, translations in place, by hand and back; by keyboard, in both languages."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from assets.models import Character, CinematicPreset, LoRA
from renders.services.workflows import sync_workflows
from shots.models import Shot, Translation
from tests.doubles.llm.process import LlmDouble, running
from tests.factories import applied_project
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
# Boxes inside the panel whose content is wider than they are.
NOTHING_CUT = """[...document.querySelectorAll("#prompt-panel *")].filter((e) =>
  e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && !e.closest(".sr, select, svg"))
  .map((e) => e.outerHTML.slice(0, 200))"""


@pytest.fixture
def farm(transactional_db: None, own_storage: None) -> Iterator[dict[str, processes.Process]]:
    """The web alone: nothing is rendered here."""
    started: dict[str, processes.Process] = {}
    yield started
    for process in started.values():
        process.stop()


@pytest.fixture
def llm() -> Iterator[LlmDouble]:
    with running() as double:
        yield double


@pytest.fixture
def site(farm: dict[str, processes.Process], request: pytest.FixtureRequest) -> str:
    """With the language model, for a test that has one."""
    double = request.getfixturevalue("llm") if "llm" in request.fixturenames else None
    farm["web"], url = processes.web(**({"LLM_URL": double.url} if double else {}))
    return url


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Shot:
    shots = applied_project(project, admin_user)
    sync_workflows()
    lora = LoRA.objects.create(project=project, name="rina", path="faces/rina.safetensors", strength=0.8)
    Character.objects.filter(name="리나").update(
        use_lora=True, lora=lora, trigger_words="rina_v2", default_clothing="grey sweater"
    )
    look = CinematicPreset.objects.create(
        project=project, name="심야", camera="ARRI Alexa 35", lens="35mm", lighting="soft key from the left"
    )
    Shot.objects.filter(pk=shots[0].pk).update(preset=look, emotion="설렘", movement="push_in")
    return Shot.objects.get(pk=shots[0].pk)


def panel(page: Any, shot: Shot, family: str) -> None:
    page.goto(f"/projects/TEST/shots/{shot.pk}/")
    page.wait_for_selector("#prompt-panel")
    if page.input_value("#prompt-family") != family:
        page.focus("#prompt-family")
        page.select_option("#prompt-family", family)
        page.wait_for_selector(f"#prompt-panel[data-live-url$='family={family}']")


def positive(page: Any) -> Any:
    return page.locator("[data-side=positive]")


def test_the_panel_fits_in_both_languages(page: Any, shot: Shot) -> None:
    for language in ("ko", "en"):
        page.context.add_cookies(
            [{"name": "django_language", "value": language, "url": page.evaluate("location.origin")}]
        )
        panel(page, shot, "sd")
        expect(page.locator("html")).to_have_attribute("lang", language)
        for width in (1280, 1920):
            page.set_viewport_size({"width": width, "height": 1000})
            box = page.locator("#prompt-panel").bounding_box()
            assert box["x"] + box["width"] <= width
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(NOTHING_CUT) == []
        words = page.locator(".prompt-legend .pw")
        colours = {words.nth(n).evaluate("e => getComputedStyle(e).color") for n in range(words.count())}
        assert len(colours) == words.count() >= 5


def test_translated_changed_by_hand_and_undone_by_keyboard(llm: LlmDouble, page: Any, shot: Shot) -> None:
    panel(page, shot, "flux")
    expect(positive(page)).to_contain_text("리나")
    assert page.locator("[data-warning=untranslated]").count() == 1
    page.focus("#prompt-translate")
    page.keyboard.press("Enter")
    page.wait_for_selector("#prompt-translate", state="detached")
    expect(positive(page)).not_to_contain_text("리나")
    assert page.locator("[data-warning]").count() == 0
    # A person's wording, typed and saved by keyboard.
    words = page.locator(".prompt-translation textarea").first
    words.fill("Lina opens her laptop")
    words.press("Tab")
    page.keyboard.press("Enter")
    expect(positive(page)).to_contain_text("Lina opens")
    assert Translation.objects.filter(origin="person").count() == 1
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    expect(positive(page)).not_to_contain_text("Lina opens")
    assert Translation.objects.filter(origin="person").count() == 0
    # The row behind a word is one press away.
    href = page.locator(".prompt-legend a").nth(2).get_attribute("href")
    assert href.startswith("/projects/TEST/")


def test_by_hand_and_back(page: Any, shot: Shot) -> None:
    panel(page, shot, "wan")
    built = positive(page).text_content()
    page.focus("#prompt-take")
    page.keyboard.press("Enter")
    page.wait_for_selector("#prompt-own")
    assert Shot.objects.get(pk=shot.pk).prompt == built
    page.fill("#prompt-own", "손으로 쓴 글")
    page.click("#prompt-save")
    expect(positive(page)).to_have_text("손으로 쓴 글")
    page.click("#prompt-build")
    page.wait_for_selector("#prompt-take")
    assert positive(page).text_content() == built
    assert Shot.objects.get(pk=shot.pk).prompt == ""


def test_an_edit_elsewhere_reaches_the_open_panel(page: Any, shot: Shot, project: Any, admin_user: Any) -> None:
    from shots.services.editing import update_shots

    panel(page, shot, "ltx")
    page.wait_for_selector("[data-connection][data-state=open]", state="attached")
    words = page.locator(".prompt-translation textarea").last
    words.fill("half a translation")
    page.locator("h1").click()  # it is written, and not saved
    item = {"id": shot.pk, "fields": {"description": "Snow falls on the harbour"}}
    update_shots(project=project, actor=admin_user, items=[item])
    expect(positive(page)).to_contain_text("Snow falls")
    kept = page.locator(".prompt-translation textarea").evaluate_all("(all) => all.map((one) => one.value)")
    assert kept.count("half a translation") == 1
    assert page.input_value("#prompt-family") == "ltx"
