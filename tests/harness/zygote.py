"""The studio's code, loaded once and forked for each process that tests start: loading takes seconds every time.

Requests are JSON lines on stdin: {"arguments": ["-m", "celery", …], "env": {…}, "log": path}; each is answered with the
child's {"pid"}. A module of the tests is called by its `main(arguments)`. Settings are those of this process, but for
STORAGE_ROOT, which every test has of its own, and what a worker is told about its ComfyUI server.
"""

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Start = Callable[[Sequence[str]], None]


def main() -> None:
    # Answers have the pipe for themselves: what libraries print goes where errors go.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    modules = _load()
    # Children end as they like: the kernel forgets them, and whoever started them looks whether they are there.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(modules, request)
        answers.write(json.dumps({"pid": pid}) + "\n")
        answers.flush()


def _load() -> Mapping[str, Start]:
    """Everything that workers and the web need, without a connection, a loop or a thread, which a fork would break."""
    import django

    django.setup()
    from celery.apps import beat, worker  # noqa: F401
    from celery.bin import celery  # noqa: F401
    from celery.concurrency import prefork, thread  # noqa: F401
    from django.urls import get_resolver

    import aipipeline.asgi  # noqa: F401
    from celery_workers import app

    app.loader.import_default_modules()
    app.finalize()
    _ = get_resolver().url_patterns
    return {"celery": _celery, "daphne": _daphne}


def _celery(arguments: Sequence[str]) -> None:
    from celery_workers import app

    app.start(argv=list(arguments[2:]))  # after -A celery_workers


def _daphne(arguments: Sequence[str]) -> None:
    from daphne.cli import CommandLineInterface

    CommandLineInterface().run(list(arguments))


def _become(modules: Mapping[str, Start], request: Mapping[str, Any]) -> None:
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ.clear()
        os.environ.update(request["env"])
        from django.conf import settings

        settings.STORAGE_ROOT = settings.MEDIA_ROOT = Path(os.environ["STORAGE_ROOT"]).resolve()
        settings.AIP_WORKER_ENDPOINT = os.environ.get("AIP_WORKER_ENDPOINT", "")
        settings.AIP_WORKER_VRAM = int(os.environ.get("AIP_WORKER_VRAM", "0"))
        _m, module, *arguments = request["arguments"]
        sys.argv = [str(Path(sys.executable).with_name(module)), *arguments]
        start = modules.get(module) or importlib.import_module(module).main
        start(arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
