"""On PostgreSQL a function of the database claims: it must choose what the querysets of `placing` would choose."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models.functions import Now

from renders.models import (
    JobState,
    Pause,
    RenderAttempt,
    RenderJob,
    Version,
    VersionStatus,
    Worker,
    WorkerBlock,
    WorkerFit,
    Workflow,
)
from renders.models.farm import WorkerState
from renders.models.version import VersionState
from renders.services import placing, queue, waiting
from renders.tests import farm_world as world
from tests.factories import applied_project

pytestmark = pytest.mark.django_db
STEPS = 50


@pytest.mark.parametrize("seed", range(4))
def test_the_function_takes_what_the_querysets_would(project: Any, admin_user: Any, seed: int) -> None:
    """A random farm on which jobs begin, end, fail, wait, are approved, refused and paused."""
    assert connection.vendor == "postgresql"
    deal = random.Random(seed)
    gpus = _farm(deal, applied_project(project, admin_user), admin_user)
    taken = idle = held_back = 0
    for _step in range(STEPS):
        gpu = Worker.objects.get(pk=deal.choice(gpus).pk)
        expected = _expected(gpu)
        if expected is placing.Waits:
            held_back += 1
        got = queue.claim(worker=gpu, slots=4)
        assert got is None or not waiting.unmet(got.job_id).exists()
        if expected is placing.Waits:
            pass  # what waited was held back first; the next steps compare again
        elif expected is None:
            idle += 1
            assert got is None
        else:
            assert got is not None
            assert got.job_id == expected[0]
            taken += 1
            _as_the_querysets_leave_it(got, expected)
        _something_happens(deal, gpus)
    assert taken > STEPS / 3
    assert idle + held_back > 0


def _farm(deal: random.Random, shots: Any, admin: Any) -> list[Worker]:
    people = [None, admin, *(get_user_model().objects.create_user(username=f"p{i}", password="x") for i in range(4))]
    flows = [
        world.workflow(
            f"own.f{i}", vram=deal.choice((8, 16, 24, 48)), model_key=deal.choice(("", "a", "b", "c")),
            backend=deal.choice(("comfyui", "comfyui", "local")),
        )
        for i in range(8)
    ]  # fmt: skip
    gpus = [world.worker(f"g{i}", vram=deal.choice((8, 24, 24, 80)), loaded=deal.choice(("", "a"))) for i in range(4)]
    for gpu in gpus:
        for flow in flows:
            if deal.random() < 0.2:
                WorkerFit.objects.create(worker=gpu, workflow=flow, fits=deal.random() < 0.5)
    WorkerBlock.objects.create(worker=gpus[0], workflow=flows[0])
    jobs: list[RenderJob] = []
    for _ in range(70):
        refused = [deal.choice(gpus).pk] if deal.random() < 0.2 else []
        after = [deal.choice(jobs)] if jobs and deal.random() < 0.3 else []
        made = world.job(
            deal.choice(shots), deal.choice(flows), by=deal.choice(people), priority=deal.choice((0, 0, 0, 5, -5)),
            refused=refused, waits_for=deal.choice(("rendered", "approved")), after=after,
        )  # fmt: skip
        jobs.append(made)
    return gpus


def _expected(gpu: Worker) -> Any:
    """What `placing` chooses, and what it would leave behind; nothing stays."""
    found: Any = None
    with transaction.atomic():
        try:
            attempt = queue._take(gpu, 4)
        except placing.Waits:
            return placing.Waits
        if attempt is not None:
            found = (attempt.job_id, _left(), attempt.number, attempt.saved)
        transaction.set_rollback(True)
    return found


def _left() -> Any:
    jobs = RenderJob.objects.order_by("pk").values_list("pk", "state", "attempts_made", "passed_over", "error")
    since = RenderJob.objects.filter(passed_since__isnull=False).order_by("pk").values_list("pk", flat=True)
    return list(jobs), list(since), list(Worker.objects.order_by("pk").values_list("pk", "loaded"))


def _as_the_querysets_leave_it(got: RenderAttempt, expected: Any) -> None:
    _job, left, number, saved = expected
    assert _left() == left
    row = RenderAttempt.objects.get(pk=got.pk)
    assert (row.number, row.saved, row.state) == (number, saved, JobState.LEASED)
    assert (got.number, got.saved, got.state, got.worker_id) == (row.number, row.saved, row.state, row.worker_id)
    assert RenderAttempt.objects.filter(pk=row.pk, lease_until__gt=Now(), lease_until__lt=Now() + timedelta(seconds=9))
    assert row.job.started_at is not None


def _something_happens(deal: random.Random, gpus: list[Worker]) -> None:
    running = list(RenderAttempt.objects.filter(state=JobState.LEASED).select_related("job"))
    if running and deal.random() < 0.7:
        attempt = deal.choice(running)
        if deal.random() < 0.3:
            RenderAttempt.objects.filter(pk=attempt.pk).update(saved={"prompt_id": str(attempt.pk)})
            queue.end_attempt(attempt=attempt, state=JobState.FAILED, error="x", retryable=True)
            world.again_now()
        else:
            _succeeded(deal, attempt)
    match deal.randrange(10):
        case 0:
            _pause(deal)
        case 1:
            Pause.objects.all().delete()
        case 2:
            state = deal.choice((WorkerState.DRAINING, WorkerState.ONLINE))
            Worker.objects.filter(pk=deal.choice(gpus).pk).update(state=state, error=deal.choice(("", "", "broken")))
        case 3:
            Worker.objects.update(state=WorkerState.ONLINE, error="")
        case 4:
            RenderJob.objects.filter(state=JobState.QUEUED).update(blocked_reason="")  # a lost note
        case 5:
            RenderJob.objects.update(passed_since=deal.choice((None, None, Now() - placing.LONGEST_PASSED * 2)))
        case 6:
            passed = deal.choice((placing.MOST_PASSED - 1, placing.MOST_PASSED))
            RenderJob.objects.filter(state=JobState.QUEUED).update(passed_over=passed)
        case 7:
            version = Version.objects.exclude(status=VersionStatus.APPROVED).order_by("pk").first()
            if version:
                Version.objects.filter(pk=version.pk).update(status=VersionStatus.APPROVED)
                waiting.look_again()


def _succeeded(deal: random.Random, attempt: RenderAttempt) -> None:
    job = attempt.job
    number = Version.objects.filter(shot=job.shot, kind=job.kind).count() + 1
    status = deal.choice((VersionStatus.APPROVED, VersionStatus.PENDING))
    job.version = Version.objects.create(
        project=job.project, shot=job.shot, kind=job.kind, number=number, state=VersionState.PUBLISHED, status=status,
        path=f"{attempt.pk}.png",
    )  # fmt: skip
    RenderAttempt.objects.filter(pk=attempt.pk).update(state=JobState.SUCCEEDED, finished_at=Now())
    RenderJob.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED, version=job.version)
    waiting.look_again(after=[job])


def _pause(deal: random.Random) -> None:
    flow = deal.choice(list(Workflow.objects.filter(key__startswith="own.")))
    scope, key = deal.choice((("workflow", str(flow.pk)), ("capability", "gpu.vram24"), ("project", "0")))
    Pause.objects.get_or_create(scope=scope, key=key)


def test_a_worker_that_is_gone_takes_nothing(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    gpu = world.worker()
    world.job(shot, world.workflow())
    Worker.objects.filter(pk=gpu.pk).delete()
    assert queue.claim(worker=gpu) is None
