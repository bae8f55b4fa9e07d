"""Who takes which job: priority, fair shares, models that are loaded, memory, what waits for what."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.db.models.functions import Now

from renders.models import JobState, RenderAttempt, RenderJob, Worker
from renders.services import placing, queue, waiting
from renders.services.jobs import render_shots
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from renders.services.workers import register_worker
from renders.tests import farm_world as world
from tests.factories import applied_project, picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Any:
    return applied_project(project, admin_user)[0]


def test_nothing_goes_above_the_memory_or_to_another_engine(shot: Any) -> None:
    large, small = world.workflow("own.large", vram=24), world.workflow("own.small", vram=8)
    world.job(shot, large, priority=9)
    fits = world.job(shot, small)
    assert world.take(world.worker("other", vram=80, backend="elsewhere")) is None
    eight = world.worker("eight", vram=8)
    assert world.take(eight) == fits
    assert world.take(eight) is None
    taken = world.take(world.worker("eighty", vram=80))
    assert taken is not None
    assert taken.workflow_id == large.pk


def test_people_take_turns_whoever_came_first(shot: Any, admin_user: Any, artist: Any) -> None:
    one = world.workflow()
    many = [world.job(shot, one, by=admin_user) for _ in range(6)]
    nobodys = world.job(shot, one)
    theirs = [world.job(shot, one, by=artist) for _ in range(2)]
    gpu = world.worker()
    taken = []
    for _ in range(9):
        attempt = world.begun(gpu)
        taken.append(attempt.job)
        queue.end_attempt(attempt=attempt, state=JobState.CANCELLED)
    assert {taken[i].pk for i in range(3)} == {many[0].pk, nobodys.pk, theirs[0].pk}
    assert {taken[i].pk for i in (3, 4)} == {many[1].pk, theirs[1].pk}
    assert taken[5:] == many[2:]


def test_who_holds_fewer_jobs_goes_first(shot: Any, admin_user: Any, artist: Any) -> None:
    one = world.workflow()
    for _ in range(4):
        world.job(shot, one, by=admin_user)
    gpus = [world.worker(f"g{i}") for i in range(4)]
    held = [world.take(gpu) for gpu in gpus[:2]]
    late = [world.job(shot, one, by=artist) for _ in range(2)]
    assert all(row is not None for row in held)
    assert [world.take(gpu) for gpu in gpus[2:]] == late


def test_a_higher_priority_goes_before_fairness(shot: Any, admin_user: Any, artist: Any) -> None:
    one = world.workflow()
    world.job(shot, one, by=artist)
    urgent = [world.job(shot, one, by=admin_user, priority=5) for _ in range(2)]
    gpu = world.worker()
    assert [world.take(gpu), world.take(gpu)] == urgent


def test_loaded_models_go_first_until_another_was_passed_over_enough(shot: Any, admin_user: Any) -> None:
    loaded, other = world.workflow("own.a", model_key="a"), world.workflow("own.b", model_key="b")
    gpu = world.worker(loaded="a")
    first = world.job(shot, other, by=admin_user)
    same = [world.job(shot, loaded, by=admin_user) for _ in range(placing.MOST_PASSED + 2)]
    order = [world.take(gpu) for _ in range(placing.MOST_PASSED + 1)]
    assert order == [*same[: placing.MOST_PASSED], first]
    assert Worker.objects.get().loaded == "b"
    first.refresh_from_db()
    assert first.passed_over == 0


def test_nothing_is_passed_over_for_long_nor_by_a_lower_priority(shot: Any) -> None:
    loaded, other = world.workflow("own.a", model_key="a"), world.workflow("own.b", model_key="b")
    gpu = world.worker(loaded="a")
    first = world.job(shot, other)
    same = world.job(shot, loaded)
    assert world.take(gpu) == same
    RenderJob.objects.filter(pk=first.pk).update(passed_since=Now() - placing.LONGEST_PASSED - timedelta(seconds=1))
    Worker.objects.update(loaded="a")
    world.job(shot, loaded)
    assert world.take(gpu) == first
    urgent = world.job(shot, other, priority=1)
    Worker.objects.update(loaded="a")
    assert world.take(gpu) == urgent


def test_a_job_refused_by_one_worker_goes_to_another(shot: Any) -> None:
    one = world.workflow()
    gpu, better = world.worker("a"), world.worker("b")
    mine = world.job(shot, one, refused=[gpu.pk])
    assert world.take(gpu) is None
    assert world.take(better) == mine


def test_a_job_waits_with_a_reason_until_the_one_before_is_rendered(shot: Any) -> None:
    one = world.workflow()
    first = world.job(shot, one)
    later = world.job(shot, one, after=[first], priority=50)
    gpu = world.worker()
    attempt = world.begun(gpu)
    assert attempt.job == first
    later.refresh_from_db()
    assert shot.code in later.blocked_reason
    assert world.take(gpu) is None
    RenderAttempt.objects.filter(pk=attempt.pk).update(state=JobState.SUCCEEDED)
    RenderJob.objects.filter(pk=first.pk).update(state=JobState.SUCCEEDED)
    assert waiting.look_again() == 1
    assert world.take(gpu) == later


def test_a_job_waits_for_the_approval_of_the_version_before(project: Any, admin_user: Any, tmp_path: Any) -> None:
    shots = applied_project(project, admin_user)
    worker = register_worker(name="cpu@test")
    first = render_shots(project=project, actor=admin_user, shots=[shots[0]], step="first_image")
    later = render_shots(project=project, actor=admin_user, shots=[shots[1]], step="first_image", after=first)[0]
    RenderJob.objects.filter(pk=later.pk).update(waits_for="approved")
    image = picture(tmp_path / "a.png")
    version = publish_files(owner=shots[0], kind="previz", files={"a.png": image}, actor=admin_user)
    RenderJob.objects.filter(pk=first[0].pk).update(state=JobState.SUCCEEDED, version=version)
    assert waiting.look_again(after=first) == 0
    assert world.take(worker) is None
    later.refresh_from_db()
    assert "v001" in later.blocked_reason
    assert "to be approved" in later.blocked_reason
    review_version(version=version, actor=admin_user, verdict="reject", text="다시")
    later.refresh_from_db()
    assert "v001 was rejected" in later.blocked_reason
    assert world.take(worker) is None
    review_version(version=version, actor=admin_user, verdict="approve")
    later.refresh_from_db()
    assert later.blocked_reason == ""
    assert world.take(worker) == later


def test_thousands_of_jobs_that_wait_do_not_stand_in_the_way(shot: Any) -> None:
    one = world.workflow()
    first = world.job(shot, one)
    rows = [
        RenderJob(project=shot.project, shot=shot, workflow=one, kind="render", step="render", priority=5, vram_gb=8)
        for _ in range(1200)
    ]
    RenderJob.objects.bulk_create(rows)
    links = RenderJob.after.through
    links.objects.bulk_create(links(from_renderjob=row, to_renderjob=first) for row in rows)
    assert world.take(world.worker()) == first
    assert RenderJob.objects.exclude(blocked_reason="").count() == 1200


@pytest.mark.django_db(transaction=True)
def test_eight_that_claim_at_once_share_nothing_and_leave_nothing(shot: Any, admin_user: Any, artist: Any) -> None:
    one, two = world.workflow("own.a", model_key="a"), world.workflow("own.b", model_key="b")
    for i in range(40):
        world.job(shot, (one, two)[i % 2], by=(admin_user, artist)[i % 3 == 0], priority=i % 2)
    gpus = [world.worker(f"g{i}") for i in range(8)]

    def all_of(gpu: Worker) -> list[Any]:
        try:
            taken = []
            while (attempt := queue.claim(worker=gpu, slots=99)) is not None:
                taken.append(attempt.job_id)
            return taken
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        taken = [key for keys in pool.map(all_of, gpus) for key in keys]
    while (late := world.take(gpus[0])) is not None:  # who meets only locked rows comes away empty, and is woken again
        taken.append(late.pk)
    assert len(taken) == len(set(taken)) == 40
    assert RenderAttempt.objects.count() == 40
