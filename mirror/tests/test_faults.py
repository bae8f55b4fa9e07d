"""Mirrors whose process is killed, whose person cancels, whose storage is full or closed: as real processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from celery_workers import ledger
from celery_workers.models import LedgerTask, Schedule
from mirror.models import MirrorEntry, MirrorTarget, RunState
from mirror.tests.conftest import content, counts, run, write
from tests.harness import processes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MANY = {f"scenes/{n:03d}/판.bin": bytes([n]) * 60_000 for n in range(60)}


def command(*arguments: str) -> processes.Process:
    return processes.Process("mirror", "manage.py", "mirror", "TEST", *arguments)


def in_namespace(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A shell that may mount what nobody else sees; $MIRROR is the command."""
    environment = {
        **os.environ, "DATABASE_URL": processes.database_url(), "LOG_LEVEL": "ERROR",
        "MIRROR": f"{sys.executable} manage.py mirror TEST",
    }  # fmt: skip
    return subprocess.run(
        ["unshare", "-Urm", "sh", "-euc", script, "sh", *arguments],
        cwd=processes.ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.both_databases
def test_a_killed_run_goes_on_where_it_was(make: Callable[..., MirrorTarget], tree: Path, nas: Path) -> None:
    write(tree, MANY)
    target = make(path=str(nas), limit_mb=0.8)
    process = command()
    processes.wait_until(MirrorEntry.objects.exists, seconds=60, what=process.text)
    time.sleep(0.3)
    process.kill()
    (task,) = LedgerTask.objects.all()
    assert task.state == "running"
    there = content(nas)
    assert 0 < len([p for p in there if not p.endswith(".part")]) < len(MANY)
    for name, data in there.items():
        if not name.endswith(".part"):
            assert (tree / name).read_bytes() == data, "no half file has its name"
    MirrorTarget.objects.update(limit_mb=0)
    processes.wait_until(lambda: LedgerTask.objects.filter(lease_until__lt=timezone.now()).exists(), seconds=10)
    ledger.run(str(task.pk))
    task.refresh_from_db()
    assert (task.state, task.attempts) == ("succeeded", 2)
    same, copied, conflict = counts(task, "same", "copied", "conflict")
    assert same > 0
    assert copied > 0
    assert (same + copied, conflict) == (len(MANY) + 7, 0)
    assert {p: d for p, d in content(nas).items() if "판" in p} == MANY
    assert list(nas.rglob("*.part")) == []
    # What was changed since is ours to overwrite, whatever moment the kill came at.
    for name in MANY:
        (tree / name).write_bytes(b"new")
    assert counts(run(target), "copied", "conflict") == (60, 0)


def test_a_cancel_ends_a_large_file_within_seconds(make: Callable[..., MirrorTarget], tree: Path, nas: Path) -> None:
    write(tree, {"export/final/zz_long.mov": b"x" * 30_000_000})
    target = make(path=str(nas), limit_mb=1.0)
    process = command()
    processes.wait_until(lambda: list(nas.rglob("export/final/.aip-*.part")), seconds=60, what=process.text)
    time.sleep(1.0)
    began = time.monotonic()
    ledger.cancel(task=LedgerTask.objects.get())
    processes.wait_until(lambda: LedgerTask.objects.get().state == "cancelled", seconds=10)
    assert time.monotonic() - began < 3.5
    process.stop()
    target.refresh_from_db()
    assert target.last_state == RunState.CANCELLED
    assert target.last_result["copied"] > 0
    assert not (nas / "export/final/zz_long.mov").exists()
    assert list(nas.rglob("*.part")) == []


def test_a_full_target_fails_keeps_what_it_has_and_goes_on(
    make: Callable[..., MirrorTarget], tree: Path, tmp_path: Path
) -> None:
    write(tree, {f"a/{n:02d}.bin": os.urandom(150_000) for n in range(20)})
    mount = tmp_path / "mount"
    mount.mkdir()
    make(path=str(mount / "mirror"))
    script = """
        mount -t tmpfs -o size=6m tmpfs "$1"
        head -c 4500000 /dev/zero > "$1/filler"
        $MIRROR --json && exit 9
        ls -A "$1/mirror/a" >&2
        rm "$1/filler"
        $MIRROR --json --verify
    """
    done = in_namespace(script, str(mount))
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = (json.loads(line)["NAS"] for line in done.stdout.strip().splitlines())
    assert first["state"] == "failed"
    assert "There is no space left on the storage at" in first["error"]
    assert 0 < first["copied"] < 27
    assert ".part" not in done.stderr
    assert second["state"] == "succeeded"
    assert (second["same"], second["same"] + second["copied"]) == (first["copied"], 27)
    assert (second["verified"], second["damaged"], second["conflict"]) == (27, 0, 0)


def test_a_target_that_is_mounted_read_only_says_so(
    make: Callable[..., MirrorTarget], tree: Path, tmp_path: Path
) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    target = make(path=str(mount))
    done = in_namespace('mount -t tmpfs -o ro tmpfs "$1"; $MIRROR --json', str(mount))
    assert done.returncode == 1, done.stderr
    error = json.loads(done.stdout)["NAS"]["error"]
    assert "refuses the file" in error
    assert "mount it writable" in error
    target.refresh_from_db()
    assert (target.last_state, target.last_message) == (RunState.FAILED, error)


def test_a_schedule_runs_by_itself_on_the_files_worker(
    make: Callable[..., MirrorTarget], project: Any, tree: Path, nas: Path
) -> None:
    started = [
        processes.celery("files", "files", pool="threads"),
        processes.celery("system", "system", slots=4, pool="threads"),
        processes.beat(),
    ]
    try:
        Schedule.objects.filter(name="mirror.run_due").update(next_run_at=timezone.now(), every_seconds=1)
        target = make(path=str(nas), every_minutes=60)
        processes.wait_until(
            lambda: MirrorTarget.objects.get(pk=target.pk).last_state == RunState.OK,
            seconds=60, what=lambda: [process.text() for process in started],
        )  # fmt: skip
        assert len(content(nas)) == 7
    finally:
        for process in started:
            process.stop()
