"""The farm in Chromium: renders started by the dialog on a ComfyUI worker, watched, filtered, drained and cancelled."""

from collections.abc import Iterator
from typing import Any

import pytest

from renders.models import JobState, Pause, RenderJob, Version, Worker, Workflow
from renders.services.jobs import render_shots
from shots.models import Shot
from tests.doubles.comfyui.process import ComfyDouble, start
from tests.factories import applied_project
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CLASSES = "gpu.vram24,gpu.vram16,gpu.vram8"


@pytest.fixture
def comfy() -> Iterator[ComfyDouble]:
    double = start("0.33.0", "--step-seconds", "0.15")
    yield double
    double.stop()


@pytest.fixture
def shots(project: Any, admin_user: Any, site: str, farm: Any, comfy: ComfyDouble) -> list[Shot]:
    """Three shots, and a worker that drives the server."""
    made = applied_project(project, admin_user)
    Workflow.objects.filter(key="comfy.flux_t2i").update(slots=["seed", "steps", "cfg"])
    farm["gpu"] = processes.celery(
        "gpu-1", CLASSES, slots=1, pool="solo", AIP_WORKER_ENDPOINT=comfy.url, AIP_WORKER_VRAM="24"
    )
    processes.wait_until(lambda: Worker.objects.filter(backends=["comfyui"]).exclude(gpu={}).exists(), seconds=40)
    return made


def states() -> set[str]:
    return set(RenderJob.objects.values_list("state", flat=True))


def test_from_the_dialog_to_a_picture_without_a_reload(page: Any, project: Any, shots: list[Shot]) -> None:
    page.goto(f"/projects/{project.code}/storyboard/")
    page.click("#render-all")
    dialog = page.locator("#render-dialog[open]")
    dialog.locator("[data-render-search]").fill("flux text")
    page.keyboard.press("Enter")
    page.wait_for_selector("#param-steps")
    page.fill("#param-steps", "20000")
    page.keyboard.press("Enter")  # the field itself refuses it
    assert dialog.is_visible()
    page.fill("#param-steps", "7")
    page.locator("[data-render-save] summary").click()
    page.fill("[data-preset-name]", "밤 장면, 빠르게")
    page.keyboard.press("Enter")
    page.wait_for_selector("#render-choices >> text=밤 장면, 빠르게")
    assert not RenderJob.objects.exists()
    page.locator("[data-render-save] summary").click()
    page.focus("#param-steps")
    page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    processes.wait_until(lambda: RenderJob.objects.count() == len(shots))
    assert {job.params["steps"] for job in RenderJob.objects.all()} == {7}

    page.goto(f"/projects/{project.code}/farm/")
    page.evaluate("""() => {
      window.stayed = true; window.seen = new Set();
      setInterval(() => {
        const bars = document.querySelectorAll("#farm-jobs [data-job-progress] progress");
        for (const bar of bars) window.seen.add(bar.value);
      }, 20);
    }""")
    page.wait_for_selector("article.worker[data-status=running] .worker-memory progress")
    page.wait_for_selector("article.worker [data-job-preview] img")
    page.wait_for_selector(".batch-row[data-status=succeeded]", timeout=60_000)
    page.wait_for_function(f"() => document.querySelectorAll('#farm-jobs .thumb img').length === {len(shots)}")
    assert page.evaluate("window.stayed") is True
    assert page.evaluate("[...window.seen].filter((value) => value > 0 && value < 100).length") >= 3
    assert Version.objects.live().filter(kind="previz").count() == len(shots)

    page.locator("#farm-jobs a.code").first.click()
    page.wait_for_selector("#job .job-picture img")
    assert "#1" not in page.locator("#job h1").inner_text()
    page.click("#job >> text=Batch")
    page.locator("#batch .batch-tile >> text=Approve").first.click()
    processes.wait_until(lambda: Version.objects.filter(status="approved").count() == 1)
    page.wait_for_selector("#batch .batch-tile .tag[data-status=approved]")


def test_filter_drain_and_cancel(
    page: Any, project: Any, shots: list[Shot], comfy: ComfyDouble, admin_user: Any
) -> None:
    comfy.faults(step_seconds=3.0)
    render_shots(project=project, actor=admin_user, shots=shots, workflow="comfy.flux_t2i")
    page.goto(f"/projects/{project.code}/farm/")
    page.wait_for_selector("#farm-jobs tr[data-job-state=running]")
    page.evaluate("window.stayed = true")
    page.click("[data-farm-state=queued]")
    page.wait_for_function("() => document.querySelectorAll('#farm-jobs tr[data-job]').length === 2")
    assert "state=queued" in page.url
    page.reload()
    assert page.locator("#farm-jobs tr[data-job]").count() == 2

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    bar = page.locator("[data-farm-bulk]")
    assert bar.locator("output").inner_text() == "1 job chosen"
    bar.locator("[name=priority]").fill("9")
    bar.locator("[name=priority]").press("Enter")
    processes.wait_until(lambda: RenderJob.objects.filter(priority=9).count() == 1)
    page.wait_for_selector("#farm-jobs tr[aria-selected=true]")  # the choice outlives the rows that came anew

    page.click("[data-open-dialog=pause-dialog]")
    pausing = page.locator("#pause-dialog")
    pausing.locator("fieldset", has_text="Workflows: FLUX").locator("[data-pause-all]").check()
    pausing.locator("[name=reason]").fill("새 모델 설치")
    pausing.locator("[name=reason]").press("Enter")
    page.wait_for_selector(".farm-pause >> text=새 모델 설치")
    assert Pause.objects.count() == Workflow.objects.filter(family="flux", enabled=True).count() > 1
    page.locator(".farm-pause >> text=Go on").click()
    page.wait_for_selector(".farm-pause", state="detached")
    assert not Pause.objects.exists()

    page.locator("article.worker:has(.worker-memory) >> text=Drain").click()
    page.wait_for_selector("article.worker[data-status=review]")
    assert Worker.objects.get(backends=["comfyui"]).state == "draining"

    page.goto(f"/projects/{project.code}/")
    page.click("[popovertarget=batches-menu]")
    page.locator("#batches-menu >> text=Cancel").click()
    page.locator("#confirm-dialog >> text=Cancel all").click()  # forty shots are not lost to a slip of the hand
    processes.wait_until(lambda: states() == {JobState.CANCELLED})
    page.goto(f"/projects/{project.code}/farm/")
    assert page.locator("#farm-jobs tr[data-job-state=cancelled]").count() == len(shots)
