"""Mirrors in the browser: add one, test its place, run it, see a conflict and a cancel."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from mirror.models import MirrorTarget
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def files_worker(farm: dict[str, processes.Process]) -> None:
    if "files" not in farm:
        farm["files"] = processes.celery("files", "files", slots=2, pool="threads")


def shoot(page: Any, name: str) -> None:
    """Kept only for who asks for pictures of the pages."""
    if folder := os.environ.get("AIP_TEST_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_a_mirror_from_the_first_click_to_a_conflict(
    page: Any, project: Any, files_worker: None, tmp_path: Path
) -> None:
    for n in range(30):
        (project.root / f"scenes/{n:02d}").mkdir(parents=True)
        (project.root / f"scenes/{n:02d}/한글.png").write_bytes(os.urandom(100_000))
    page.goto(f"/projects/{project.code}/mirror/")
    shoot(page, "empty")
    page.locator(".empty button").click()
    dialog = page.locator("#mirror-dialog")
    dialog.get_by_label("Name").fill("NAS")
    dialog.get_by_label("S3 storage").check()
    assert dialog.get_by_label("Bucket").is_visible()
    assert not dialog.get_by_label("Folder", exact=True).is_visible()
    shoot(page, "dialog-s3")
    dialog.get_by_label("Folder (NAS)").check()
    place = dialog.locator("input[name=path]")
    place.fill("relative")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("must be given from the root").first.wait_for()
    place.fill(str(tmp_path / "none" / "mirror"))
    dialog.get_by_role("button", name="Test this target").click()
    dialog.locator("#mirror-test .notice.bad").get_by_text("There is no folder").wait_for()
    shoot(page, "dialog-test")
    place.fill(str(tmp_path / "nas"))
    dialog.get_by_role("button", name="Test this target").click()
    dialog.locator("#mirror-test .notice.ok").wait_for()
    dialog.get_by_role("button", name="Save").click()
    card = page.locator(".mirror")
    card.get_by_role("button", name="Dry run").click()
    card.get_by_text("would copy 30 new").wait_for()
    shoot(page, "dry")
    MirrorTarget.objects.update(limit_mb=0.5)
    card.get_by_role("button", name="Run now").click()
    card.locator("[data-progress-message]").get_by_text(re.compile("Copying")).wait_for()
    page.wait_for_timeout(2500)
    shoot(page, "running")
    card.get_by_role("button", name="Cancel").click()
    card.locator(".tag", has_text="Cancelled").wait_for()
    MirrorTarget.objects.update(limit_mb=0)
    target = tmp_path / "nas" / "scenes/07/한글.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"by hand")
    (tmp_path / "nas" / "notes.txt").write_bytes(b"mine")
    card.get_by_role("button", name="Run now").click()
    card.locator(".tag", has_text="Needs attention").wait_for()
    card.get_by_text("scenes/07/한글.png").wait_for()
    assert target.read_bytes() == b"by hand"
    shoot(page, "attention")
    os.rename(tmp_path / "nas", tmp_path / "away")
    card.get_by_role("button", name="Verify").click()
    card.locator(".notice.bad").get_by_text("not mounted").wait_for()
    shoot(page, "away")
    page.set_viewport_size({"width": 1920, "height": 1080})
    shoot(page, "away-1920")
    card.get_by_role("button", name="Change").click()
    dialog.get_by_label("When").select_option("60")
    dialog.get_by_role("button", name="Save").click()
    card.get_by_text("Every hour").wait_for()
    page.locator("form.segmented button[name=language][value=ko]").click()
    page.wait_for_function("() => document.documentElement.lang === 'ko'")
    shoot(page, "korean-1920")
    page.set_viewport_size({"width": 1280, "height": 800})
    shoot(page, "korean")
    page.locator(".mirror [hx-get]").click()
    page.locator("#mirror-dialog input[name=path]").wait_for()
    shoot(page, "korean-dialog")
