"""Shots that are longer than their workflow makes: said before anything is queued, of whichever shot it is."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from aipipeline.projects.errors import Invalid
from comfy_adapters.comfyui import graphs
from comfy_adapters.tests.comfyui.test_catalogue import server
from renders.models import RenderJob, Worker
from renders.services.fits import keep_schema
from renders.services.jobs import start_renders
from renders.services.workflows import sync_workflows
from renders.tests import farm_world as world
from shots.models import Shot
from tests.factories import applied_project

pytestmark = pytest.mark.django_db
FFLF = "comfy.fflf_wan22"


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    sync_workflows()
    keep_schema(worker=world.worker("gpu", vram=24), said=server("0.33.0", graphs.load("fflf_wan22")[1]))
    return applied_project(project, admin_user)


def last(shots: list[Shot], frames: int) -> list[Shot]:
    """The shots, all of them short but the last."""
    Shot.objects.update(duration_frames=24)
    Shot.objects.filter(pk=shots[-1].pk).update(duration_frames=frames)
    return list(Shot.objects.filter(pk__in=[shot.pk for shot in shots]).select_related("project").order_by("position"))


def test_the_one_that_is_too_long_is_refused_wherever_it_stands(
    project: Any, admin_user: Any, shots: list[Shot]
) -> None:
    with pytest.raises(Invalid, match=f"{shots[-1].code}.*at most 161") as caught:
        start_renders(project=project, actor=admin_user, shots=last(shots, 300), workflow=FFLF)
    assert "divide it into two" in str(caught.value.message)
    assert not RenderJob.objects.exists()


def test_the_one_that_is_longer_than_good_is_named_and_made(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    started = start_renders(project=project, actor=admin_user, shots=last(shots, 150), workflow=FFLF)
    (said,) = started.warnings
    assert said.startswith(f"{shots[-1].code}: ")
    assert "trained on 81" in said
    assert len(started.jobs) == len(shots)
    RenderJob.objects.all().delete()
    started = start_renders(project=project, actor=admin_user, shots=last(shots, 100), workflow=FFLF)
    assert list(started.warnings) == []
    RenderJob.objects.all().delete()
    Worker.objects.update(vram_gb=8)
    (said_of_card,) = start_renders(project=project, actor=admin_user, shots=shots[:1], workflow=FFLF).warnings
    assert "needs a GPU with 24 GB; the largest one online has 8 GB (Card 24)" in said_of_card
    Worker.objects.update(vram_gb=24)
    RenderJob.objects.all().delete()
    last(shots, 150)
    api = APIClient()
    api.force_authenticate(admin_user)
    body = {"shots": [shot.pk for shot in shots], "workflow": FFLF}
    answer = api.post(f"/api/v1/projects/{project.code}/renders/", body, format="json")
    assert answer.status_code == 201
    assert answer.json()["warnings"] == [said]
