"""In the browser: a version is made again, two are ticked and compared, and post is started from the shot's page."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from comfy_adapters.tests.clips import moving
from renders.models import JobState, RenderJob, Version
from renders.services.jobs import render_shots
from renders.services.publishing import publish_files
from shots.models import Shot
from tests.factories import applied_project
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def look(page: Any, name: str) -> None:
    """Pictures for people who want to see it: AIP_LOOK names a folder for them."""
    folder = os.environ.get("AIP_LOOK")
    for width in (1280, 1920) if folder else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_versions_are_made_again_compared_and_worked_on(
    page: Any, project: Any, admin_user: Any, tmp_path: Path
) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="first_image", params={"seed": 3})
    images = Version.objects.live().filter(shot=shot, kind="previz")
    processes.wait_until(images.exists, seconds=60)
    page.goto(f"/projects/TEST/shots/{shot.pk}/")
    page.get_by_role("button", name="Reproduce").click()
    dialog = page.locator("#version-action")
    dialog.get_by_text("as they were").wait_for()
    look(page, "reproduce")
    dialog.get_by_role("button", name="Reproduce").click()
    processes.wait_until(lambda: images.count() == 2, seconds=60)
    first, second = images.order_by("number")
    assert second.manifest[0]["sha256"] == first.manifest[0]["sha256"]

    Shot.objects.filter(pk=shot.pk).update(description="비 오는 창가에서 민준을 기다린다")
    row = Shot.objects.select_related("project", "scene__environment", "environment", "preset").get(pk=shot.pk)
    render_shots(project=project, actor=admin_user, shots=[row], step="first_image", params={"seed": 4})
    processes.wait_until(lambda: images.count() == 3, seconds=60)
    page.goto(f"/projects/TEST/shots/{shot.pk}/")
    compare = page.locator("[data-compare]")
    assert compare.is_disabled()
    boxes = page.locator("[data-compare-pick]")
    boxes.nth(0).check()
    assert compare.is_disabled()
    boxes.nth(2).check()
    look(page, "shot")
    compare.click()
    third = images.get(number=3)
    page.wait_for_url(f"**/versions/{first.pk}/compare/{third.pk}/")
    assert page.locator("tr[data-field=seed] td").all_inner_texts() == ["3", "4"]
    assert page.locator("tr[data-field=prompt] ins").count() > 0
    folded = page.locator("details.compare-same")
    assert not folded.locator("tr[data-field=workflow]").is_visible()
    look(page, "compare")
    folded.locator("summary").click()
    assert folded.locator("tr[data-field=workflow]").is_visible()

    clip = moving(tmp_path / "a.mp4", frames=30, size=(320, 180))
    publish_files(owner=shot, kind="render", files={"a.mp4": clip}, actor=admin_user)
    page.goto(f"/projects/TEST/shots/{shot.pk}/")
    page.get_by_role("button", name="Post").click()
    choice = dialog.locator("form", has=page.locator("input[value='local.interpolate']"))
    choice.locator("select").select_option("fps=48")
    look(page, "post")
    choice.get_by_role("button", name="Start").click()
    made = Version.objects.live().filter(shot=shot, kind="comp")
    processes.wait_until(made.exists, seconds=60, what=lambda: RenderJob.objects.values_list("state", "error"))
    assert (made.get().frames, made.get().fps) == (60, "48")
    assert not RenderJob.objects.exclude(state=JobState.SUCCEEDED).exists()
    render = Version.objects.get(shot=shot, kind="render")
    page.goto(f"/projects/TEST/versions/{render.pk}/compare/{made.get().pk}/")
    assert page.locator("tr[data-field=frames] td").all_inner_texts() == ["30", "60"]
    page.locator("#player-b video").wait_for()
    # Both clips move as one, by time: the second has twice the frames a second, and stands still when it is let go.
    shown = page.locator("#player-b [data-player-count]")
    page.locator("#player-a [data-player-do=next]").click()
    expect(shown).to_contain_text("3 / 60")
    page.locator("[data-compare-together]").click()
    page.locator("#player-a [data-player-do=next]").click()
    expect(page.locator("#player-a [data-player-count]")).to_contain_text("3 / 30")
    expect(shown).to_contain_text("3 / 60")
    look(page, "compare-clips")
