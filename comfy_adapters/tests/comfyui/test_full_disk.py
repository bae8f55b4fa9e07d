"""A worker whose storage is full: a real file system of half a megabyte, in a mount namespace of the worker's own."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from renders.models import JobState, RenderAttempt, RenderJob
from renders.services import nudges
from renders.services.jobs import render_shots
from tests.doubles.comfyui.process import ComfyDouble
from tests.factories import applied_project
from tests.harness import processes

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# Root may make a mount namespace of its own; a plain user gets one together with a user namespace.
UNSHARE = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-Urm"]

WORKER = """
import os, sys
script = '''
mount -t tmpfs -o size=600k tmpfs "$STORAGE_ROOT" || exit 9
head -c 560k /dev/zero > "$STORAGE_ROOT/other-work"
(while [ ! -e "$FREED" ]; do sleep 0.1; done; rm "$STORAGE_ROOT/other-work") &
exec "$PYTHON" -m celery -A celery_workers worker -n gpu@%h -Q gpu.vram8,gpu.vram16 -c 1 -l WARNING \
  --without-mingle --without-gossip
'''
os.environ["PYTHON"] = sys.executable
os.execvp(sys.argv[1], [*sys.argv[1:], "sh", "-c", script])
"""


def can_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    line = [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


@pytest.fixture
def cramped(
    project: Any, settings: Any, tmp_path: Path, comfy_server: ComfyDouble
) -> Iterator[tuple[processes.Process, Path]]:
    """The worker and the path that, once it exists, frees its storage."""
    settings.STORAGE_ROOT.mkdir(parents=True, exist_ok=True)
    if not can_mount(settings.STORAGE_ROOT):
        pytest.skip("this container lets nobody mount a file system; test_storage.py shows the same by a size limit")
    freed = tmp_path / "freed"
    env = {"AIP_WORKER_ENDPOINT": comfy_server.url, "FREED": str(freed)}
    worker = processes.Process("cramped", "-c", WORKER, *UNSHARE, **env)
    yield worker, freed
    worker.stop()


def test_a_result_waits_at_the_server_until_there_is_space(
    cramped: tuple[processes.Process, Path],
    project: Any,
    admin_user: Any,
    comfy_server: ComfyDouble,
    settings: Any,
) -> None:
    worker, freed = cramped
    type(project).objects.update(engine="comfy")
    project.refresh_from_db()
    shot = applied_project(project, admin_user)[0]
    job = render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")[0]
    failed = RenderAttempt.objects.filter(job=job, state=JobState.FAILED)
    _nudge_until(lambda: failed.count() >= 4, worker)
    job.refresh_from_db()
    assert job.state in (JobState.QUEUED, JobState.LEASED, JobState.RUNNING)
    assert f"no space left on the storage at {project.root} " in failed.order_by("-number")[0].error
    inside = Path(f"/proc/{worker.pid}/root{settings.STORAGE_ROOT}")
    assert (inside / "other-work").stat().st_size == 560 << 10, "its storage is its own, and full"
    freed.touch()
    _nudge_until(RenderJob.objects.filter(pk=job.pk, state=JobState.SUCCEEDED).exists, worker)
    assert [path.name for path in inside.rglob(".tmp-*")] == []
    assert [path.name for path in inside.rglob("v0*")] == ["v001"]
    assert list(comfy_server.stats()["executed"].values()) == [1], "rendered once, collected when there was space"


def _nudge_until(done: Callable[[], object], worker: processes.Process) -> None:
    """Wait, and wake the worker as the scheduler does."""
    last = 0.0

    def nudged() -> object:
        nonlocal last
        if time.monotonic() - last > 0.5:
            last = time.monotonic()
            nudges.nudge_waiting()
        return done()

    processes.wait_until(nudged, seconds=90, what=worker.text)
