"""Workers, the scheduler and the web as real processes on the test's own database."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.db import connection

from tests.harness.environment import folder

ROOT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    """The test database, as another process reaches it."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    return f"postgres://{facts['USER']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"


class Process:
    """A child in a session of its own, with its output in a file."""

    def __init__(self, name: str, *arguments: str, **env: str) -> None:
        self.name = name
        self.log = folder / f"{name}-{time.monotonic_ns()}.log"
        with open(self.log, "wb") as out:
            self.child = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, "DATABASE_URL": database_url(), "LOG_LEVEL": "WARNING", **env},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9 of the whole process group: what a power cut does."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()

    def stop(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def text(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


def celery(name: str, queues: str, *, slots: int = 2, pool: str = "prefork", **env: str) -> Process:
    """A Celery worker of the studio."""
    return Process(
        name, "-m", "celery", "-A", "celery_workers", "worker", "-n", f"{name}@%h", "-Q", queues, "-c", str(slots),
        "-P", pool, "-l", "WARNING", "--without-mingle", "--without-gossip", **env,
    )  # fmt: skip


def beat() -> Process:
    return Process("beat", "-m", "celery", "-A", "celery_workers", "beat", "-l", "WARNING", "--pidfile=")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def web(port: int = 0) -> tuple[Process, str]:
    """The site itself, on a free port unless one is named; returns when it answers."""
    port = port or free_port()
    process = Process(
        "web", "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "--verbosity", "0", "aipipeline.asgi:application",
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(answers, seconds=90, what=lambda: process.text())
    return process, url


def wait_until(done: Callable[[], object], *, seconds: float = 30, what: Callable[[], object] = lambda: "") -> None:
    """Poll until `done()` is true; the failure shows what `what()` says."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what()}")
        time.sleep(0.05)
