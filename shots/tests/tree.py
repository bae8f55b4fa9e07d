"""What tests of the production tree look at: the whole tree as it is, and whole processes that work on it."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection

from aipipeline.history.models import Action
from aipipeline.projects.models import Project
from shots.models import Folder
from tests.harness.processes import ROOT, database_url


def picture_of(root: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder below, by relative path: time of change in ns and size (0 for folders)."""
    found = {}
    for path in sorted(root.rglob("*")):
        facts = path.lstat()
        found[path.relative_to(root).as_posix()] = (facts.st_mtime_ns, 0 if path.is_dir() else facts.st_size)
    return found


def rows_of(project: Project) -> tuple[list[tuple[object, ...]], int]:
    """The Folder rows and the number of actions: what a run that does nothing leaves equal."""
    names = ("pk", "path", "key", "state", "moving_to", "digest", "problem", "retired_at")
    return list(Folder.objects.filter(project=project).order_by("pk").values_list(*names)), Action.objects.count()


def leftovers(root: Path) -> list[str]:
    """Half-written files."""
    return [path.name for path in root.rglob("*") if path.name.endswith(".part")]


def script(work: str, **env: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a process that runs `work` with Django set up on the test's database."""
    code = "import django; django.setup()\n" + work
    own = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "aipipeline.settings", "PYTHONPATH": str(ROOT)}
    return [sys.executable, "-c", code], {**os.environ, **own, **env}


def killed(work: Callable[[], object], holder: Any, name: str, count: int) -> int:
    """Run `work` in a forked process that is killed as by a power cut at the `count`-th call of `holder.name`.

    Returns the signal that ended it, 0 when it came to its end before, 1 when it raised.
    """
    # The child must not talk on the connection of this process.
    connection.close()
    pid = os.fork()
    if pid == 0:
        try:
            calls, real = [0], getattr(holder, name)

            def deadly(*arguments: Any, **named: Any) -> Any:
                calls[0] += 1
                if calls[0] == count:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **named)

            setattr(holder, name, deadly)
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _pid, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
