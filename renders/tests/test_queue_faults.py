"""What the queue does when others fail it: lost messages, busy pools, attempts that wake late, workers that stop."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from renders import tasks
from renders.backends import JobCancelled
from renders.models import JobState, RenderAttempt, RenderJob
from renders.services import queue, workers
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
