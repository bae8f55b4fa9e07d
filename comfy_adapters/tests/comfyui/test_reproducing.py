"""A version that a ComfyUI server made, made again: the very graph that ran, and what has changed since is told."""

from pathlib import Path
from typing import Any

import pytest

from comfy_adapters.comfyui.identity import models_at
from renders import backends, runner
from renders.models import JobState, RenderJob, Version, Worker
from renders.services import fits, queue
from renders.services.jobs import render_shots
from renders.services.reproducing import differences, reproduce
from tests.doubles.comfyui.process import ComfyDouble
from tests.factories import applied_project

# The heartbeat looks at the job over a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(db: None, shared_server: ComfyDouble) -> Worker:
    return Worker.objects.create(
        name="gpu", endpoint=shared_server.url, backends=["comfyui"], vram_gb=24, state="online", queue="host.gpu"
    )


def run_one(worker: Worker) -> Version:
    attempt = queue.claim(worker=worker)
    assert attempt is not None
    runner.run_attempt(attempt.pk)
    job = RenderJob.objects.get(pk=attempt.job_id)
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.version is not None
    return job.version


def without_name(version: Version) -> dict[str, Any]:
    """The graph that ran; its result's name must differ, or the server answers from its cache."""
    nodes = version.provenance["filled_graph"]
    return {
        key: {**node, "inputs": {name: v for name, v in node["inputs"].items() if name != "filename_prefix"}}
        for key, node in nodes.items()
    }


def test_the_same_graph_and_seed_run_again(project: Any, admin_user: Any, worker: Worker) -> None:
    shot = applied_project(project, admin_user)[0]
    params = {"steps": 6, "seed": 99}
    render_shots(project=project, actor=admin_user, shots=[shot], workflow="comfy.flux_t2i", params=params)
    first = run_one(worker)
    # Somebody changed the graph by hand on the way: not the file's defaults run again, but what ran.
    told = first.provenance
    told["filled_graph"]["40"]["inputs"]["steps"] = 9
    Version.objects.filter(pk=first.pk).update(provenance=told)
    first.refresh_from_db()
    assert differences(first) == []
    reproduce(version=first, actor=admin_user)
    again = run_one(worker)
    assert again.number == 2
    assert without_name(again) == without_name(first)
    for name in ("graph", "graph_version", "graph_hash", "seed", "prompt", "models", "loras", "snapped"):
        assert again.provenance[name] == first.provenance[name], name
    assert (again.provenance["seed"], again.provenance["params"]["reproduces"]) == (99, first.pk)
    assert again.provenance["filled_graph_hash"] != told["filled_graph_hash"]


def test_a_node_a_model_and_another_file_of_its_name_are_told(
    project: Any, admin_user: Any, worker: Worker, shared_server: ComfyDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], workflow="comfy.flux_t2i", params={"steps": 4})
    version = run_one(worker)
    assert [model["file"] for model in version.provenance["models"]]
    said = shared_server.get("/object_info")
    del said["FluxGuidance"]
    fits.keep_schema(worker=worker, said=said)
    found = differences(version)
    assert [(entry.what, entry.blocking) for entry in found] == [("server", False)]
    assert "FluxGuidance" in found[0].text
    fits.keep_schema(worker=worker, said=shared_server.get("/object_info"))
    assert differences(version) == []
    # A model that the server has under the same name, of another size.
    models = [{**model, "size": 1, "sha256": ""} for model in version.provenance["models"]]
    Version.objects.filter(pk=version.pk).update(provenance={**version.provenance, "models": models})
    version.refresh_from_db()
    now = [{**model, "size": 2} for model in models]
    monkeypatch.setitem(
        backends._models, "comfyui", lambda endpoint, wanted: now if endpoint == worker.endpoint else []
    )
    found = differences(version)
    assert {entry.what for entry in found} == {"model"}
    assert models[0]["file"] in found[0].text


def test_a_server_that_is_away_is_told(project: Any, admin_user: Any, worker: Worker) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], workflow="comfy.flux_t2i", params={"steps": 4})
    version = run_one(worker)
    models = [{**model, "size": 1} for model in version.provenance["models"]]
    Version.objects.filter(pk=version.pk).update(provenance={**version.provenance, "models": models})
    Worker.objects.update(endpoint="http://127.0.0.1:9")
    version.refresh_from_db()
    assert [entry.what for entry in differences(version)] == ["model"]
    assert "cannot be seen" in differences(version)[0].text


def test_the_server_says_which_files_it_has(shared_server: ComfyDouble, tmp_path: Path) -> None:
    wanted = [{"folder": "vae", "file": "ae.safetensors"}, {"folder": "vae", "file": "none.safetensors"}]
    found = models_at(shared_server.url, wanted)
    assert [(entry["folder"], entry["file"]) for entry in found] == [(w["folder"], w["file"]) for w in wanted]
