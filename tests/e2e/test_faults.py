"""Nothing is lost when a process dies: worker, web, Redis; each killed with -9 in the middle of the work."""

import time
import urllib.request
from typing import Any

import pytest

from celery_workers.models import LedgerTask, TaskState
from renders.models import JobState, RenderAttempt, RenderJob, Version, VersionState
from renders.services.jobs import render_shots
from shots.models import Shot
from tests.factories import applied_project
from tests.harness import environment, processes
from timeline.services.movies import request_movie

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def big(project: Any, admin_user: Any, settings: Any) -> Any:
    """A project whose clips take a while."""
    applied_project(project, admin_user)
    Shot.objects.filter(project=project).update(duration_frames=240)
    type(project).objects.filter(pk=project.pk).update(width=1280, height=720)
    project.refresh_from_db()
    return project


def rendered(project: Any, kind: str) -> bool:
    return not RenderJob.objects.filter(project=project, kind=kind).exclude(state=JobState.SUCCEEDED).exists()


def start(project: Any, step: str) -> None:
    rows = Shot.objects.live().filter(project=project).select_related("project", "scene", "environment", "preset")
    render_shots(project=project, actor=None, shots=list(rows), step=step, auto_approve=True)


def told() -> Any:
    return list(RenderJob.objects.values_list("kind", "state", "attempts_made", "error")), list(
        RenderAttempt.objects.values_list("state", "error")
    )


def exactly_one_version_each(project: Any, kind: str) -> None:
    for shot in Shot.objects.live().filter(project=project):
        versions = Version.objects.filter(shot=shot, kind=kind)
        assert versions.filter(state=VersionState.PUBLISHED).count() == 1
        folder = versions.first().folder.parent  # type: ignore[union-attr]
        assert [p.name for p in folder.iterdir() if p.name.startswith(".tmp")] == []


def test_a_killed_worker_loses_no_job(farm: dict[str, processes.Process], big: Any) -> None:
    start(big, "first_image")
    processes.wait_until(lambda: rendered(big, "previz"), seconds=60, what=told)
    start(big, "render")
    running = RenderAttempt.objects.filter(state=JobState.RUNNING, job__kind="render")
    processes.wait_until(running.exists, seconds=30, what=told)
    farm["cpu"].kill()
    farm["cpu"] = processes.celery("cpu2", "cpu")
    processes.wait_until(lambda: rendered(big, "render"), seconds=90, what=told)
    exactly_one_version_each(big, "render")
    assert RenderJob.objects.filter(attempts_made__gt=1).exists()


def test_a_killed_redis_loses_no_job(farm: dict[str, processes.Process], big: Any) -> None:
    start(big, "first_image")
    environment.restart_redis()
    processes.wait_until(lambda: rendered(big, "previz"), seconds=90, what=told)
    exactly_one_version_each(big, "previz")


def test_a_killed_web_loses_no_task(site: str, farm: dict[str, processes.Process], big: Any) -> None:
    start(big, "first_image")
    processes.wait_until(lambda: rendered(big, "previz"), seconds=60, what=told)
    task = request_movie(project=big, actor=None, kind="proxy")
    farm["web"].kill()
    process, url = processes.web()
    farm["web"] = process

    def done() -> bool:
        task.refresh_from_db()
        return task.state == TaskState.SUCCEEDED

    processes.wait_until(done, seconds=60, what=lambda: LedgerTask.objects.values_list("state", "error"))
    with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
        assert answer.status == 200


def test_a_running_job_is_cancelled_soon(farm: dict[str, processes.Process], big: Any) -> None:
    from renders.services import queue

    start(big, "first_image")
    processes.wait_until(lambda: rendered(big, "previz"), seconds=60, what=told)
    Shot.objects.filter(project=big).update(duration_frames=2000, movement="push_in")
    start(big, "render")
    processes.wait_until(RenderJob.objects.filter(kind="render", state=JobState.RUNNING).exists, seconds=30, what=told)
    began = time.monotonic()
    for job in RenderJob.objects.filter(kind="render"):
        queue.cancel(job=job)
    closed = RenderJob.objects.filter(kind="render", state=JobState.CANCELLED)
    processes.wait_until(lambda: closed.count() == Shot.objects.live().count(), seconds=20, what=told)
    assert time.monotonic() - began < 20
    assert not Version.objects.filter(kind="render", state=VersionState.PUBLISHED).exists()
