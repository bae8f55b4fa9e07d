"""What people do about trouble on the farm's pages: hold back a family of workflows, render differently what failed."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from renders.models import JobState, Pause, RenderBatch, Version, Workflow
from renders.services.workflows import sync_workflows
from renders.tests import farm_world as world
from shots.models import Shot
from tests.factories import applied_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    sync_workflows()
    return applied_project(project, admin_user)


@pytest.fixture
def site(client: Client, admin_user: Any) -> Client:
    client.force_login(admin_user)
    return client


def test_a_family_of_workflows_is_paused_and_goes_on_as_one(site: Client, project: Any, shots: list[Shot]) -> None:
    page = site.get(f"/projects/{project.code}/farm/").content.decode()
    wan = page[page.index("Workflows: WAN") :].split("</fieldset>")[0]
    ids = re.findall(r'value="workflow:(\d+)"', wan)
    assert {row.family for row in Workflow.objects.filter(pk__in=ids)} == {"wan"}
    assert len(ids) == Workflow.objects.filter(family="wan", enabled=True).count() > 3
    what = [f"workflow:{pk}" for pk in ids]
    for wrong in ("tomorrow", "0", "-4", "9999", "²"):
        assert site.post("/farm/pauses/", {"what": what, "until": wrong}).status_code == 422
    form = {"what": what, "reason": "밤새 점검", "until": "morning"}
    assert site.post("/farm/pauses/", form).status_code == 204
    assert Pause.objects.count() == len(ids)
    (until,) = {timezone.localtime(row.until) for row in Pause.objects.all() if row.until}
    assert (until.hour, until.minute) == (9, 0)
    assert timedelta(0) < until - timezone.now() <= timedelta(days=1)
    state = site.get(
        f"/projects/{project.code}/farm/", headers={"HX-Request": "true", "HX-Target": "farm-state"}
    ).content.decode()
    assert state.count("밤새 점검") == state.count("farm-pause") == 1
    together = re.search(r'"ids":"([\d,]+)"', state)
    assert together is not None
    assert site.post("/farm/pauses/resume/", {"ids": together[1]}).status_code == 204
    assert not Pause.objects.exists()
    assert site.post("/farm/pauses/resume/", {"ids": together[1]}).status_code == 404


def test_what_failed_in_a_batch_is_tried_again_or_rendered_differently(
    site: Client, project: Any, shots: list[Shot]
) -> None:
    wan = Workflow.objects.get(key="comfy.wan22_i2v")
    batch = RenderBatch.objects.create(project=project, kind="variants")
    facts = {"manifest": [{"name": "a.mp4", "size": 1, "sha256": ""}], "path": "x", "state": "published"}
    version = Version.objects.create(project=project, shot=shots[0], kind="render", number=1, **facts)
    world.job(shots[0], wan, state=JobState.SUCCEEDED, batch=batch, version=version, variant="느리게")
    failed = world.job(
        shots[1], wan, state=JobState.FAILED, batch=batch, error="GPU 메모리가 부족합니다", variant="빠르게"
    )
    page = site.get(f"/farm/batches/{batch.pk}/").content.decode()
    assert "<h1>A/B</h1>" in page
    assert f'"ids":"{shots[1].pk}","step":"render"' in page
    assert f"/farm/jobs/{failed.pk}/retry/" in page
    assert f'value="{version.pk}" data-compare-pick' in page
    assert page.count("data-compare-pick") == 1
    one = site.get(f"/farm/jobs/{failed.pk}/").content.decode()
    assert f'"ids":"{shots[1].pk}","step":"render"' in one
