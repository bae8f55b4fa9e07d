"""A studio with at least one row of every model that the admin shows."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group

from aipipeline.history.project_services import set_member
from aipipeline.notes.models import Notification
from aipipeline.studio import notes
from aipipeline.tables.models import SheetImport, SheetMapping
from aipipeline.tables.registry import table_of
from aipipeline.tables.services import columns, views
from assets.models import CinematicPreset, LoRA
from assets.services import save_asset
from celery_workers.models import LedgerTask, Schedule
from mirror.services.targets import create_target
from renders.models import (
    Experience,
    PathMap,
    RenderAttempt,
    RenderJob,
    Seam,
    Worker,
    WorkerBlock,
    WorkerFit,
    Workflow,
    WorkflowGraph,
)
from renders.services.jobs import render_shots
from renders.services.pauses import pause
from renders.services.presets import create_preset
from renders.services.publishing import publish_files
from renders.services.queue import lease_end
from renders.services.reviews import review_version
from shots.models import Shot
from tests.factories import applied_project, picture
from timeline.models import Movie
from timeline.services import parts
from timeline.services.edits import ensure_edit


def fill(project: Any, actor: Any, other: Any, folder: Path) -> None:
    """Every kind of row, made by the services that make them in the studio."""
    shots = applied_project(project, actor)
    set_member(project=project, actor=actor, user=other, role="artist")
    for model, fields in ((CinematicPreset, {"name": "Night"}), (LoRA, {"name": "rina", "path": "rina.safetensors"})):
        save_asset(model=model, project=project, actor=actor, fields=fields)
    version = publish_files(
        owner=shots[0], kind="previz", files={"panel.png": picture(folder / "panel.png")}, actor=actor
    )  # fmt: skip
    review_version(version=version, actor=actor, verdict="comment", text="더 어둡게")
    workflow = Workflow.objects.get(key="local.panel")
    create_preset(project=project, actor=actor, fields={"name": "Draft", "workflow": workflow, "params": {"seed": 4}})
    job = render_shots(project=project, actor=actor, shots=[shots[1]], step="first_image")[0]
    PathMap.objects.get_or_create(server="", defaults={"windows": "Z:\\films"})
    worker = Worker.objects.create(name="cpu-1", queue="host.cpu-1", backends=["local"])
    WorkerFit.objects.create(worker=worker, workflow=workflow, fits=False, reasons=["Node X is missing."])
    WorkerBlock.objects.create(worker=worker, workflow=workflow, failures=3, reason="torn")
    RenderAttempt.objects.create(job=job, worker=worker, number=1, state="failed", lease_until=lease_end())
    pause(scope="project", key=str(project.pk), actor=actor, reason="확인")
    size = {"width": 320, "height": 180, "frames": 1}
    Experience.objects.create(
        workflow=workflow, **size, gpu=f"Card {project.pk}", vram_gb=8, succeeded=2, seconds=3.0
    )  # fmt: skip
    brought = Workflow.objects.create(
        key=f"own.{project.code.lower()}", title="Own", backend="comfyui", output_kind="previz", project=project
    )  # fmt: skip
    WorkflowGraph.objects.create(workflow=brought, number=1, nodes={"1": {}}, about={}, sha256="0", author=actor)
    Seam.objects.create(project=project, before=version, after=version, score=0.25, details={"luma": 0.2})
    edit = ensure_edit(project)
    parts.create_marker(edit=edit, actor=actor, fields={"frame": 12, "name": "Music"})
    Movie.objects.create(
        project=project, edit=edit, kind="proxy", path="edit/proxy/x.mp4", signature="0", frames=9,
        width=320, height=180,
    )  # fmt: skip
    notes.write_note(
        project=project, actor=actor, target_model="shots.shot", target_id=str(shots[0].pk), text="확인"
    )  # fmt: skip
    Notification.objects.create(user=other, project=project, kind="review", text="You were mentioned.")
    LedgerTask.objects.create(project=project, actor=actor, kind="timeline.proxy")
    Schedule.objects.get_or_create(name="renders.reap", defaults={"task": "renders.reap", "every_seconds": 2.0})
    Group.objects.get_or_create(name="Compositors")
    table = table_of("shots")
    columns.add_column(project=project, table=table, actor=actor, label="렌즈 메모", type="text")
    view = views.save_view(project=project, table=table, actor=actor, name="감독", config={}, shared=True)
    views.set_default(project=project, table=table, actor=actor, view=view)
    SheetMapping.objects.create(project=project, table="shots", name="양식")
    SheetImport.objects.create(project=project, author=actor, table="shots", kind="shots", name="shots.xlsx")
    create_target(project=project, actor=actor, fields={"name": "NAS", "path": "/mnt/nas/mirrors/test"})
    assert RenderJob.objects.filter(pk=job.pk, state="queued").exists()


@pytest.fixture
def studio(project: Any, admin_user: Any, artist: Any, tmp_path: Path) -> Any:
    """The project of the fixture `project`, filled."""
    fill(project, admin_user, artist, tmp_path)
    return project


@pytest.fixture
def first_shot(studio: Any) -> Shot:
    return Shot.objects.filter(project=studio).order_by("position")[0]
