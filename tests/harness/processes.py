"""Workers, the scheduler and the web as real processes on the test's own database."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from django.db import connection

from tests.harness.environment import folder

ROOT = Path(__file__).resolve().parents[2]


# What a forked process can still be told by its environment: the settings that zygote.py sets, and what only the tests'
# own modules read.
FORKABLE = {"AIP_WORKER_ENDPOINT", "AIP_WORKER_VRAM", "AIP_HOLD_AT", "AIP_HOLD_FILE"}


def _is_ours(module: str) -> bool:
    return module in ("celery", "daphne") or ".tests." in module or module.startswith("tests.harness.held")


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
        self.child: subprocess.Popen[bytes] | None = None
        environment = {**os.environ, "DATABASE_URL": database_url(), "LOG_LEVEL": "WARNING", **env}
        if set(env) <= FORKABLE and arguments[0] == "-m" and _is_ours(arguments[1]):
            self.pid = _zygote(environment).fork(arguments, environment, self.log)
            return
        with open(self.log, "wb") as out:
            self.child = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self.child.pid

    def is_alive(self) -> bool:
        if self.child is not None:
            return self.child.poll() is None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """kill -9 of the whole process group: what a power cut does."""
        if self.is_alive():
            self.signal(signal.SIGKILL)
            self._gone(20)

    def signal(self, number: int) -> None:
        """To the whole process group; to the process alone while it has none of its own yet."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self) -> None:
        if self.is_alive():
            os.kill(self.pid, signal.SIGTERM)
            if not self._gone(20):
                self.kill()

    def _gone(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def text(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


class _Zygote:
    """See zygote.py; ends with the test run, whose end of the pipe it reads."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tests.harness.zygote"],
            cwd=ROOT,
            env={**environment, "DJANGO_SETTINGS_MODULE": "aipipeline.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def fork(self, arguments: Sequence[str], environment: dict[str, str], log: Path) -> int:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        request = {"arguments": list(arguments), "env": environment, "log": str(log)}
        self.child.stdin.write(json.dumps(request) + "\n")
        self.child.stdin.flush()
        return int(json.loads(self.child.stdout.readline())["pid"])


_zygotes: dict[str, _Zygote] = {}


def _zygote(environment: dict[str, str]) -> _Zygote:
    """One for each database of the run."""
    url = environment["DATABASE_URL"]
    if url not in _zygotes:
        _zygotes[url] = _Zygote(environment)
    return _zygotes[url]


def celery(name: str, queues: str, *, slots: int = 2, pool: str = "prefork", **env: str) -> Process:
    """A Celery worker of the studio."""
    return Process(
        name, "-m", "celery", "-A", "celery_workers", "worker", "-n", f"{name}@%h", "-Q", queues, "-c", str(slots),
        "-P", pool, "-l", "WARNING", "--without-mingle", "--without-gossip", **env,
    )  # fmt: skip


def comfy_worker(
    name: str, endpoint: str, *, vram: int = 24, hold: str = "", hold_file: str = "", clock: int = 0
) -> Process:
    """A worker of one ComfyUI server with the classes up to `vram` GB. `hold`: see held_worker.py; `clock`: by how many
    seconds its clock is wrong."""
    queues = ",".join(f"gpu.vram{size}" for size in (8, 16, 24, 48) if size <= vram)
    module: tuple[str, ...] = ("-m", "celery", "-A", "celery_workers")
    told = {}
    if hold:
        module, told = ("-m", "tests.harness.held_worker"), {"AIP_HOLD_AT": hold, "AIP_HOLD_FILE": hold_file}
    elif clock:
        module, told = ("-m", "tests.harness.shifted_worker"), {"AIP_CLOCK_SHIFT": str(clock)}
    return Process(
        name, *module, "worker", "-n", f"{name}@%h", "-Q", queues, "-c", "1", "-l", "WARNING", "--without-mingle",
        "--without-gossip", AIP_WORKER_ENDPOINT=endpoint, AIP_WORKER_VRAM=str(vram), **told,
    )  # fmt: skip


def beat() -> Process:
    return Process("beat", "-m", "celery", "-A", "celery_workers", "beat", "-l", "WARNING", "--pidfile=")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def web(port: int = 0, **env: str) -> tuple[Process, str]:
    """The site itself, on a free port unless one is named; returns when it answers. `env`: settings of its own."""
    port = port or free_port()
    process = Process(
        "web", "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "--verbosity", "0", "aipipeline.asgi:application",
        **env,
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
