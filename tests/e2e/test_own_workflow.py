"""A workflow that somebody brings, from the file that is dropped to the version that it rendered."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from aipipeline.media.probe import probe
from comfy_adapters.tests.own import files
from renders.models import RenderJob, Version, VersionState, Worker, Workflow
from renders.models.job import ENDED_STATES
from renders.services.workflows import sync_workflows
from tests.doubles.comfyui.process import ComfyDouble, start
from tests.factories import applied_project
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def comfy() -> Iterator[ComfyDouble]:
    double = start()
    yield double
    double.stop()


def shoot(page: Any, name: str, width: int = 1280) -> None:
    """Kept only for who asks for pictures of the pages."""
    if folder := os.environ.get("AIP_TEST_PICTURES"):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 800})


def render(shot: Any, admin: Any, key: str, **params: Any) -> Version:
    """One job of that workflow for the shot, done by the worker."""
    client = APIClient()
    client.force_authenticate(admin)
    body = {"shots": [shot.pk], "workflow": key, "params": {"seed": 7, **params}}
    answer = client.post(f"/api/v1/projects/{shot.project.code}/renders/", body, format="json")
    assert answer.status_code < 300, answer.content
    jobs = RenderJob.objects.filter(workflow__key=key)
    ended = jobs.filter(state__in=ENDED_STATES)
    processes.wait_until(ended.exists, seconds=90, what=lambda: list(jobs.values("state", "message", "error")))
    job = ended.get()
    assert job.state == "succeeded", job.error
    assert job.graph is not None
    assert job.version is not None
    return job.version


def test_a_graph_is_dropped_corrected_checked_saved_and_renders_a_shot(
    page: Any,
    project: Any,
    admin_user: Any,
    farm: dict[str, processes.Process],
    comfy: ComfyDouble,
    tmp_path: Path,
) -> None:
    sync_workflows()
    shot = applied_project(project, admin_user)[0]
    farm["gpu"] = processes.comfy_worker("studio-4090", comfy.url)
    Worker.objects.create(name="away", endpoint="http://127.0.0.1:9", vram_gb=8, backends=["comfyui"])
    mine = Worker.objects.filter(endpoint=comfy.url, schema__isnull=False)
    processes.wait_until(mine.exists, seconds=60)
    worker = mine.get().name
    graph = tmp_path / "밤 골목.json"
    graph.write_text(json.dumps(files.graph()), encoding="utf-8")

    page.goto("/workflows/")
    page.get_by_role("heading", name="Built in").wait_for()
    for width in (1280, 1920):
        shoot(page, "list", width)
    page.get_by_role("link", name="Bring your own").click()
    page.locator('input[type="file"]').set_input_files(
        {"name": "editor.json", "mimeType": "application/json", "buffer": b'{"nodes": [], "links": []}'}
    )
    page.get_by_text("Workflow → Export (API)").nth(1).wait_for()
    shoot(page, "refused")
    page.locator('input[type="file"]').set_input_files(str(graph))
    page.get_by_role("heading", name="What goes where").wait_for()
    assert page.locator("#wf-title").input_value() == "밤 골목"

    # Guidance gets another name, one slot goes, one is added from the drop-down of all inputs.
    line = page.locator("[data-line]", has=page.locator('input[name="slot"][value="guidance"]'))
    line.locator('input[name="slot"]').fill("cinematic_strength")
    page.locator("[data-line]", has=page.locator('input[value="batch_size"]')).get_by_role("button").click()
    before = page.locator("[data-line]").count()
    page.get_by_role("button", name="Add").click()
    added = page.locator("[data-line]").nth(before)
    added.locator('input[name="slot"]').fill("clip_type")
    added.locator("select").focus()
    added.locator("select").select_option('["11","type"]')
    assert added.locator("[data-value]").inner_text() == "flux"
    page.locator("#wf-name").fill("night-alley")
    page.locator("#wf-project").select_option(project.code)
    for width in (1280, 1920):
        shoot(page, "edit", width)

    page.locator("#check-worker").select_option(label="away")
    page.get_by_role("button", name="Check").click()
    page.locator("#workflow-findings .notice.bad").wait_for()
    page.locator("#check-worker").select_option(label=worker)
    page.get_by_role("button", name="Check").click()
    page.locator("#workflow-findings .notice.ok").wait_for()
    page.locator("#wf-output").evaluate("(select) => select.append(new Option('x', '50'))")
    page.locator("#wf-output").select_option("50")
    page.get_by_role("button", name="Check").click()
    page.locator("#workflow-findings .notice.bad").get_by_text("saves nothing").wait_for()
    shoot(page, "findings")
    page.locator("#wf-output").select_option("60")
    page.get_by_role("button", name="Save the workflow").click()
    page.wait_for_url("**/workflows/own.night-alley/")
    for width in (1280, 1920):
        shoot(page, "detail", width)

    row = Workflow.objects.get(key="own.night-alley")
    assert row.project == project
    assert "cinematic_strength" in row.slots
    version = render(shot, admin_user, row.key, cinematic_strength=2.5)
    assert version.state == VersionState.PUBLISHED
    assert probe(version.folder / version.manifest[0]["name"]).kind == "image"
    assert '"guidance": 2.5' in json.dumps(version.provenance)

    # The picture that the server wrote brings the same graph along.
    (picture,) = list((comfy.data / "output").rglob("*.png"))
    page.goto("/workflows/new/")
    page.locator('input[type="file"]').set_input_files(str(picture))
    page.get_by_role("heading", name="What goes where").wait_for()
    page.locator("#wf-name").fill("from-picture")
    page.get_by_role("button", name="Save the workflow").click()
    page.wait_for_url("**/workflows/own.from-picture/")
    again = render(shot, admin_user, "own.from-picture")
    assert again.number == version.number + 1

    # And so does the server's own history.
    page.goto("/workflows/new/")
    page.get_by_role("button", name=worker).click()
    entry = page.locator(".history-entry").first
    entry.wait_for()
    page.wait_for_function("() => document.querySelector('.history-entry img')?.naturalWidth > 0")
    for width in (1280, 1920):
        shoot(page, "new", width)
    entry.click()
    page.get_by_role("heading", name="What goes where").wait_for()
    assert worker in page.locator("#workflow-edit").inner_text()
