"""A full storage costs no job and leaves no rubbish. The limit on file sizes makes one without any privilege."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from aipipeline.media.storage import StorageError
from renders import runner
from renders.models import JobState, RenderAttempt, RenderJob, Version, VersionState
from renders.services import control, publishing, queue
from renders.services.jobs import render_shots
from renders.services.workers import register_worker
from tests.factories import applied_project, picture

# Slow: on SQLite the limit would hit the database's own file, and the quick run is on SQLite.
pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@contextlib.contextmanager
def no_room(limit: int = 1024) -> Iterator[None]:
    """Files of this process cannot grow beyond `limit` bytes: writes fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def attempt_once(project: Any) -> RenderJob:
    RenderJob.objects.update(not_before=Now())
    attempt = queue.claim(worker=register_worker(name="cpu@test"))
    assert attempt is not None
    runner.run_attempt(attempt.pk)
    return RenderJob.objects.get(pk=attempt.job_id)


def leftovers(project: Any) -> list[str]:
    return [path.name for path in project.root.rglob(".*") if not path.name.startswith(".segments")]


def test_a_job_waits_for_space_without_using_up_its_tries(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")
    for number in range(1, 6):  # more often than a job may fail
        with no_room():
            job = attempt_once(project)
        assert (job.state, job.attempts_made) == (JobState.QUEUED, number)
        assert "no space left on the storage" in job.error
        assert str(project.root) in job.error
        assert leftovers(project) == []
    assert attempt_once(project).state == JobState.SUCCEEDED
    assert Version.objects.filter(shot=shot, state=VersionState.PUBLISHED).count() == 1
    assert RenderAttempt.objects.filter(state=JobState.FAILED).count() == 5


def test_the_wait_has_an_end(project: Any, admin_user: Any, settings: Any) -> None:
    settings.RENDER_WAIT_SECONDS = 0
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")
    states = []
    with no_room():
        while (job := attempt_once(project)).state == JobState.QUEUED:
            states.append(job.state)
            RenderAttempt.objects.filter(finished_at__isnull=False).update(finished_at=job.started_at)
    assert job.state == JobState.FAILED
    assert "no space left on the storage" in job.error
    assert len(states) == settings.RENDER_MAX_ATTEMPTS  # one that only waited, and its own tries less the last
    control.retry_job(job=job, actor=None)
    assert attempt_once(project).state == JobState.SUCCEEDED


def test_an_upload_onto_a_full_storage_leaves_nothing(project: Any, admin_user: Any, tmp_path: Path) -> None:
    shot = applied_project(project, admin_user)[0]
    image = picture(tmp_path / "a.png", 1920, 1080)
    before = set(project.root.rglob("*")) if project.root.exists() else set()
    with no_room(), pytest.raises(StorageError) as caught:
        publishing.publish_files(owner=shot, kind="previz", files={"a.png": image}, actor=admin_user)
    assert caught.value.status == 507
    assert not Version.objects.filter(shot=shot).exists()
    made = set(project.root.rglob("*")) - before
    assert [path for path in made if path.is_file() or path.name.startswith(".")] == []
