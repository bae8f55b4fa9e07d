"""One row of everything that an address of the site can name."""

from typing import Any

from aipipeline.history.project_services import set_member
from aipipeline.projects.models import Project
from aipipeline.tables.registry import table_of
from aipipeline.tables.services import columns, views
from assets.models import Character, CinematicPreset
from celery_workers.models import LedgerTask
from comfy_adapters.comfyui import graphs
from comfy_adapters.own.detect import detect
from mirror.services.targets import create_target
from renders.models import PathMap, Pause, Version, Worker, Workflow, WorkflowGraph
from renders.services.jobs import render_shots
from renders.services.own_workflows import create_workflow
from renders.services.presets import create_preset
from renders.services.workflows import sync_workflows
from shots.models import Casting, Scene, Shot
from shots.services import scenarios
from tests.factories import SCRIPT, applied_project
from timeline.services.edits import apply_ops


def brought_workflow(admin: Any) -> WorkflowGraph:
    """A workflow that somebody brought along, with its only version."""
    nodes = graphs.load("flux_t2i")[0].nodes
    about = detect(nodes, title="Brought along").about
    row = create_workflow(actor=admin, project=None, nodes=nodes, about=about)
    assert row.graph is not None
    return row.graph


def build(project: Project, admin: Any, artist: Any) -> dict[str, Any]:
    """Make the rows; their keys by the name of the address's part. The artist becomes a member."""
    set_member(project=project, actor=admin, user=artist, role="artist")
    shots = applied_project(project, admin)
    sync_workflows()
    draft = scenarios.add_scenario(project=project, actor=admin, data=SCRIPT.encode(), filename="b.txt")
    scenarios.analyse_scenario(scenario=draft, actor=admin)
    rows = Shot.objects.filter(pk=shots[0].pk).select_related("project", "scene", "environment", "preset")
    (job,) = render_shots(project=project, actor=admin, shots=list(rows), workflow="local.panel")
    task = LedgerTask.objects.create(kind="timeline.film", project=project, actor=admin)
    version = Version.objects.create(
        project=project,
        shot=shots[0],
        kind="previz",
        number=1,
        state="published",
        path="x",
        manifest=[{"name": "a.png", "size": 1, "sha256": ""}],
    )
    worker = Worker.objects.create(name="w", backends=["local"])
    path_map = PathMap.objects.create(windows="Z:\\films")
    apply_ops(project=project, actor=admin, ops=[{"op": "marker", "frame": 1, "name": "m"}])
    table = table_of("shots")
    columns.add_column(project=project, table=table, actor=admin, label="메모", type="text")
    view = views.save_view(project=project, table=table, actor=admin, name="감독", config={}, shared=True)
    casting = Casting.objects.live().filter(shot=shots[0])[0]
    preset = CinematicPreset.objects.create(project=project, name="p", camera="ARRI Alexa 35")
    graph = brought_workflow(admin)
    target = create_target(project=project, actor=admin, fields={"name": "NAS", "path": "/mnt/nas/mirrors/world"})
    workflow = Workflow.objects.get(key="local.panel")
    render_preset = create_preset(project=project, actor=admin, fields={"name": "p", "workflow": workflow})
    return {
        "workflow_id": workflow.pk, "pause_id": Pause.objects.create(scope="capability", key="cpu").pk,
        "batch_id": job.batch_id, "render_preset_id": render_preset.pk,
        "target_id": target.pk,
        "key": graph.workflow.key, "number": graph.number,
        "view_id": view.pk, "column": "custom.c1", "casting_id": casting.pk, "preset_id": preset.pk,
        "other_id": version.pk,
        "code": project.code, "shot_id": shots[0].pk, "scene_id": Scene.objects.all()[0].pk, "scenario_id": draft.pk,
        "asset_id": Character.objects.all()[0].pk, "version_id": version.pk, "job_id": job.pk, "task_id": task.pk,
        "workflow": "local.panel",
        "delivery_id": task.pk, "worker_id": worker.pk, "movie_id": 1, "width": 320, "username": artist.username,
        "token": "abc", "map_id": path_map.pk, "name": "x.png", "path": "",
    }  # fmt: skip
