"""The queue's promises: one claim, one version, leases, order, dependencies, cancel."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.db.models.functions import Now

from aipipeline.projects.errors import Conflict
from renders import runner
from renders.backends import Stop
from renders.models import JobState, RenderAttempt, RenderJob, Version, VersionState, Worker
from renders.services import control, numbering, publishing, queue
from renders.services.jobs import render_shots
from renders.services.reviews import review_version
from renders.services.workers import register_worker
from shots.models import Shot, ShotState
from tests.factories import applied_project, picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def worker(db: None) -> Worker:
    return register_worker(name="cpu@test")


def run_one(worker: Worker) -> RenderJob:
    attempt = queue.claim(worker=worker, slots=4)
    assert attempt is not None
    assert runner.run_attempt(attempt.pk)
    return RenderJob.objects.get(pk=attempt.job_id)


def test_a_job_becomes_one_version_in_its_place(project: Any, admin_user: Any, worker: Worker) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")
    shot.refresh_from_db()
    assert shot.status == ShotState.GENERATING
    job = run_one(worker)
    version = Version.objects.get(shot=shot)
    shot.refresh_from_db()
    assert (job.state, version.state, shot.status) == (JobState.SUCCEEDED, VersionState.PUBLISHED, ShotState.REVIEW)
    assert version.file().name == f"TEST_SCN_010_{shot.code}_previz_v001.png"
    assert version.file("panel.png") == version.file()
    assert version.file("clean.png").is_file()
    assert version.path == f"scenes/SCN_010/shots/{shot.code}/previz/v001"
    assert version.provenance["workflow"] == "local.panel"
    assert [p.name for p in version.folder.parent.iterdir()] == ["v001"]


def test_priority_then_age_and_no_second_job_for_the_same_work(project: Any, admin_user: Any, worker: Worker) -> None:
    shots = applied_project(project, admin_user)
    render_shots(project=project, actor=admin_user, shots=shots[:2], step="first_image")
    urgent = render_shots(project=project, actor=admin_user, shots=[shots[2]], step="first_image", priority=5)
    assert render_shots(project=project, actor=admin_user, shots=shots[:2], step="first_image") == []
    first = queue.claim(worker=worker, slots=9)
    second = queue.claim(worker=worker, slots=9)
    assert first is not None
    assert second is not None
    assert first.job_id == urgent[0].pk
    assert second.job.shot_id == shots[0].pk


def test_a_worker_takes_no_more_than_its_slots(project: Any, admin_user: Any, worker: Worker) -> None:
    render_shots(project=project, actor=admin_user, shots=applied_project(project, admin_user), step="first_image")
    assert queue.claim(worker=worker, slots=1) is not None
    assert queue.claim(worker=worker, slots=1) is None


def test_a_dead_worker_is_reaped_and_its_late_publish_refused(project: Any, admin_user: Any, worker: Worker) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")
    attempt = queue.claim(worker=worker)
    assert attempt is not None
    assert queue.begin(attempt_id=attempt.pk) is not None
    RenderAttempt.objects.filter(pk=attempt.pk).update(lease_until=Now() - timedelta(seconds=1))
    assert queue.reap() == 1
    assert queue.to_publishing(attempt_id=attempt.pk) is False
    RenderJob.objects.update(not_before=Now())
    job = run_one(worker)
    assert job.state == JobState.SUCCEEDED
    assert job.attempts_made == 2
    assert Version.objects.filter(shot=shot, state=VersionState.PUBLISHED).count() == 1


def test_a_folder_sealed_before_a_crash_is_adopted_not_rendered_again(
    project: Any, admin_user: Any, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")

    def crash(*_args: Any, **_kwargs: Any) -> bool:
        raise KeyboardInterrupt

    attempt = queue.claim(worker=worker)
    assert attempt is not None
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "publish_attempt", crash)
        with pytest.raises(KeyboardInterrupt):
            runner.run_attempt(attempt.pk)
    version = Version.objects.get(shot=shot)
    assert version.state == VersionState.RESERVED
    name = f"TEST_SCN_010_{shot.code}_previz_v001.png"
    made = (version.folder / name).stat().st_mtime_ns
    RenderAttempt.objects.update(lease_until=Now() - timedelta(seconds=1))
    queue.reap()
    RenderJob.objects.update(not_before=Now())
    assert run_one(worker).state == JobState.SUCCEEDED
    version.refresh_from_db()
    assert version.state == VersionState.PUBLISHED
    assert (version.folder / name).stat().st_mtime_ns == made


def test_a_message_that_comes_twice_runs_once(project: Any, admin_user: Any, worker: Worker) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")
    attempt = queue.claim(worker=worker)
    assert attempt is not None
    assert runner.run_attempt(attempt.pk) is True
    assert runner.run_attempt(attempt.pk) is False
    assert Version.objects.filter(shot=shot).count() == 1


def test_a_job_waits_for_the_one_before_and_falls_with_it(project: Any, admin_user: Any, worker: Worker) -> None:
    shots = applied_project(project, admin_user)
    first = render_shots(project=project, actor=admin_user, shots=[shots[0]], step="first_image")
    later = render_shots(project=project, actor=admin_user, shots=[shots[1]], step="first_image", after=first)
    attempt = queue.claim(worker=worker, slots=9)
    assert attempt is not None
    assert attempt.job_id == first[0].pk
    assert queue.claim(worker=worker, slots=9) is None
    queue.end_attempt(attempt=attempt, state=JobState.FAILED, error="x")
    later[0].refresh_from_db()
    assert later[0].state == JobState.CANCELLED
    shots[1].refresh_from_db()
    assert shots[1].status == ShotState.READY


def test_cancel_and_try_again(project: Any, admin_user: Any, worker: Worker) -> None:
    shot = applied_project(project, admin_user)[0]
    job = render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")[0]
    queue.cancel(job=job)
    shot.refresh_from_db()
    assert shot.status == ShotState.READY
    with pytest.raises(Conflict):
        queue.cancel(job=job)
    control.retry_job(job=job, actor=None)
    assert run_one(worker).state == JobState.SUCCEEDED


def test_a_missing_input_is_told_with_its_remedy(project: Any, admin_user: Any, worker: Worker) -> None:
    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="render")
    job = run_one(worker)
    assert job.state == JobState.FAILED
    assert "previz" in job.error
    assert job.attempts_made == 1


def test_an_upload_is_checked_before_it_is_a_version(project: Any, admin_user: Any, tmp_path: Path) -> None:
    shot = applied_project(project, admin_user)[0]
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(publishing.PublishError):
        publishing.publish_files(owner=shot, kind="previz", files={"bad.png": tmp_path / "bad.png"}, actor=admin_user)
    assert not Version.objects.filter(shot=shot).exists()
    good = picture(tmp_path / "good.png")
    version = publishing.publish_files(owner=shot, kind="previz", files={"good.png": good}, actor=admin_user)
    assert (version.number, version.width, version.height) == (1, 320, 180)


def test_automatic_approval_never_overrides_a_person(project: Any, admin_user: Any, tmp_path: Path) -> None:
    shot = applied_project(project, admin_user)[0]
    image = picture(tmp_path / "a.png")
    version = publishing.publish_files(owner=shot, kind="previz", files={"a.png": image}, actor=admin_user)
    review_version(version=version, actor=admin_user, verdict="reject", text="다시")
    with pytest.raises(Conflict):
        review_version(version=version, actor=None, verdict="approve", auto=True)
    review_version(version=version, actor=admin_user, verdict="approve")
    shot.refresh_from_db()
    assert shot.current_step == "render"
    assert shot.status == ShotState.READY


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_once_never_share_a_job(project: Any, admin_user: Any) -> None:
    render_shots(project=project, actor=admin_user, shots=applied_project(project, admin_user), step="first_image")
    workers = [register_worker(name=f"cpu{i}@test") for i in range(6)]

    def claim(worker: Worker) -> Any:
        try:
            attempt = queue.claim(worker=worker)
            return attempt.job_id if attempt else None
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        taken = [job for job in pool.map(claim, workers) if job]
    assert len(taken) == len(set(taken)) == min(6, Shot.objects.live().count())


def test_versions_are_reserved_once_each(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    numbers = [numbering.reserve(shot, "previz").number for _ in range(5)]
    assert numbers == [1, 2, 3, 4, 5]


def test_an_attempt_is_told_why_it_shall_stop(project: Any, admin_user: Any, worker: Worker) -> None:
    """Taken back while the job goes on is not a cancel: another attempt follows the same work."""
    shot = applied_project(project, admin_user)[0]
    job = render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")[0]
    attempt = queue.claim(worker=worker)
    assert attempt is not None
    queue.begin(attempt_id=attempt.pk)
    beat = {"attempt_id": attempt.pk, "progress": 0.5, "message": ""}
    assert queue.heartbeat(**beat) is None
    RenderJob.objects.update(cancel_requested=True)
    assert queue.heartbeat(**beat) is Stop.CANCELLED
    RenderJob.objects.update(cancel_requested=False)
    RenderAttempt.objects.update(lease_until=Now() - timedelta(seconds=1))
    queue.reap()
    assert queue.heartbeat(**beat) is Stop.LOST
    queue.cancel(job=job)
    assert queue.heartbeat(**beat) is Stop.CANCELLED
