"""Continuity chains: shot after shot, the last frame of one the first image of the next; what falls and comes back."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aipipeline.history.models import Action
from aipipeline.media.frames import FrameError, count_frames, take_frame
from aipipeline.projects.errors import Conflict, Invalid
from renders import runner
from renders.gathering import gather_inputs
from renders.models import BatchKind, JobState, RenderJob, Version
from renders.services import batches, chains, control, many, queue
from renders.services.jobs import Started, render_shots, start_renders
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from renders.tests.chain_world import clip, clip_version, end, worker
from shots.models import Shot, ShotState
from tests.factories import applied_project, picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
RED, GREEN, BLUE = (200, 20, 20), (20, 200, 20), (20, 20, 200)


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    return applied_project(project, admin_user)


def chain(project: Any, actor: Any, shots: list[Shot], **more: Any) -> Started:
    return start_renders(
        project=project, actor=actor, shots=shots, workflow=more.pop("workflow", "local.move"), chain=True, **more
    )


def state_of(*jobs: RenderJob) -> list[str]:
    rows = RenderJob.objects.in_bulk([job.pk for job in jobs])
    return [rows[job.pk].state for job in jobs]


def test_each_job_waits_for_the_one_before_in_story_order(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    started = chain(project, admin_user, list(reversed(shots)))
    assert started.batch is not None
    assert started.batch.kind == BatchKind.CHAIN
    a, b, c = started.jobs
    assert [job.shot for job in (a, b, c)] == shots
    assert [list(job.after.all()) for job in (a, b, c)] == [[], [a], [b]]
    assert a.inputs == {"first_image": None}
    assert b.inputs == {"first_image": {"job": str(a.pk), "frame": "last"}}
    assert RenderJob.objects.get(pk=c.pk).blocked_reason
    with pytest.raises(Conflict) as refused:
        chain(project, admin_user, shots)
    assert refused.value.details["shots"] == [shot.pk for shot in shots]


def test_pictures_are_chained_by_waiting_alone(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    started = chain(project, admin_user, shots, workflow="local.panel")
    assert [job.inputs for job in started.jobs] == [{}, {}, {}]
    assert list(started.jobs[2].after.all()) == [started.jobs[1]]


def test_the_frame_that_is_asked_for_comes_out(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", [RED, GREEN, BLUE, GREEN, RED, BLUE, (9, 9, 9)])
    for which, number, color in ((0, 0, RED), ("first", 0, RED), (2, 2, BLUE), (5, 5, BLUE), ("last", 6, (9, 9, 9))):
        target = tmp_path / "frame.png"
        assert take_frame(source, which, target) == number  # type: ignore[arg-type]
        with Image.open(target) as image:
            assert image.convert("RGB").getpixel((5, 5)) == color
        target.unlink()
    assert count_frames(source) == 7
    with pytest.raises(FrameError, match="no frame 7"):
        take_frame(source, 7, tmp_path / "none.png")
    (tmp_path / "b.mp4").write_bytes(b"no clip")
    with pytest.raises(FrameError):
        take_frame(tmp_path / "b.mp4", "last", tmp_path / "none.png")


def test_the_last_frame_of_a_torn_clip_is_the_last_that_decodes(tmp_path: Path) -> None:
    from aipipeline.media import ffmpeg

    whole = clip(tmp_path / "a.mp4", [(n * 20, 0, 0) for n in range(10)])
    torn = tmp_path / "torn.ts"
    ffmpeg.run(["-i", whole, "-c", "copy", "-f", "mpegts", torn])
    data = torn.read_bytes()
    torn.write_bytes(data[: len(data) * 6 // 10])
    number = take_frame(torn, "last", tmp_path / "last.png")
    assert 0 < number < 9
    with Image.open(tmp_path / "last.png") as image:
        assert image.convert("RGB").getpixel((5, 5))[0] == pytest.approx(number * 20, abs=1)  # type: ignore[index]


def test_a_job_takes_the_last_frame_of_what_it_waited_for(
    project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path
) -> None:
    a, b, _c = chain(project, admin_user, shots).jobs
    end(a, JobState.SUCCEEDED, version=clip_version(shots[0], tmp_path, [RED, GREEN, BLUE]))
    b.refresh_from_db()
    frames = tmp_path / "frames"
    files, used = gather_inputs(b, frames)
    assert used == {"first_image": {"version": a.version_id or Version.objects.get(kind="render").pk, "frame": 2}}
    assert files.keys() == {"first_image"}  # no clean picture of another shot goes with it
    with Image.open(files["first_image"]) as image:
        assert image.convert("RGB").getpixel((5, 5)) == BLUE


@pytest.mark.django_db(transaction=True)
def test_a_chain_runs_through_and_the_picture_goes_on(
    project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path
) -> None:
    Shot.objects.update(duration_frames=4)
    first = picture(tmp_path / "a.png", color=GREEN)
    publish_files(owner=shots[0], kind="previz", files={"a.png": first}, actor=admin_user)
    rows = list(Shot.objects.select_related("project").order_by("position")[:2])
    a, b = chain(project, admin_user, rows, params={"width": 320, "height": 180}).jobs
    for job in (a, b):
        attempt = queue.claim(worker=worker(), slots=9)
        assert attempt is not None
        assert attempt.job_id == job.pk
        runner.run_attempt(attempt.pk)
    assert state_of(a, b) == [JobState.SUCCEEDED, JobState.SUCCEEDED]
    made = {v.shot_id: v for v in Version.objects.filter(kind="render", state="published")}
    link = made[rows[1].pk].provenance["inputs"]["first_image"]
    assert link == {"version": made[rows[0].pk].pk, "frame": 3}
    assert made[rows[1].pk].follows == made[rows[0].pk]
    assert [entry["name"] for entry in made[rows[1].pk].manifest] == [made[rows[1].pk].file().name]
    assert sorted(p.name for p in made[rows[1].pk].folder.iterdir()) == sorted(
        [made[rows[1].pk].file().name, "version.json"]
    )


def test_an_approved_chain_waits_for_the_approval(
    project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path
) -> None:
    a, b, c = chain(project, admin_user, shots, waits_for="approved").jobs
    assert {a.waits_for, b.waits_for, c.waits_for} == {"approved"}
    version = clip_version(shots[0], tmp_path, [RED, BLUE])
    attempt = queue.claim(worker=worker(), slots=9)
    assert attempt is not None
    queue.end_attempt(attempt=attempt, state=JobState.FAILED, error="x", retryable=True)
    RenderJob.objects.filter(pk=a.pk).update(version=version)
    queue.end_job(RenderJob.objects.get(pk=a.pk), JobState.SUCCEEDED)
    assert queue.claim(worker=worker(), slots=9) is None
    review_version(version=version, actor=admin_user, verdict="approve")
    following = queue.claim(worker=worker(), slots=9)
    assert following is not None
    assert following.job_id == b.pk


def test_a_newer_version_that_is_approved_does_for_one_that_was_rejected(
    project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path
) -> None:
    earlier = clip_version(shots[0], tmp_path, [BLUE])
    a, b, c = chain(project, admin_user, shots, waits_for="approved").jobs
    RenderJob.objects.filter(pk=c.pk).update(waits_for="rendered")
    first = clip_version(shots[0], tmp_path, [RED])
    end(a, JobState.SUCCEEDED, version=first)
    review_version(version=first, actor=admin_user, verdict="reject", text="Too dark.")
    assert "v002 was rejected" in RenderJob.objects.get(pk=b.pk).blocked_reason
    review_version(version=earlier, actor=admin_user, verdict="approve")
    other = clip_version(shots[1], tmp_path, [BLUE])
    review_version(version=other, actor=admin_user, verdict="approve")
    assert "v002 was rejected" in RenderJob.objects.get(pk=b.pk).blocked_reason, "neither older nor another shot's"
    assert queue.claim(worker=worker(), slots=9) is None
    again = clip_version(shots[0], tmp_path, [GREEN])
    assert queue.claim(worker=worker(), slots=9) is None
    review_version(version=again, actor=admin_user, verdict="approve")
    b.refresh_from_db()
    assert b.blocked_reason == ""
    _files, used = gather_inputs(b, tmp_path / "frames")
    assert used["first_image"] == {"version": again.pk, "frame": 0}
    following = queue.claim(worker=worker(), slots=9)
    assert following is not None
    assert following.job_id == b.pk
    RenderJob.objects.filter(pk=b.pk).update(waits_for="rendered")
    _files, used = gather_inputs(RenderJob.objects.get(pk=b.pk), tmp_path / "frames")
    assert used["first_image"]["version"] == first.pk, "who waits for the render alone goes on with that"


def test_a_failed_link_ends_what_follows_and_comes_back_with_it(
    project: Any, admin_user: Any, shots: list[Shot]
) -> None:
    started = chain(project, admin_user, shots)
    a, b, c = started.jobs
    end(a, JobState.FAILED, error="The server is gone.")
    assert state_of(a, b, c) == [JobState.FAILED, JobState.CANCELLED, JobState.CANCELLED]
    assert RenderJob.objects.get(pk=c.pk).error
    step = shots[2].steps.get(step="render")
    assert step.state == ShotState.READY
    control.retry_job(job=a, actor=admin_user)
    assert state_of(a, b, c) == [JobState.QUEUED] * 3
    step.refresh_from_db()
    assert step.state == ShotState.GENERATING
    attempt = queue.claim(worker=worker(), slots=9)
    assert attempt is not None
    assert attempt.job_id == a.pk
    assert queue.claim(worker=worker(), slots=9) is None


def test_what_a_person_cancelled_stays_cancelled(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    started = chain(project, admin_user, shots)
    a, b, c = started.jobs
    control.cancel_job(job=c, actor=admin_user)
    end(a, JobState.FAILED, error="x")
    assert started.batch is not None
    assert {job.pk for job in batches.retry_failed(batch=started.batch, actor=admin_user).jobs} == {a.pk, b.pk}
    assert state_of(a, b, c) == [JobState.QUEUED, JobState.QUEUED, JobState.CANCELLED]
    batches.cancel_batch(batch=started.batch, actor=admin_user)
    control.retry_job(job=RenderJob.objects.get(pk=a.pk), actor=admin_user)
    assert state_of(a, b, c) == [JobState.QUEUED, JobState.CANCELLED, JobState.CANCELLED]


def test_what_waits_for_another_dead_job_does_not_come_back(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    a, b = render_shots(project=project, actor=admin_user, shots=shots[:2], workflow="local.panel")
    (c,) = render_shots(project=project, actor=admin_user, shots=shots[2:], workflow="local.panel", after=[a, b])
    end(a, JobState.FAILED, error="x")
    end(b, JobState.FAILED, error="x")
    control.retry_job(job=a, actor=admin_user)
    assert state_of(a, b, c) == [JobState.QUEUED, JobState.FAILED, JobState.CANCELLED]
    control.retry_job(job=b, actor=admin_user)
    assert state_of(a, b, c) == [JobState.QUEUED] * 3


@pytest.mark.parametrize("many_at_once", [False, True])
def test_who_is_tried_again_brings_what_it_waits_for(
    project: Any, admin_user: Any, shots: list[Shot], many_at_once: bool
) -> None:
    """Behind a job that failed it would wait for ever; who fell with that one comes back too."""
    a, b, c = chain(project, admin_user, shots).jobs
    (d,) = render_shots(project=project, actor=admin_user, shots=shots[:1], workflow="local.panel", after=[a])
    end(a, JobState.FAILED, error="x")
    assert state_of(a, b, c, d) == [JobState.FAILED, *[JobState.CANCELLED] * 3]
    c.refresh_from_db()
    again = many.retry_jobs(jobs=[c], actor=admin_user) if many_at_once else control.retry_job(job=c, actor=admin_user)
    assert [job.pk for job in again.asked] == [c.pk]
    assert {job.pk for job in again.brought} == {a.pk, b.pk, d.pk}
    assert again.names == [shots[0].code, shots[1].code]
    assert state_of(a, b, c, d) == [JobState.QUEUED] * 4
    attempt = queue.claim(worker=worker(), slots=9)
    assert attempt is not None
    assert attempt.job_id == a.pk
    assert queue.claim(worker=worker(), slots=9) is None


def test_a_batch_brings_the_dead_job_of_another_that_it_waits_for(
    project: Any, admin_user: Any, shots: list[Shot]
) -> None:
    (a,) = render_shots(project=project, actor=admin_user, shots=shots[:1], workflow="local.panel")
    started = start_renders(project=project, actor=admin_user, shots=shots[1:2], workflow="local.panel", after=[a])
    (b,) = started.jobs
    end(b, JobState.FAILED, error="x")
    control.cancel_job(job=a, actor=admin_user)
    assert started.batch is not None
    again = batches.retry_failed(batch=started.batch, actor=admin_user)
    assert {job.pk for job in again.jobs} == {a.pk, b.pk}
    assert again.names == [shots[0].code]
    assert state_of(a, b) == [JobState.QUEUED] * 2


def test_nothing_waits_for_what_has_failed_or_for_itself(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    a, b, c = chain(project, admin_user, shots).jobs
    with pytest.raises(Invalid):
        chains.refuse_cycle(a, {c.pk: c})
    chains.refuse_cycle(c, {a.pk: a})
    end(a, JobState.FAILED, error="x")
    with pytest.raises(Invalid) as refused:
        render_shots(project=project, actor=admin_user, shots=shots[:1], workflow="local.panel", after=[a])
    assert list(refused.value.fields) == ["after"]
    assert b.batch_id == a.batch_id


def test_what_a_job_waits_for_can_be_changed_but_never_to_a_circle(
    project: Any, admin_user: Any, shots: list[Shot]
) -> None:
    a, b, c = render_shots(project=project, actor=admin_user, shots=shots, workflow="local.panel")
    control.set_after(job=b, actor=admin_user, after=[a])
    control.set_after(job=c, actor=admin_user, after=[b], waits_for="approved")
    c.refresh_from_db()
    assert (list(c.after.all()), c.waits_for, bool(c.blocked_reason)) == ([b], "approved", True)
    with pytest.raises(Invalid):
        control.set_after(job=a, actor=admin_user, after=[c])
    with pytest.raises(Invalid):
        control.set_after(job=a, actor=admin_user, after=[a])
    with pytest.raises(Invalid):
        control.set_after(job=a, actor=admin_user, after=[], waits_for="never")
    assert not a.after.exists()
    told = Action.objects.filter(kind="render.after").order_by("-sequence")[0].changes[0]["fields"]
    assert told["after"] == [[], [str(b.pk)]]
    assert told["waits_for"] == ["rendered", "approved"]
    control.set_after(job=c, actor=admin_user, after=[])
    c.refresh_from_db()
    assert (c.blocked_reason, list(c.after.all())) == ("", [])
    RenderJob.objects.filter(pk=c.pk).update(state=JobState.RUNNING)
    with pytest.raises(Conflict):
        control.set_after(job=c, actor=admin_user, after=[a])


def test_named_inputs_are_checked_and_taken(project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path) -> None:
    other = publish_files(
        owner=shots[1], kind="previz", files={"a.png": picture(tmp_path / "a.png", color=RED)}, actor=admin_user
    )
    moving = clip_version(shots[1], tmp_path, [RED, GREEN, BLUE])
    for wrong in (
        {"style": 1},
        {"first_image": 0},
        {"first_image": 99999},
        {"first_image": moving.pk},
        {"first_image": {"version": moving.pk, "frame": -1}},
        {"first_image": {"version": moving.pk}},
        {"first_image": {"version": other.pk, "frame": "last"}},
        {"first_image": {"job": "x", "frame": "last"}},
        {"first_image": {"job": "00000000-0000-0000-0000-000000000000", "frame": "last"}},
    ):
        with pytest.raises(Invalid):
            start_renders(project=project, actor=admin_user, shots=shots[:1], workflow="local.move", inputs=wrong)
    assert not RenderJob.objects.exists()
    for named, number, color in (
        (other.pk, None, RED),
        ({"version": moving.pk, "frame": 1}, 1, GREEN),
        ({"version": moving.pk, "frame": "last"}, 2, BLUE),
    ):
        RenderJob.objects.all().delete()
        (job,) = start_renders(
            project=project, actor=admin_user, shots=shots[:1], workflow="local.move", inputs={"first_image": named}
        ).jobs
        files, used = gather_inputs(job, tmp_path / "frames")
        pk = other.pk if number is None else moving.pk
        assert used["first_image"] == (pk if number is None else {"version": pk, "frame": number})
        with Image.open(files["first_image"]) as image:
            assert image.convert("RGB").getpixel((5, 5)) == color


def test_a_frame_of_a_job_is_waited_for(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    (first,) = render_shots(project=project, actor=admin_user, shots=shots[:1], workflow="local.move")
    named = {"first_image": {"job": str(first.pk), "frame": "last"}}
    (job,) = start_renders(
        project=project, actor=admin_user, shots=shots[1:2], workflow="local.move", inputs=named
    ).jobs
    assert list(job.after.all()) == [first]
    control.set_after(job=job, actor=admin_user, after=[])
    assert list(job.after.all()) == [first]
    other = type(project).objects.create(code="OTHER", title="o")
    elsewhere = Shot.objects.filter(pk=shots[2].pk)[0]
    elsewhere.pk, elsewhere.project, elsewhere.scene = None, other, None
    elsewhere.save(force_insert=True)
    with pytest.raises(Invalid):
        start_renders(project=other, actor=admin_user, shots=[elsewhere], workflow="local.move", inputs=named)
