"""Work folders: finished pieces outlive attempts, torn ones are never taken, and nothing stays after the job's end."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from renders import backends, runner
from renders.backends import BackendError, JobContext, JobReporter, JobResult
from renders.models import JobState, RenderJob, Worker, Workflow
from renders.services import control, queue, recovery, workdirs
from renders.services.jobs import render_shots
from renders.services.workdirs import Pieces, work_folder
from renders.services.workers import register_worker
from tests.factories import applied_project, picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
KEY, OTHER = "a1" * 32, "b2" * 32


def put(pieces: Pieces, key: str, data: bytes) -> Path:
    part = pieces.aside(".bin")
    part.write_bytes(data)
    return pieces.keep(key, part)


def test_a_piece_is_found_as_it_was_kept(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path / "w")
    assert pieces.find(KEY) is None
    path = put(pieces, KEY, b"whole")
    assert pieces.find(KEY) == path
    assert put(pieces, OTHER, b"whole") == path, "the same content is there once"
    assert Pieces(tmp_path / "w").find(OTHER) == path


@pytest.mark.parametrize("how", ["shorter", "changed", "gone", "link", "record torn", "record elsewhere"])
def test_a_piece_that_is_not_whole_is_not_taken(tmp_path: Path, how: str) -> None:
    pieces = Pieces(tmp_path / "w")
    path = put(pieces, KEY, b"whole")
    record = tmp_path / "w" / f"{KEY}.piece.json"
    outside = tmp_path / "outside.bin"
    outside.write_bytes(b"whole")
    if how == "shorter":
        path.write_bytes(b"who")
    elif how == "changed":
        path.write_bytes(b"whale")
    elif how == "gone":
        path.unlink()
    elif how == "link":
        path.unlink()
        path.symlink_to(outside)
    elif how == "record torn":
        record.write_text(record.read_text()[:20])
    else:
        record.write_text(record.read_text().replace(path.name, "../outside.bin"))
    assert pieces.find(KEY) is None
    assert pieces.find(put(pieces, KEY, b"again").name) is None
    assert (found := pieces.find(KEY)) is not None
    assert found.read_bytes() == b"again"


class Laborious:
    """An engine that keeps a piece in its first attempt and fails; the second finds it."""

    key = "laborious"

    def __init__(self, ends: str) -> None:
        self.ends, self.seen = ends, list[bool]()

    def run(self, context: JobContext, reporter: JobReporter) -> JobResult:
        assert context.work_dir is not None
        pieces = Pieces(context.work_dir)
        self.seen.append(pieces.find(KEY) is not None)
        if len(self.seen) == 1:
            put(pieces, KEY, b"x")
            raise BackendError("once", retryable=True)
        if self.ends == "failed":
            raise BackendError("for good", retryable=False)
        if self.ends == "cancelled":
            raise backends.JobCancelled
        return JobResult((picture(context.out_dir / "a.png"),), {})


@pytest.fixture
def worker(db: None) -> Worker:
    register_worker(name="cpu@test")
    Worker.objects.update(backends=["laborious"])
    return Worker.objects.get()


def made_job(project: Any, actor: Any) -> RenderJob:
    Workflow.objects.create(key="laborious.x", title="x", backend="laborious", output_kind="previz", step="first_image")
    shot = applied_project(project, actor)[0]
    return render_shots(project=project, actor=actor, shots=[shot], workflow="laborious.x")[0]


def run_one(worker: Worker) -> None:
    RenderJob.objects.update(not_before="2000-01-01T00:00Z")
    attempt = queue.claim(worker=worker)
    assert attempt is not None
    runner.run_attempt(attempt.pk)


@pytest.mark.parametrize("ends", ["succeeded", "failed", "cancelled"])
def test_pieces_outlive_an_attempt_and_not_the_job(
    project: Any, admin_user: Any, worker: Worker, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Laborious(ends)
    monkeypatch.setitem(backends._backends, "laborious", engine)
    job = made_job(project, admin_user)
    run_one(worker)
    folder = work_folder(job)
    assert folder.is_dir()
    assert folder.parent.name == "previz"
    run_one(worker)
    job.refresh_from_db()
    assert (job.state, engine.seen) == (ends, [False, True])
    assert not folder.exists()
    assert [path.name for path in folder.parent.iterdir()] == (["v001"] if ends == "succeeded" else [])


def test_a_job_that_is_tried_again_at_once_keeps_what_it_makes_then(
    project: Any, admin_user: Any, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = made_job(project, admin_user)
    folder = work_folder(job)
    folder.parent.mkdir(parents=True, exist_ok=True)
    put(Pieces(folder), OTHER, b"of before")
    queue.cancel(job=job)
    rmtree = shutil.rmtree

    def slow(path: Any, **how: Any) -> None:
        control.retry_job(job=job, actor=None)
        put(Pieces(folder), KEY, b"of the next attempt")
        rmtree(path, **how)

    monkeypatch.setattr(workdirs.shutil, "rmtree", slow)
    assert workdirs.remove_ended(job, folder)
    assert Pieces(folder).find(KEY) is not None
    assert Pieces(folder).find(OTHER) is None
    assert not workdirs.remove_ended(job, folder), "it is open again"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_what_was_set_aside_is_swept_though_the_job_is_open(project: Any, admin_user: Any, worker: Worker) -> None:
    job = made_job(project, admin_user)
    folder = work_folder(job)
    names = [folder.name, f"{folder.name}.0a1b2c3d", f"{folder.name}.mine"]
    for name in names:
        (folder.parent / name).mkdir(parents=True)
        os.utime(folder.parent / name, (time.time() - 3600,) * 2)
    assert [Path(name).name for name in recovery.sweep()] == [names[1]]
    assert sorted(path.name for path in folder.parent.iterdir()) == [names[0], names[2]]


def test_what_a_death_left_is_swept_and_what_is_open_stays(project: Any, admin_user: Any, worker: Worker) -> None:
    job = made_job(project, admin_user)
    folder = work_folder(job)
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = time.time() - 3600
    for name in (folder.name, ".work-not-an-id"):
        (folder.parent / name).mkdir()
        (folder.parent / name / "a.bin").write_bytes(b"x")
        for path in (folder.parent / name / "a.bin", folder.parent / name):
            os.utime(path, (old, old))
    assert recovery.sweep() == []
    queue.cancel(job=job)
    os.utime(folder / "a.bin")
    assert recovery.sweep() == [], "somebody may still be at it"
    os.utime(folder / "a.bin", (old, old))
    assert recovery.sweep() == [f"TEST/{folder.relative_to(project.root).as_posix()}"]
    assert [path.name for path in folder.parent.iterdir()] == [".work-not-an-id"]
    assert job.state != JobState.SUCCEEDED
