"""`./aip worker`: what it refuses from another host, with the remedy, and that it works where all is reached."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aipipeline.studio.launch import worker_checks
from renders.models import Worker
from tests.doubles.comfyui.process import start
from tests.harness import processes

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

POSTGRES = "postgres://nobody@127.0.0.1:9/none"
REDIS = "redis://127.0.0.1:9/0"
REACHABLE = {"DATABASE_URL": POSTGRES, "REDIS_URL": REDIS}  # in form; nobody answers there


def worker(folder: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """The command on a host that shares nothing with the studio but what `env` names."""
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "STORAGE_ROOT")}
    line = [sys.executable, "-m", "aipipeline.studio.launch", "worker", *arguments]
    environment = {**clean, "AIP_DATA": str(folder / "other-host"), **env}
    return subprocess.run(line, cwd=processes.ROOT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({}, ["DATABASE_URL is not set", "REDIS_URL is not set", "STORAGE_ROOT is not set", "./aip up"]),
        ({"DATABASE_URL": "sqlite:////x.sqlite3", "REDIS_URL": REDIS}, ["SQLite, a file that only", "PostgreSQL"]),
        ({"DATABASE_URL": POSTGRES, "REDIS_URL": "unix:///run/redis.sock"}, ["REDIS_URL is a socket of one host"]),
        ({**REACHABLE, "STORAGE_ROOT": "/no/such/mount"}, ["STORAGE_ROOT=/no/such/mount is not there: mount"]),
        ({**REACHABLE, "STORAGE_ROOT": "/proc"}, ["STORAGE_ROOT=/proc cannot be used", "read and write"]),
    ],
)
def test_what_another_host_cannot_reach_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], told: list[str]
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_ROOT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AIP_DATA": str(tmp_path / "other-host"), **env}.items():
        monkeypatch.setenv(name, value)
    found = "\n".join(worker_checks.obstacles())
    for text in told:
        assert text in found


def test_the_command_refuses_with_code_2(tmp_path: Path) -> None:
    done = worker(tmp_path, "--comfy", "http://127.0.0.1:8188", "--vram", "24")
    assert (done.returncode, "DATABASE_URL is not set" in done.stderr) == (2, True)
    env = {**REACHABLE, "STORAGE_ROOT": str(tmp_path)}
    done = worker(tmp_path, "--comfy", "http://127.0.0.1:8188", **env)
    assert done.returncode == 2
    assert "REDIS_URL does not answer" in done.stderr
    assert "DATABASE_URL does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    done = worker(tmp_path, "--comfy", "http://x", "--vram", "a lot")
    assert (done.returncode, "whole GB" in done.stderr) == (2, True)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis that other hosts reach."""
    from aipipeline.studio.launch.embedded_redis import binary

    port = processes.free_port()
    line = [str(binary()), "--port", str(port), "--dir", str(tmp_path), "--save", ""]
    server = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    server.kill()
    server.wait()


def test_another_storage_is_recognised_and_the_right_one_serves(
    project: Any, tmp_path: Path, settings: Any, redis_url: str
) -> None:
    if not processes.database_url().startswith("postgres"):
        pytest.skip("a worker on another host needs PostgreSQL; the whole test run has it")
    project.root.mkdir(parents=True)
    empty = tmp_path / "wrong-mount"
    empty.mkdir()
    env = {"DATABASE_URL": processes.database_url(), "REDIS_URL": redis_url, "STORAGE_ROOT": str(empty)}
    done = worker(tmp_path, "--comfy", "http://127.0.0.1:8188", "--vram", "24", **env)
    assert done.returncode == 2
    assert "holds no production of this studio (TEST…)" in done.stderr
    double = start()
    env |= {"STORAGE_ROOT": str(settings.STORAGE_ROOT), "AIP_DATA": str(tmp_path / "other-host")}
    arguments = ["--comfy", double.url, "--vram", "16", "--tags", "left,nvenc", "--name", "other"]
    running = processes.Process("worker", "-m", "aipipeline.studio.launch", "worker", *arguments, **env)
    try:
        found = Worker.objects.filter(name__startswith="other@", gpu__has_key="gpu")
        processes.wait_until(found.exists, seconds=90, what=running.text)
        row = found.get()
        assert (row.vram_gb, row.tags, row.endpoint, row.error) == (16, ["left", "nvenc"], double.url, "")
        assert row.gpu["gpu"] == "cuda:0 Test GPU"
        running.child.terminate()
        assert running.child.wait(60) == 0, running.text()
        row.refresh_from_db()
        assert row.state == "offline"
    finally:
        running.kill()
        double.stop()


def test_one_command_drives_several_servers(project: Any, tmp_path: Path, settings: Any, redis_url: str) -> None:
    if not processes.database_url().startswith("postgres"):
        pytest.skip("a worker on another host needs PostgreSQL; the whole test run has it")
    project.root.mkdir(parents=True)
    doubles = [start(), start()]
    env = {"DATABASE_URL": processes.database_url(), "REDIS_URL": redis_url, "AIP_DATA": str(tmp_path / "other-host")}
    env |= {"STORAGE_ROOT": str(settings.STORAGE_ROOT)}
    arguments = [part for double in doubles for part in ("--comfy", double.url)]
    done = worker(tmp_path, *arguments, "--name", "x", **env)
    assert (done.returncode, "single --comfy" in done.stderr) == (2, True)
    running = processes.Process("worker", "-m", "aipipeline.studio.launch", "worker", *arguments, "--vram", "8", **env)
    try:
        found = Worker.objects.filter(endpoint__in=[double.url for double in doubles], gpu__has_key="gpu")
        processes.wait_until(lambda: found.count() == 2, seconds=120, what=running.text)
        assert {row.vram_gb for row in found} == {8}
        running.child.terminate()
        assert running.child.wait(90) == 0, running.text()
        assert {row.state for row in found.all()} == {"offline"}
    finally:
        running.kill()
        for double in doubles:
            double.stop()
