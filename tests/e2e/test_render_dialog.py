"""In the browser: shots ticked in the list are rendered by the dialog with inputs picked for them, up to their batch's
page; presets are saved there and kept in order on their own page."""

from pathlib import Path
from typing import Any

import pytest

from comfy_adapters.tests.clips import moving
from renders.models import Experience, RenderBatch, RenderJob, RenderPreset, Version, Workflow
from renders.services.publishing import publish_files
from shots.models import Shot
from tests.e2e.gridpage import open_grid
from tests.factories import applied_project, picture
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shots(site: str, project: Any, admin_user: Any, tmp_path: Path) -> list[Shot]:
    """Two with first images, the third with a clip."""
    made = applied_project(project, admin_user)
    for shot in made[:2]:
        file = picture(tmp_path / f"{shot.code}.png")
        publish_files(owner=shot, kind="previz", files={"a.png": file}, actor=admin_user)
    clip = moving(tmp_path / "c.mp4", frames=6)
    publish_files(owner=made[2], kind="render", files={"c.mp4": clip}, actor=admin_user)
    return made


def tick(page: Any, shots: list[Shot]) -> None:
    for shot in shots:
        head = page.locator(f".slick-row[data-id='{shot.pk}'] .tg-rowhead")
        head.hover()
        head.click(position={"x": 26, "y": 22})


def choose(page: Any, words: str, value: str) -> None:
    """A workflow or preset by the search, as one types it."""
    page.locator("[data-render-search]").fill(words)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#render-shown[value='{value}']", state="attached")


def test_from_ticked_shots_to_their_batch_with_a_driving_clip(
    page: Any, project: Any, shots: list[Shot], tmp_path: Path
) -> None:
    animate = Workflow.objects.get(key="comfy.wan_animate")
    usual = animate.needs["usual"]["steps"]
    for shot in shots[:2]:
        size = {"width": project.width, "height": project.height, "frames": shot.duration_frames}
        Experience.objects.get_or_create(workflow=animate, **size, vram_gb=24, succeeded=1, seconds=30.0)
    clip = Version.objects.get(kind="render")
    open_grid(page, project)
    tick(page, shots[:2])
    page.click("#render-chosen")
    dialog = page.locator("#render-dialog[open]")
    dialog.locator("text=Render 2 shots").wait_for()

    choose(page, "fill inpaint", "w:comfy.inpaint_flux_fill")
    mask = dialog.locator("[data-render-input=mask_image]")
    mask.locator("text=refused without it").wait_for()
    mask.locator(".render-opener").click()
    mask.locator(".render-opener[aria-expanded=true]").wait_for()
    with page.expect_response("**/inputs/upload/"):
        mask.locator("input[type=file]").set_input_files(picture(tmp_path / "가면.png"))
    mask.locator("text=Mask v001 · for all shots").wait_for()
    made = Version.objects.live().get(kind="mask")
    assert made.shot == shots[0]
    mask.locator("[data-input-clear]").click()
    mask.locator(f"text={shots[1].code} has nothing of the kind Mask").wait_for()  # the other one has its own now
    assert page.evaluate("document.activeElement.id") == "choose-mask_image"

    choose(page, "wan-animate (", "w:comfy.wan_animate")
    driving = dialog.locator("[data-render-input=reference_video]")
    dialog.locator(".render-start").click()
    refused = dialog.locator(f"[role=alert] >> text={shots[0].code}, {shots[1].code} have no driving clip.")
    refused.wait_for()
    box, footer = refused.bounding_box(), dialog.locator("footer").bounding_box()
    assert box["y"] + box["height"] <= footer["y"], "seen without scrolling"
    assert footer["y"] + footer["height"] <= 800
    assert not RenderJob.objects.exists()

    driving.locator(".render-opener").focus()
    page.keyboard.press("Enter")
    page.locator("#picker-search").focus()
    page.keyboard.insert_text("우산 없이")
    driving.locator(f"#pick-{clip.pk}").wait_for(state="attached")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    driving.locator(f"text={shots[2].code} · Render v001 · for all shots").wait_for()
    assert page.evaluate("document.activeElement.id") == f"pick-{clip.pk}"

    estimate = dialog.locator("#render-estimate")
    assert estimate.inner_text() == "about 1:00 of work"
    page.locator("#param-steps").focus()
    page.keyboard.insert_text(str(usual * 2))
    dialog.locator("#render-estimate >> text=about 2:00 of work").wait_for()
    assert page.evaluate("document.activeElement.id") == "param-steps"
    page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    processes.wait_until(lambda: RenderJob.objects.count() == 2)
    for job in RenderJob.objects.all():
        assert (job.inputs["reference_video"], job.params["steps"]) == (clip.pk, usual * 2)
        assert job.inputs["first_image"] is None  # each shot's own

    batch = RenderBatch.objects.get()
    page.locator(".toast:has-text('2 jobs queued.') >> text=Show the batch").click()
    page.wait_for_url(f"**/farm/batches/{batch.pk}/")
    assert sorted(page.locator("#batch .batch-tile a.code").all_inner_texts()) == [s.code for s in shots[:2]]


def test_presets_are_saved_renamed_shared_cloned_and_taken_back(page: Any, project: Any, shots: list[Shot]) -> None:
    page.goto(f"/projects/{project.code}/shots/{shots[0].pk}/")
    page.click("#render-shot")
    choose(page, "flux text", "w:comfy.flux_t2i")
    page.fill("#param-steps", "9")
    page.locator("[data-render-save] summary").click()
    page.fill("[data-preset-name]", "수채화")
    page.locator("[data-render-save] .check input").uncheck()
    page.locator("[data-preset-save]").click()
    page.locator("#render-choices >> text=수채화").wait_for()
    preset = RenderPreset.objects.get()
    assert (preset.name, preset.params, preset.shared) == ("수채화", {"steps": 9}, False)

    page.fill("#param-steps", "11")  # typed after it was saved: for this start alone
    page.keyboard.press("Enter")
    page.locator("#render-dialog").wait_for(state="hidden")
    processes.wait_until(lambda: RenderJob.objects.exists())
    assert (RenderJob.objects.get().params["steps"], RenderPreset.objects.get().params) == (11, {"steps": 9})

    page.click("#render-shot")
    page.click("#render-dialog >> text=Manage presets")
    row = page.locator(f"#preset-{preset.pk}")
    row.locator("input[name=name]").fill("수채화, 밤")
    page.keyboard.press("Enter")
    processes.wait_until(lambda: RenderPreset.objects.filter(name="수채화, 밤").exists())
    row.locator("text=only mine").click()
    row.locator("text=shared").wait_for()
    assert RenderPreset.objects.get().shared
    row.locator("text=Clone").click()
    page.locator("#presets tbody tr").nth(1).wait_for()
    copy = RenderPreset.objects.exclude(pk=preset.pk).get()
    assert (copy.name, copy.shared, copy.params) == ("수채화, 밤 2", False, {"steps": 9})
    row.locator("[aria-label=Remove]").click()
    row.wait_for(state="detached")
    page.locator(".toast:has-text('is removed') [data-undo]").click()
    row.wait_for()
    assert RenderPreset.objects.live().count() == 2
