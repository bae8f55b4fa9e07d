"""What the queue does when others fail it: lost messages, busy pools, attempts that wake late, workers that stop."""

import sys
import traceback
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders import tasks
from renders.backends import JobCancelled
from renders.models import (
    Cause,
    JobState,
    RenderAttempt,
    RenderJob,
    Worker,
    WorkerBlock,
    WorkerFit,
    Workflow,
)
from renders.services import giving_up, queue, workers
from renders.signals import job_ended
from renders.tests import farm_world as world
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Any:
    return applied_project(project, admin_user)[0]


@pytest.fixture
def two_slots() -> Iterator[None]:
    before = workers.slots_here()
    workers.set_slots(2)
    yield
    workers.set_slots(before)


def lose(attempt: RenderAttempt) -> None:
    """Nobody renewed its lease."""
    RenderAttempt.objects.filter(pk=attempt.pk).update(lease_until=Now() - timedelta(seconds=1))
    queue.reap()


def test_what_was_never_begun_costs_no_try_and_goes_back_at_once(shot: Any) -> None:
    job = world.job(shot, world.workflow())
    gpu = world.worker(heartbeat_at=timezone.now())
    for _time in range(5):
        attempt = queue.claim(worker=gpu)
        assert attempt is not None
        lose(attempt)
        job.refresh_from_db()
        assert job.state == JobState.QUEUED
    assert job.max_attempts - job.attempts_made == 3
    for left in (2, 1, 0):  # what had begun does
        lose(world.begun(gpu))
        world.again_now()
        job.refresh_from_db()
        assert job.max_attempts - job.attempts_made == left
    assert job.state == JobState.FAILED


def test_nothing_more_is_taken_while_the_pool_has_not_begun_what_it_has(shot: Any, two_slots: None) -> None:
    one = world.workflow(vram=0, backend="local")
    world.job(shot, one)
    world.job(shot, one)
    node = workers.register_worker(name="cpu@test")
    first = queue.claim(worker=node, slots=2)
    assert first is not None
    assert not tasks.look_for_more(node.name)
    assert RenderAttempt.objects.count() == 1
    queue.begin(attempt_id=first.pk)
    tasks.look_for_more(node.name)
    assert RenderAttempt.objects.count() == 2
    assert RenderJob.objects.filter(attempts__isnull=False).distinct().count() == 2


def test_an_attempt_that_was_taken_back_keeps_nothing_any_more(shot: Any) -> None:
    """It would post work that no attempt knows of: what it wakes up to must end before it begins anything."""
    world.job(shot, world.workflow())
    gpu = world.worker(heartbeat_at=timezone.now())
    stalled = world.begun(gpu)
    queue.save_state(attempt_id=stalled.pk, state={"prompt_id": "p0"})
    lose(stalled)
    world.again_now()
    following = world.begun(gpu)
    assert following.saved == {"prompt_id": "p0"}
    with pytest.raises(JobCancelled):
        queue.save_state(attempt_id=stalled.pk, state={"prompt_id": "p1"})
    stalled.refresh_from_db()
    assert stalled.saved == {"prompt_id": "p0"}
    queue.save_state(attempt_id=following.pk, state={"prompt_id": "p2"})
    following.refresh_from_db()
    assert following.saved == {"prompt_id": "p2"}


def test_a_chain_of_any_length_falls(shot: Any) -> None:
    """However many links it has, the stack stays as deep as it is."""
    one = world.workflow()
    jobs = [RenderJob(project=shot.project, shot=shot, workflow=one, kind="render", step="render") for _n in range(200)]
    RenderJob.objects.bulk_create(jobs)
    link = RenderJob.after.through
    pairs = zip(jobs[1:], jobs[:-1], strict=True)
    link.objects.bulk_create(link(from_renderjob=job, to_renderjob=before) for job, before in pairs)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(sum(1 for _frame in traceback.walk_stack(None)) + 145)
    try:
        queue.cancel(job=jobs[0])
    finally:
        sys.setrecursionlimit(limit)
    assert set(RenderJob.objects.values_list("state", flat=True)) == {JobState.CANCELLED}
    assert RenderJob.objects.exclude(error="").count() == len(jobs) - 1


def test_one_bad_attempt_stops_neither_the_others_nor_the_reaper(shot: Any) -> None:
    one = world.workflow()
    bad, good = world.job(shot, one, max_attempts=1), world.job(shot, one, max_attempts=1)
    first = world.job(shot, one, state=JobState.SUCCEEDED)
    held = world.job(shot, one, after=[first], blocked_reason="Waits.")
    gpu = world.worker(heartbeat_at=timezone.now() - timedelta(hours=1))
    assert {world.begun(gpu).job_id, world.begun(gpu).job_id} == {bad.pk, good.pk}
    RenderAttempt.objects.update(lease_until=Now() - timedelta(seconds=1))

    def refuse(job: RenderJob, **_more: Any) -> None:
        if job.pk == bad.pk:
            raise ValueError("bad")

    job_ended.connect(refuse)
    try:
        assert queue.reap() == 1
    finally:
        job_ended.disconnect(refuse)
    for row in (bad, good, held, gpu):
        row.refresh_from_db()
    assert (bad.state, good.state) == (JobState.RUNNING, JobState.FAILED)
    assert (held.blocked_reason, gpu.state) == ("", "offline")


def test_a_worker_that_stops_is_not_brought_back_by_its_pool(shot: Any) -> None:
    """What it took would lie in a queue that nobody reads."""
    world.job(shot, world.workflow(vram=0, backend="local"))
    assert not tasks.take_next("cpu@test")  # not registered yet: a pool process does not do it
    node = workers.register_worker(name="cpu@test")
    workers.gone(name=node.name)
    assert not tasks.take_next(node.name)
    node.refresh_from_db()
    assert (node.state, RenderAttempt.objects.count()) == ("offline", 0)
    workers.beat(name=node.name)  # silent for long, not stopped
    tasks.take_next(node.name)
    assert RenderAttempt.objects.count() == 1


def test_a_deleted_worker_is_there_again_with_its_next_beat(shot: Any) -> None:
    workers.register_worker(name="cpu@test").delete()
    workers.beat(name="cpu@test")
    row = workers.find_worker(name="cpu@test")
    assert row is not None
    assert (row.state, row.queue) == ("online", "host.cpu@test")


def hinder(worker: Worker, of: Workflow, how: str) -> None:
    """It takes no more of this workflow, for one of three reasons."""
    if how == "unfit":
        WorkerFit.objects.create(worker=worker, workflow=of, fits=False, reasons=["Lacks a node."])
    elif how == "blocked":
        WorkerBlock.objects.create(worker=worker, workflow=of, failures=3, reason="It failed 3 times.")
    else:
        Worker.objects.filter(pk=worker.pk).update(error="Does not answer.")


@pytest.mark.parametrize(
    ("how", "told"), [("unfit", "Lacks a node."), ("blocked", "It failed 3 times."), ("away", "Does not answer.")]
)
def test_no_job_is_sent_to_a_worker_that_would_not_take_it(shot: Any, how: str, told: str) -> None:
    one = world.workflow()
    small, larger, largest = world.worker("small", vram=8), world.worker("larger"), world.worker("largest", vram=48)
    hinder(larger, one, how)
    full = world.job(shot, one)
    facts: dict[str, Any] = {"state": JobState.FAILED, "error": "Full.", "retryable": True}
    queue.end_attempt(attempt=world.begun(small), cause=Cause.MEMORY, **facts)
    full.refresh_from_db()
    assert (full.state, full.vram_gb) == (JobState.QUEUED, 48)  # over the one that would not take it
    queue.cancel(job=full)
    hinder(largest, one, how)
    for cause in (Cause.MEMORY, Cause.LACKING):
        job = world.job(shot, one)
        queue.end_attempt(attempt=world.begun(small), cause=cause, **facts)
        job.refresh_from_db()
        if how == "away" and cause == Cause.LACKING:  # its server may only be starting again
            assert (job.state, giving_up.end_refused()) == (JobState.QUEUED, 0)
            pass_time(job)
            assert giving_up.end_refused() == 1
            job.refresh_from_db()
        assert job.state == JobState.FAILED
        assert f"largest: {told}" in job.error


def pass_time(job: RenderJob) -> None:
    """The job's tries ended, and it waits, longer ago than RENDER_WAIT_SECONDS."""
    long_ago = timezone.now() - timedelta(seconds=settings.RENDER_WAIT_SECONDS + 1)
    RenderAttempt.objects.filter(job=job).update(finished_at=long_ago)
    RenderJob.objects.filter(pk=job.pk).update(not_before=long_ago)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_refused_job_waits_for_the_only_other_worker_to_start_again(shot: Any, comes_back: bool) -> None:
    here, other = world.worker("here"), world.worker("other")
    job = world.job(shot, world.workflow(), max_attempts=1)
    Worker.objects.filter(pk=other.pk).update(heartbeat_at=timezone.now())
    workers.gone(name="other")
    facts: dict[str, Any] = {"state": JobState.FAILED, "error": "It lacks a node.", "retryable": False}
    queue.end_attempt(attempt=world.begun(here), cause=Cause.LACKING, **facts)
    job.refresh_from_db()
    assert (job.state, job.refused) == (JobState.QUEUED, [here.pk])
    assert world.take(here) is None
    pass_time(job)
    if comes_back:
        workers.beat(name="other")
        assert giving_up.end_refused() == 0
        taken = world.take(Worker.objects.get(pk=other.pk))
        assert taken == job
        return
    tasks.reap()
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "here: It lacks a node." in job.error
    assert "other: It has not come back." in job.error


def test_many_refused_jobs_that_wait_for_a_busy_worker_cost_the_reaper_little(shot: Any) -> None:
    here, _other = world.worker("here"), world.worker("other")
    one = world.workflow()

    def queries(count: int) -> int:
        for _n in range(count):
            pass_time(world.job(shot, one, refused=[here.pk]))
        with CaptureQueriesContext(connection) as asked:
            assert giving_up.end_refused() == 0
        return len(asked)

    few = queries(2)
    assert queries(20) == few <= 6


def test_nobody_waits_for_a_worker_that_left_long_ago_or_would_not_take_it(shot: Any) -> None:
    here, gone, unfit = world.worker("here"), world.worker("gone"), world.worker("unfit")
    one = world.workflow()
    long_ago = timezone.now() - timedelta(seconds=settings.RENDER_WAIT_SECONDS + 1)
    Worker.objects.filter(pk=gone.pk).update(state="offline", heartbeat_at=long_ago)
    Worker.objects.filter(pk=unfit.pk).update(state="offline", heartbeat_at=timezone.now())
    hinder(unfit, one, "unfit")
    job = world.job(shot, one)
    queue.end_attempt(attempt=world.begun(here), cause=Cause.LACKING, state=JobState.FAILED, error="No.")
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FAILED, "No.")
