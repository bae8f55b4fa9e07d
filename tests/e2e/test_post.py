"""Post jobs through the queue: a worker dies in the middle of a clip, and what it had finished is not made again."""

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from aipipeline.media.probe import probe
from comfy_adapters.tests.clips import moving
from renders.models import JobState, RenderAttempt, RenderJob, Version
from renders.services import queue
from renders.services.posting import post_version
from renders.services.publishing import publish_files
from renders.services.workdirs import work_folder
from renders.services.workflows import sync_workflows
from tests.factories import applied_project
from tests.harness import processes

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clip(project: Any, admin_user: Any, tmp_path: Path) -> Version:
    """A rendered shot of ten seconds, with sound."""
    sync_workflows()
    shot = applied_project(project, admin_user)[0]
    path = moving(tmp_path / "a.mp4", frames=240, sound=True, size=(320, 180))
    return publish_files(owner=shot, kind="render", files={"a.mp4": path}, actor=admin_user)


def told() -> Any:
    return list(RenderJob.objects.values_list("state", "message", "error")), list(
        RenderAttempt.objects.values_list("number", "state", "error")
    )


def test_a_killed_worker_costs_one_piece(farm: dict[str, processes.Process], clip: Version, admin_user: Any) -> None:
    job = post_version(version=clip, actor=admin_user, workflow="local.interpolate", params={"fps": "60"})
    folder = work_folder(job)
    kept: list[Path] = []

    def two_pieces() -> bool:
        kept[:] = sorted(folder.glob("*.piece.json"))
        return len(kept) >= 2

    processes.wait_until(two_pieces, seconds=60, what=told)
    farm["cpu"].kill()
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("*.piece.json")}
    assert len(finished) < 5, "it was not at its end"
    assert RenderJob.objects.get().state == JobState.RUNNING
    times: dict[Path, int] = {}

    def done() -> bool:
        for path in folder.glob("*.piece.json"):
            times.setdefault(path, path.stat().st_mtime_ns)
        return RenderJob.objects.get().state == JobState.SUCCEEDED

    farm["cpu"] = processes.celery("cpu2", "cpu")
    processes.wait_until(done, seconds=90, what=told)
    version = Version.objects.get(kind="comp", state="published")
    made = probe(version.file())
    assert (made.frames, made.fps, made.has_audio) == (600, 60, True)
    assert version.provenance["pieces_kept"] == len(finished)
    assert {path: times[path] for path in finished} == finished
    assert version.provenance["inputs"] == {"source_video": clip.pk}
    assert version.provenance["input_files"] == {"source_video": clip.manifest[0]["sha256"]}
    # The work folder is renamed first, then what it was is deleted.
    processes.wait_until(lambda: [path.name for path in folder.parent.iterdir()] == ["v001"], seconds=10, what=told)


def test_a_cancel_stops_it_within_seconds(farm: dict[str, processes.Process], clip: Version, admin_user: Any) -> None:
    job = post_version(version=clip, actor=admin_user, workflow="local.upscale", params={"scale": 8})
    folder = work_folder(job)
    processes.wait_until(lambda: list(folder.glob(".*.part.mp4")), seconds=60, what=told)
    began = time.monotonic()
    queue.cancel(job=job)
    processes.wait_until(lambda: RenderJob.objects.get().state == JobState.CANCELLED, seconds=10, what=told)
    processes.wait_until(lambda: not folder.exists(), seconds=5, what=told)
    assert time.monotonic() - began < 6
    assert not Version.objects.filter(kind="comp", state="published").exists()
    assert Fraction(RenderJob.objects.get().progress) < 1
