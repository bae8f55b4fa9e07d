"""The workers of a single command: the code is loaded once, and each worker of the Procfile is a fork of it.

Loading it takes seconds of CPU, for each process again; a command that makes one film would wait for it longer than
for its pictures. A worker that dies is forked again at once. The long-running studio starts each worker by itself, so
that one can be restarted with new code. Without its supervisor it ends, as its workers end without it.
"""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from aipipeline.studio.launch import processes
from aipipeline.studio.launch.setup import wait_until_migrated

# Started in this order.
WORKERS = ("worker", "system")
PAUSE_SECONDS = 0.5


class _Stopped(Exception):
    """supervisor wants us to end."""


def main() -> int:
    """Run until SIGTERM; the workers then finish what they hold."""
    signal.signal(signal.SIGTERM, _stop)
    started: dict[int, str] = {}
    parent = os.getppid()
    alive, held = os.pipe()
    try:
        start = _load()
        lines = {program.name: _arguments(program.command) for program in processes.wanted(set(WORKERS))}
        # The scheduler runs inside the system worker: one process less.
        lines["system"].append("--beat")
        wait_until_migrated()
        for name in WORKERS:
            started[_fork(start, lines[name], alive, held)] = name
        while os.getppid() == parent:
            pid, _status = os.waitpid(-1, os.WNOHANG)
            time.sleep(PAUSE_SECONDS)
            if not pid:
                continue
            name = started.pop(pid)
            started[_fork(start, lines[name], alive, held)] = name
    except _Stopped:
        pass
    # Told to stop, or the supervisor was killed and nobody else would ever tell us.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # All at once: each ends what it holds, and what one would have sent another waits in the database.
    for pid in started:
        os.kill(pid, signal.SIGTERM)
    for pid in started:
        os.waitpid(pid, 0)
    return 0


def _stop(*_arguments: object) -> None:
    raise _Stopped


def _load() -> Callable[[list[str]], None]:
    """Import everything that a worker needs; opens no connection and starts no thread, which a fork would break."""
    import django

    django.setup()
    from celery_workers import app

    app.loader.import_default_modules()
    app.finalize()
    from celery.apps import worker  # noqa: F401
    from celery.bin import celery  # noqa: F401
    from celery.concurrency import prefork, thread  # noqa: F401

    return lambda arguments: app.worker_main(arguments)


def _arguments(command: str) -> list[str]:
    """What follows `celery -A celery_workers` in a line of the Procfile, with the environment's values filled in."""
    done = subprocess.run(["/bin/sh", "-c", f"printf '%s\\n' {command}"], stdout=subprocess.PIPE, check=True)
    words = done.stdout.decode().splitlines()
    if words[:3] != ["celery", "-A", "celery_workers"]:
        raise SystemExit(f"Not a worker of the Procfile: {shlex.join(words)}")
    return words[3:]


def _fork(start: Callable[[list[str]], None], arguments: list[str], alive: int, held: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(held)
        threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
        sys.argv = [str(Path(sys.executable).with_name("celery")), *arguments]
        start(arguments)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _end_with_parent(alive: int) -> None:
    """Nothing is ever written: the read ends when the parent does, killed or not, and then so do we."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
