"""What tests of the production tree look at: the whole tree as it is, and whole processes that work on it."""

import os
import sys
from pathlib import Path

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
