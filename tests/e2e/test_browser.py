"""The whole way in Chromium: from a pasted scenario to a downloaded film."""

import re
from pathlib import Path
from typing import Any

import pytest

from aipipeline.media.probe import probe
from renders.models import Version
from shots.models import Shot
from tests.e2e.gridpage import cell, grid, wait_loaded
from tests.factories import SCRIPT
from tests.harness import processes
from timeline.models import Movie

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_from_a_pasted_scenario_to_a_downloaded_film(page: Any, project: Any, tmp_path: Path) -> None:
    base = f"/projects/{project.code}"
    page.goto(f"{base}/scenario/")
    page.fill("textarea[name=text]", SCRIPT)
    page.click("#analyse")
    page.wait_for_selector("#apply-draft")
    page.click("#apply-draft")
    page.wait_for_url(f"**{base}/shots/")
    wait_loaded(page)
    shots = list(Shot.objects.live().order_by("position"))
    assert grid(page, "grid.items().map((item) => item.id)") == [shot.pk for shot in shots]

    cell(page, shots[0].pk, "description").dblclick()
    page.keyboard.press("Control+A")
    page.keyboard.type("창가의 리나")
    page.keyboard.press("Enter")
    processes.wait_until(lambda: Shot.objects.get(pk=shots[0].pk).description == "창가의 리나")

    page.click("#confirm-tree")
    page.click("#confirm-now")
    page.wait_for_selector("#confirm-result")
    processes.wait_until(lambda: not Shot.objects.live().filter(locked=False).exists())
    assert (project.root / "scenes/SCN_010/shots" / shots[0].code / "shot_meta.json").is_file()

    page.goto(f"{base}/storyboard/")
    page.click("#generate-missing")
    processes.wait_until(lambda: Version.objects.live().filter(kind="previz").count() == len(shots), seconds=60)
    page.wait_for_selector(".panel .thumb img >> nth=0")
    page.wait_for_function(f"() => document.querySelectorAll('.panel .thumb img').length === {len(shots)}")

    page.goto(f"{base}/timeline/")
    page.click("#make-proxy")
    processes.wait_until(lambda: Movie.objects.filter(kind="proxy").exists(), seconds=60)
    page.wait_for_function("() => document.querySelector('[data-player] video')?.readyState >= 2")
    total = Movie.objects.get(kind="proxy").frames
    assert page.evaluate("Math.round(document.querySelector('[data-player] video').duration * 24)") == total

    clip = page.locator(".tl-clip").first
    clip.click()
    page.keyboard.press("Alt+ArrowRight")
    processes.wait_until(lambda: Shot.objects.live().order_by("position").first().pk == shots[1].pk)  # type: ignore[union-attr]

    page.goto(f"{base}/timeline/")
    page.click("[popovertarget=export-menu]")
    with page.expect_download() as edl:
        page.click("#export-edl")
    text = Path(edl.value.path()).read_text()
    events = re.findall(r"^\d{3}  ", text, re.MULTILINE)
    assert len(events) == len(shots)
    assert text.index(shots[1].code) < text.index(shots[0].code)

    page.reload()
    page.click("#make-film")
    processes.wait_until(lambda: Movie.objects.filter(kind="film").exists(), seconds=60)
    page.wait_for_selector("#download-film")
    with page.expect_download() as film:
        page.click("#download-film")
    target = tmp_path / "film.mp4"
    film.value.save_as(target)
    assert probe(target).frames == total


def test_every_page_is_there_in_both_languages(page: Any, project: Any) -> None:
    base = f"/projects/{project.code}"
    for language in ("ko", "en"):
        page.goto("/")
        page.locator(f"form.segmented button[name=language][value={language}]").click()
        page.wait_for_function(f"() => document.documentElement.lang === '{language}'")
        for path in ("/", f"{base}/", *(f"{base}/{name}/" for name in
                     ("scenario", "shots", "assets", "storyboard", "timeline", "mirror", "farm",
                      "activity"))):  # fmt: skip
            answer = page.goto(path, wait_until="load")
            assert answer.status == 200, path
            assert page.locator("h1").count() >= 1, path
