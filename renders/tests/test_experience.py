"""What attempts teach: where work fits, how long it takes, and what becomes of jobs that ran out of memory."""

from typing import Any

import pytest

from aipipeline.projects.errors import NotFound
from renders.models import Cause, Experience, JobState, RenderAttempt, RenderJob, Version
from renders.services import control, experience, queue
from renders.services.estimates import estimate, finish_estimate
from renders.services.experience import Size, need_of, place_waiting
from renders.services.jobs import render_shots
from renders.services.workers import register_worker
from renders.tests import farm_world as world
from renders.tests.test_queue import run_one
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Any:
    return applied_project(project, admin_user)[0]


def knows(of: Any, vram: int, size: dict[str, int] | None = None, **facts: Any) -> Experience:
    fields = {"gpu": f"Card {vram}", "vram_gb": vram, **(size or world.BIG), **facts}
    row: Experience = Experience.objects.create(workflow=of, **fields)
    return row


def out_of_memory(gpu: Any) -> RenderJob:
    attempt = world.begun(gpu)
    queue.end_attempt(
        attempt=attempt, state=JobState.FAILED, error="The GPU is full.", retryable=True, cause=Cause.MEMORY
    )
    attempt.job.refresh_from_db()
    return attempt.job


def test_success_is_kept_with_its_seconds(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")
    assert run_one(register_worker(name="cpu@test")).state == JobState.SUCCEEDED
    row = Experience.objects.get()
    assert (row.workflow.key, row.width, row.height, row.frames) == ("local.panel", 320, 180, 1)
    assert (row.succeeded, row.failed, row.out_of_memory, row.vram_gb) == (1, 0, 0, 0)
    times = RenderAttempt.objects.get()
    assert times.finished_at is not None
    assert times.started_at is not None
    assert row.seconds == pytest.approx((times.finished_at - times.started_at).total_seconds(), abs=0.01)


def test_the_servers_own_seconds_count_where_it_says_them(shot: Any) -> None:
    one = world.workflow()
    version = Version.objects.create(
        project=shot.project, shot=shot, kind="render", number=1, path="x", provenance={"server_seconds": 12.5}
    )
    world.job(shot, one, version=version)
    attempt = world.begun(world.worker())
    attempt.job.version = version
    experience.note_end(attempt, attempt.job, state=JobState.SUCCEEDED, cause="")
    experience.note_end(attempt, attempt.job, state=JobState.SUCCEEDED, cause="")
    row = Experience.objects.get()
    assert (row.succeeded, row.seconds, row.gpu, row.vram_gb) == (2, 25.0, "Card 24", 24)


def test_what_is_learned_is_of_the_workflows_own_number_of_steps(shot: Any) -> None:
    one = world.workflow(needs={"usual": {"steps": 20}})
    version = Version.objects.create(
        project=shot.project, shot=shot, kind="render", number=1, path="x", provenance={"server_seconds": 60.0}
    )
    job = world.job(shot, one, version=version, params={**world.BIG, "steps": 40})
    attempt = world.begun(world.worker())
    attempt.job.version = version
    experience.note_end(attempt, attempt.job, state=JobState.SUCCEEDED, cause="")
    assert Experience.objects.get().seconds == 30.0
    asked = {"": 30.0, 20: 30.0, 40: 60.0, 5: 7.5, True: 30.0, -3: 30.0, "x": 30.0}
    for steps, seconds in asked.items():
        assert estimate(workflow=one, params={**world.BIG, "steps": steps}) == seconds, steps
    experience.place([job])
    assert job.estimate == 60.0


def test_out_of_memory_goes_once_to_the_smallest_larger_card(shot: Any) -> None:
    world.job(shot, world.workflow())
    small = world.worker("s", vram=8)
    for name, vram in (("huge", 80), ("large", 32)):
        world.worker(name, vram=vram)
    job = out_of_memory(small)
    assert (job.state, job.vram_gb, job.attempts_made) == (JobState.QUEUED, 32, 1)
    assert world.take(small) is None
    job = out_of_memory(next(iter(type(small).objects.filter(name="large"))))
    assert job.state == JobState.FAILED
    assert Experience.objects.filter(out_of_memory=1).count() == 2


def test_without_a_larger_card_the_job_says_so(shot: Any) -> None:
    world.job(shot, world.workflow())
    small = world.worker("s", vram=8)
    world.worker("offline", vram=80, state="offline")
    world.worker("other", vram=80, backend="elsewhere")
    job = out_of_memory(small)
    assert job.state == JobState.FAILED
    assert job.error == "The GPU is full. No larger card than one with 8 GB is online."


def test_what_ran_out_of_memory_is_not_tried_there_again(shot: Any) -> None:
    one = world.workflow(vram=8)
    first = world.job(shot, one, priority=1)
    same, larger = world.job(shot, one), world.job(shot, one, params={**world.BIG, "frames": 161})
    smaller = world.job(shot, one, params=dict(world.SMALL))
    small, large = world.worker("s", vram=8), world.worker("l", vram=24)
    assert out_of_memory(small).pk == first.pk
    place_waiting(workflow=one)
    needs = dict(RenderJob.objects.values_list("pk", "vram_gb"))
    assert needs == {first.pk: 24, same.pk: 9, larger.pk: 9, smaller.pk: 8}
    assert RenderJob.objects.get(pk=same.pk).capability == "gpu.vram16"
    assert world.take(small) == smaller
    assert world.take(small) is None
    assert world.take(large) == first
    assert world.take(large) == same


def test_learning_reaches_waiting_jobs_on_commit(shot: Any, django_capture_on_commit_callbacks: Any) -> None:
    one = world.workflow(vram=8)
    world.job(shot, one, priority=1)
    same = world.job(shot, one)
    small = world.worker("s", vram=8)
    world.worker("l", vram=24)
    with django_capture_on_commit_callbacks(execute=True):
        out_of_memory(small)
    same.refresh_from_db()
    assert same.vram_gb == 9


def test_a_smaller_card_that_did_it_may_do_it_again_up_to_that_size(shot: Any) -> None:
    one = world.workflow(vram=24)
    rows = [knows(one, 16, succeeded=1), knows(one, 8, world.SMALL, succeeded=1), knows(one, 8, out_of_memory=1)]
    assert need_of(one, Size(1280, 720, 81), rows) == 16
    assert need_of(one, Size(1280, 720, 82), rows) == 24
    assert need_of(one, Size(640, 360, 41), rows) == 8
    assert need_of(one, Size(640, 360, 42), rows) == 16


def test_a_success_on_the_same_card_outweighs_an_old_lack_of_memory(shot: Any) -> None:
    one = world.workflow(vram=8)
    rows = [knows(one, 8, out_of_memory=1, succeeded=1)]
    assert need_of(one, Size(1280, 720, 81), rows) == 8
    assert need_of(one, Size(1280, 720, 97), rows) == 9


def test_new_jobs_are_placed_by_what_is_known(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    one = world.workflow(vram=8)
    frames = shots[0].duration_frames
    knows(one, 8, {"width": 320, "height": 180, "frames": frames}, out_of_memory=1)
    knows(one, 24, {"width": 320, "height": 180, "frames": frames}, succeeded=2, seconds=50.0)
    job = render_shots(project=project, actor=admin_user, shots=shots[:1], workflow=one.key)[0]
    job.refresh_from_db()
    assert (job.vram_gb, job.capability, job.estimate) == (9, "gpu.vram16", 25.0)


def test_estimates_are_exact_scaled_or_none(shot: Any) -> None:
    one = world.workflow()
    assert estimate(workflow=one, params=world.BIG) is None
    knows(one, 24, succeeded=2, seconds=80.0)
    knows(one, 80, succeeded=1, seconds=10.0)
    assert estimate(workflow=one, params=world.BIG) == pytest.approx(30.0)
    assert estimate(workflow=one, params=world.BIG, gpu="Card 80") == pytest.approx(10.0)
    assert estimate(workflow=one, params=world.BIG, gpu="Card 9") == pytest.approx(30.0)
    assert estimate(workflow=one, params={**world.BIG, "frames": 162}) == pytest.approx(60.0)
    assert estimate(workflow=one, params={"width": "x", "height": None}) is not None


def test_the_end_of_the_queue_is_dealt_out_over_the_workers(shot: Any) -> None:
    one, heavy = world.workflow(vram=8), world.workflow("own.heavy", vram=24)
    jobs = [world.job(shot, one) for _ in range(4)]
    assert finish_estimate() is None
    knows(one, 8, succeeded=1, seconds=10.0)
    knows(heavy, 24, succeeded=1, seconds=100.0)
    assert finish_estimate() is None, "nobody is online"
    world.worker("a", vram=8)
    world.worker("b", vram=8)
    assert finish_estimate() == pytest.approx(20.0)
    assert finish_estimate(jobs[:2]) == pytest.approx(10.0)
    late = world.job(shot, heavy)
    assert finish_estimate() is None
    assert finish_estimate(jobs) == pytest.approx(20.0)
    world.worker("c", vram=24)
    assert finish_estimate([late]) == pytest.approx(110.0), "an older job of ten seconds is on that card"


def test_a_lacking_server_passes_the_job_on_until_all_have_refused(shot: Any) -> None:
    world.job(shot, world.workflow(), max_attempts=1)
    gpus = [world.worker("a"), world.worker("b")]
    world.worker("small", vram=4)
    for gpu, state in zip(gpus, (JobState.QUEUED, JobState.FAILED), strict=True):
        attempt = world.begun(gpu)
        queue.end_attempt(
            attempt=attempt, state=JobState.FAILED, error=f"{gpu} lacks it.", retryable=False, cause=Cause.LACKING
        )
        attempt.job.refresh_from_db()
        assert attempt.job.state == state
        assert world.take(gpu) is None
    assert attempt.job.error == "a: a lacks it.\nb: b lacks it."
    control.retry_job(job=attempt.job, actor=None)
    assert RenderJob.objects.get(pk=attempt.job.pk).refused == []


def test_one_lack_of_memory_takes_no_size_away_from_the_whole_farm(shot: Any) -> None:
    one = world.workflow(vram=8)
    first = world.job(shot, one, priority=1)
    second, third = world.job(shot, one), world.job(shot, one)
    card = world.worker("only", vram=24)
    world.worker("other", vram=80, backend="elsewhere")
    assert out_of_memory(card).state == JobState.FAILED
    place_waiting(workflow=one)
    assert set(RenderJob.objects.exclude(pk=first.pk).values_list("vram_gb", flat=True)) == {24}
    control.retry_job(job=first, actor=None)
    assert out_of_memory(card).pk == first.pk, "its own second lack of memory shows nothing new"
    place_waiting(workflow=one)
    assert out_of_memory(card).pk in (second.pk, third.pk)
    place_waiting(workflow=one)
    left = RenderJob.objects.get(state=JobState.QUEUED)
    assert (left.vram_gb, world.take(card)) == (25, None), "several jobs ran out of memory there"


def test_what_is_tried_again_is_placed_anew(shot: Any) -> None:
    one = world.workflow(vram=8)
    world.job(shot, one)
    small, large = world.worker("s", vram=8), world.worker("l", vram=24)
    assert out_of_memory(small).vram_gb == 24
    job = out_of_memory(large)
    assert (job.state, job.params["after_out_of_memory"]) == (JobState.FAILED, True)
    Experience.objects.all().delete()
    control.retry_job(job=job, actor=None)
    job.refresh_from_db()
    assert (job.vram_gb, job.capability, job.params) == (8, "gpu.vram8", world.BIG)
    job = out_of_memory(small)
    assert (job.state, job.vram_gb) == (JobState.QUEUED, 24), "the larger card is there for it once more"


def test_what_was_learned_can_be_forgotten(shot: Any, admin_user: Any, django_capture_on_commit_callbacks: Any) -> None:
    one, other = world.workflow(vram=8), world.workflow("own.other", vram=8)
    knows(other, 8, out_of_memory=1)
    waits = world.job(shot, one, vram_gb=9, capability="gpu.vram16", priority=-1)
    world.job(shot, one)
    out_of_memory(world.worker("s", vram=8))
    with django_capture_on_commit_callbacks(execute=True):
        assert experience.forget(workflow=one, actor=admin_user) == 1
    waits.refresh_from_db()
    assert (waits.vram_gb, waits.capability) == (8, "gpu.vram8")
    assert list(Experience.objects.values_list("workflow__key", flat=True)) == ["own.other"]
    assert not RenderAttempt.objects.filter(cause=Cause.MEMORY).exists()
    with pytest.raises(NotFound):
        experience.forget(workflow=one, actor=admin_user)
