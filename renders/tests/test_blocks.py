"""A worker that fails a workflow again and again is blocked for it, says so, and is let go by people or a new look."""

from typing import Any

import pytest

from aipipeline.projects.errors import NotFound
from renders import backends, runner
from renders.backends import BackendError
from renders.models import Cause, JobState, RenderAttempt, RenderJob, Worker, WorkerBlock
from renders.services import queue
from renders.services.blocks import lift_block
from renders.tests import farm_world as world
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Any:
    return applied_project(project, admin_user)[0]


def fail(gpu: Worker, cause: str = Cause.ENGINE, *, retryable: bool = False) -> RenderJob:
    attempt = world.begun(gpu)
    queue.end_attempt(attempt=attempt, state=JobState.FAILED, error="torn", retryable=retryable, cause=cause)
    return attempt.job


def succeed(gpu: Worker) -> None:
    attempt = world.begun(gpu)
    RenderAttempt.objects.filter(pk=attempt.pk).update(state=JobState.SUCCEEDED, finished_at=attempt.started_at)
    RenderJob.objects.filter(pk=attempt.job_id).update(state=JobState.SUCCEEDED)


def test_three_in_a_row_block_and_another_worker_goes_on(shot: Any, admin_user: Any) -> None:
    one, two = world.workflow("own.one"), world.workflow("own.two")
    for _ in range(6):
        world.job(shot, one)
    other = world.job(shot, two)
    gpu, better = world.worker("a"), world.worker("b")
    fail(gpu)
    fail(gpu)
    assert not WorkerBlock.objects.exists()
    fail(gpu)
    block = WorkerBlock.objects.get()
    assert (block.worker, block.workflow, block.failures) == (gpu, one, 3)
    assert "torn" in block.reason
    assert world.take(gpu) == other
    assert world.take(gpu) is None
    assert world.take(better) is not None
    lift_block(worker=gpu, workflow=one.key, actor=admin_user)
    fail(gpu)
    assert not WorkerBlock.objects.exists(), "what was before the block was lifted counts no more"
    with pytest.raises(NotFound):
        lift_block(worker=gpu, workflow=one.key, actor=admin_user)


def test_a_success_between_begins_anew(shot: Any) -> None:
    one = world.workflow()
    for _ in range(5):
        world.job(shot, one)
    gpu = world.worker()
    fail(gpu)
    fail(gpu)
    succeed(gpu)
    fail(gpu)
    fail(gpu)
    assert not WorkerBlock.objects.exists()


@pytest.mark.parametrize("cause", [Cause.AWAY, Cause.LOST, Cause.LACKING, Cause.MEMORY, ""])
def test_what_is_not_the_workers_fault_does_not_count(shot: Any, cause: str) -> None:
    one = world.workflow()
    for _ in range(4):
        world.job(shot, one)
    gpu = world.worker()
    for _ in range(4):
        fail(gpu, cause)
    assert not WorkerBlock.objects.exists()


def test_one_job_that_fails_alone_blocks_nobody(shot: Any) -> None:
    one = world.workflow()
    world.job(shot, one, max_attempts=9)
    gpu = world.worker()
    for _ in range(4):
        fail(gpu, retryable=True)
        world.again_now()
    assert not WorkerBlock.objects.exists()
    world.job(shot, one, priority=1)
    fail(gpu)
    assert WorkerBlock.objects.get().failures == 5


class Broken:
    key = "broken"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def run(self, context: Any, reporter: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (BackendError("x", retryable=False), Cause.ENGINE),
        (ValueError("x"), Cause.ENGINE),
        (BackendError("x", later=True), Cause.AWAY),
        (BackendError("x", out_of_memory=True), Cause.MEMORY),
        (BackendError("x", elsewhere=True), Cause.LACKING),
    ],
)
def test_the_runner_says_what_kind_of_trouble_it_was(
    shot: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, cause: str
) -> None:
    monkeypatch.setitem(backends._backends, "broken", Broken(error))
    world.job(shot, world.workflow("own.broken", backend="broken"))
    attempt = queue.claim(worker=world.worker(backend="broken"))
    assert attempt is not None
    runner.run_attempt(attempt.pk)
    assert RenderAttempt.objects.get().cause == cause


def test_a_job_that_lacks_its_inputs_says_nothing_of_the_worker(shot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backends._backends, "broken", Broken(ValueError("never reached")))
    inputs = [{"role": "first_image", "kind": "previz"}]
    world.job(shot, world.workflow("own.broken", backend="broken", inputs=inputs))
    attempt = queue.claim(worker=world.worker(backend="broken"))
    assert attempt is not None
    runner.run_attempt(attempt.pk)
    row = RenderAttempt.objects.get()
    assert (row.state, row.cause) == (JobState.FAILED, "")
