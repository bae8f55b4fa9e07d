"""A version made again: the same picture from what it tells of itself, and what differs is told before."""

from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from aipipeline.history.project_services import set_member
from aipipeline.projects.errors import Conflict, Invalid
from comfy_adapters.local.backend import LocalBackend
from renders import runner
from renders.models import JobState, RenderJob, Version, Worker, Workflow
from renders.services import queue
from renders.services.jobs import render_shots
from renders.services.publishing import publish_files
from renders.services.reproducing import differences, reproduce
from renders.services.workers import register_worker
from shots.models import Shot
from tests.factories import applied_project, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(db: None) -> Worker:
    return register_worker(name="cpu@test")


def run_one(worker: Worker) -> Version:
    attempt = queue.claim(worker=worker, slots=4)
    assert attempt is not None
    runner.run_attempt(attempt.pk)
    job = RenderJob.objects.get(pk=attempt.job_id)
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.version is not None
    return job.version


def made(project: Any, actor: Any, worker: Worker, step: str = "first_image", **params: Any) -> Version:
    shot = (
        Shot.objects.live().filter(project=project).order_by("position").first() or applied_project(project, actor)[0]
    )
    render_shots(project=project, actor=actor, shots=[shot], step=step, params=params)
    return run_one(worker)


def told(version: Version) -> list[tuple[str, bool]]:
    return [(entry.what, entry.blocking) for entry in differences(version)]


def test_a_local_picture_is_made_again_byte_by_byte(project: Any, admin_user: Any, worker: Worker) -> None:
    first = made(project, admin_user, worker, seed=4711)
    # What the shot says today does not count: the version says what it showed.
    Shot.objects.filter(pk=first.shot_id).update(description="아주 다른 장면", size="ECU", seed=1)
    assert differences(first) == []
    job = reproduce(version=first, actor=admin_user)
    assert (job.params["seed"], job.params["reproduces"]) == (4711, first.pk)
    again = run_one(worker)
    assert (again.number, again.kind) == (2, "previz")
    assert [entry["sha256"] for entry in again.manifest] == [entry["sha256"] for entry in first.manifest]
    for name in ("graph", "graph_hash", "seed", "prompt", "models", "subject", "engine_version"):
        assert again.provenance[name] == first.provenance[name], name
    assert again.provenance["params"]["reproduces"] == first.pk
    third = reproduce(version=again, actor=admin_user)
    assert third.params["reproduces"] == again.pk


def test_a_clip_is_made_of_the_same_picture(project: Any, admin_user: Any, worker: Worker, tmp_path: Path) -> None:
    image = made(project, admin_user, worker)
    clip = made(project, admin_user, worker, step="render", frames=6)
    assert image.shot is not None
    newer = picture(tmp_path / "n.png", color=(200, 10, 10))
    publish_files(owner=image.shot, kind="previz", files={"n.png": newer}, actor=admin_user)
    assert differences(clip) == []
    reproduce(version=clip, actor=admin_user)
    again = run_one(worker)
    assert again.provenance["inputs"] == {"first_image": image.pk}
    assert again.provenance["input_files"] == clip.provenance["input_files"]
    assert again.manifest[0]["sha256"] == clip.manifest[0]["sha256"]


def test_what_has_changed_is_told_and_asked(
    project: Any, admin_user: Any, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = made(project, admin_user, worker)
    clip = made(project, admin_user, worker, step="render", frames=6)
    image.file().write_bytes(picture(image.folder / "x.png").read_bytes())
    monkeypatch.setattr(LocalBackend, "version", "99")
    Workflow.objects.filter(key="local.move").update(version="7")
    assert told(clip) == [("graph", False), ("engine", False), ("input", False)]
    with pytest.raises(Conflict) as caught:
        reproduce(version=clip, actor=admin_user)
    assert "It would not be the same" in str(caught.value.message)
    assert len(caught.value.details["differences"]) == 3
    assert reproduce(version=clip, actor=admin_user, accept=True).state == JobState.QUEUED
    image.file().unlink()
    assert ("input", True) in told(clip)
    with pytest.raises(Invalid, match="first_image is gone"):
        reproduce(version=clip, actor=admin_user, accept=True)


def test_what_was_not_made_here_cannot_be_made_again(
    project: Any, admin_user: Any, worker: Worker, tmp_path: Path
) -> None:
    version = made(project, admin_user, worker)
    assert version.shot is not None
    upload = publish_files(
        owner=version.shot, kind="previz", files={"a.png": picture(tmp_path / "a.png")}, actor=admin_user
    )
    assert told(upload) == [("workflow", True)]
    with pytest.raises(Invalid, match="not made here"):
        reproduce(version=upload, actor=admin_user, accept=True)
    Workflow.objects.filter(key="local.panel").update(enabled=False)
    assert told(version) == [("workflow", True)]


def test_over_rest_strangers_see_nothing_and_guests_start_nothing(
    project: Any, admin_user: Any, artist: Any, worker: Worker
) -> None:
    version = made(project, admin_user, worker)
    url = f"/api/v1/versions/{version.pk}/reproduce/"
    client = APIClient()
    client.force_authenticate(artist)
    assert client.get(url).status_code == 404
    assert client.post(url, {}, format="json").status_code == 404
    set_member(project=project, actor=admin_user, user=artist, role="guest")
    assert client.get(url).json() == {"possible": True, "differences": []}
    assert client.post(url, {}, format="json").status_code == 403
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    assert client.post(url, {"accept": "yes"}, format="json").status_code == 422
    answer = client.post(url, {}, format="json")
    assert answer.status_code == 201
    assert answer.json()["job"]["params"]["reproduces"] == version.pk
    assert RenderJob.objects.filter(state=JobState.QUEUED, requested_by=artist).count() == 1
