"""A against B: the same shot several ways in one batch, and its results side by side."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aipipeline.projects.errors import Invalid
from renders import runner
from renders.models import BatchKind, RenderJob, Version, Workflow
from renders.services import batches, queue
from renders.services.jobs import render_shots, start_renders
from renders.services.presets import create_preset
from renders.tests.chain_world import worker
from shots.models import Shot
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    return applied_project(project, admin_user)


def presets(project: Any, actor: Any) -> list[Any]:
    workflow = Workflow.objects.get(key="local.panel")
    return [
        create_preset(project=project, actor=actor, fields={"name": n, "workflow": workflow, "params": {"seed": seed}})
        for n, seed in (("밝게", 1), ("어둡게", 2))
    ]


@pytest.mark.django_db(transaction=True)
def test_each_preset_makes_a_version_of_its_own(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    render_shots(project=project, actor=admin_user, shots=shots[:1], workflow="local.panel")  # swallows no variant
    started = start_renders(
        project=project, actor=admin_user, shots=shots[:2], presets=presets(project, admin_user), params={"width": 320}
    )
    assert started.batch is not None
    assert started.batch.kind == BatchKind.VARIANTS
    found = [(job.shot_id, job.variant, job.params["seed"], job.params["width"]) for job in started.jobs]
    a, b = shots[0].pk, shots[1].pk
    assert found == [(a, "밝게", 1, 320), (b, "밝게", 1, 320), (a, "어둡게", 2, 320), (b, "어둡게", 2, 320)]
    RenderJob.objects.exclude(shot=shots[0]).delete()
    while attempt := queue.claim(worker=worker(), slots=9):
        runner.run_attempt(attempt.pk)
    (row,) = batches.results(started.batch)
    assert [cell.variant for cell in row.cells] == ["밝게", "어둡게"]
    made = [cell.version for cell in row.cells]
    assert [version.provenance["variant"] for version in made if version] == ["밝게", "어둡게"]
    assert [version.provenance["params"]["seed"] for version in made if version] == [1, 2]
    assert Version.objects.filter(shot=shots[0], kind="previz", state="published").count() == 3


def test_workflows_are_compared_too_and_each_has_a_name(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    same = presets(project, admin_user)
    started = start_renders(
        project=project, actor=admin_user, shots=shots[:1], presets=same[:1], workflows=["local.panel", "local.move"]
    )
    assert [job.variant for job in started.jobs] == [
        "밝게", "Storyboard panel (local draft)", "Camera move (local draft)",
    ]  # fmt: skip
    for wrong in ({"chain": True}, {"params": {"sead": 1}}, {"workflows": ["local.reference"]}, {"workflows": ["x"]}):
        with pytest.raises(Invalid):
            start_renders(project=project, actor=admin_user, shots=shots[1:2], presets=same, **wrong)
    assert not RenderJob.objects.filter(shot=shots[1]).exists()


def test_results_are_one_query_in_story_order(project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path) -> None:
    started = start_renders(
        project=project, actor=admin_user, shots=list(reversed(shots)), presets=presets(project, admin_user)
    )
    assert started.batch is not None
    with CaptureQueriesContext(connection) as asked:
        rows = batches.results(started.batch)
        assert [row.owner for row in rows] == shots
    assert len(asked) == 1
    assert all(cell.version is None for row in rows for cell in row.cells)
