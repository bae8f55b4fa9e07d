"""A process that publishes, and is killed at a chosen step, or sees the storage as a NAS shows it.

Run by tests as `-m renders.tests.publisher COMMAND ORDERS`; ORDERS is JSON. Nothing in the product knows of it: the
functions that publishing is made of are wrapped here, in this process alone.

`kill_at`: the step at which the process kills itself as a power cut would, counted from 0; none when missing.
`steps`: a file that gets the names of all steps as JSON. `nas`: listings are shuffled, late, and up to a quarter of a
second old.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

STALE_SECONDS = 0.25


class Steps:
    """Counts what the main thread does, and ends the process at the chosen step."""

    def __init__(self, kill_at: int | None) -> None:
        self.kill_at = kill_at
        self.names: list[str] = []

    def at(self, name: str) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if len(self.names) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.names.append(name)

    def around(self, place: Any, name: str, *, after: bool = False) -> None:
        """Make a call of `place.name` a step, its end too with `after`."""
        original: Callable[..., Any] = getattr(place, name)
        label = f"{getattr(place, '__name__', place)}.{name}".rpartition("services.")[2]

        @wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.at(label)
            result = original(*args, **kwargs)
            if after:
                self.at(f"after {label}")
            return result

        setattr(place, name, wrapped)


def wrap(steps: Steps) -> None:
    """Everything that publishing does to the disk and to the database."""
    from renders.services import numbering, publishing, queue, sealing
    from renders.signals import version_published

    def half_copied(source: Any, target: Any, **_kwargs: Any) -> Any:
        data = Path(source).read_bytes()
        steps.at("before copy")
        with open(target, "wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            steps.at("half copied")
            file.write(data[len(data) // 2 :])
        steps.at("copied")
        return target

    shutil.copyfile = half_copied  # type: ignore[assignment]
    for place, names in {
        publishing: ("stage", "facts_of", "reserve", "seal", "sealed_facts", "publish_attempt"),
        numbering: ("reserve_for_job",),
        sealing: ("stage", "seal", "_named", "write_atomic", "fsync_dir", "_fsync", "discard"),
        queue: ("to_publishing", "end_job"),
    }.items():
        for name in names:
            steps.around(place, name)
    for place, name in ((os, "rename"), (os, "replace"), (os, "mkdir"), (publishing, "mark_published")):
        steps.around(place, name, after=True)
    version_published.connect(lambda **_kwargs: steps.at("signal, before commit"), weak=False)


class Nas:
    """Listings as a network storage gives them: in any order, late, and for a moment those of before."""

    def __init__(self) -> None:
        self.random = random.Random(os.getpid())
        self.kept: dict[str, tuple[float, list[Any]]] = {}
        self.scandir = os.scandir
        os.scandir = self.listed  # type: ignore[assignment]
        os.listdir = lambda path=".": [entry.name for entry in self.entries(path)]  # type: ignore[assignment]

    def entries(self, path: Any) -> list[Any]:
        key = os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else os.path.abspath(os.fspath(path))
        time.sleep(self.random.uniform(0.0, 0.01))
        at, found = self.kept.get(str(key), (0.0, []))
        # Entries of a listing by descriptor end with the descriptor: those are shuffled, never old.
        if isinstance(path, int) or time.monotonic() - at > STALE_SECONDS:
            with self.scandir(path) as listing:
                found = list(listing)
            self.kept[str(key)] = (time.monotonic(), found)
        return self.random.sample(found, len(found))

    def listed(self, path: Any = ".") -> "Listing":
        return Listing(self.entries(path))


class Listing(contextlib.AbstractContextManager["Listing"]):
    """What `os.scandir` gives, of entries that are there."""

    def __init__(self, entries: list[Any]) -> None:
        self.rest = iter(entries)

    def __iter__(self) -> "Listing":
        return self

    def __next__(self) -> Any:
        return next(self.rest)

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.rest = iter([])


def main(arguments: Sequence[str]) -> None:
    command, orders = arguments[0], json.loads(arguments[1])
    from aipipeline.projects.models import User

    steps = Steps(orders.get("kill_at"))
    wrap(steps)
    if orders.get("nas"):
        Nas()
    actor = User.objects.filter(is_superuser=True).first()
    {"upload": upload, "attempt": attempt, "recover": recover, "mark": mark, "fill": fill}[command](orders, actor)
    steps.at("done")
    if orders.get("steps"):
        Path(orders["steps"]).write_text(json.dumps(steps.names))


def upload(orders: dict[str, Any], actor: Any) -> None:
    from renders.services.publishing import publish_files
    from shots.models import Shot

    shot = Shot.objects.select_related("project", "scene").get(pk=orders["shot"])
    file = Path(orders["file"])
    for _n in range(orders.get("times", 1)):
        publish_files(owner=shot, kind="previz", files={file.name: file}, actor=actor, comment=orders["comment"])


def attempt(orders: dict[str, Any], _actor: Any) -> None:
    from renders import runner

    runner.run_attempt(orders["attempt"])


def recover(_orders: dict[str, Any], _actor: Any) -> None:
    from renders.services import recovery

    recovery.recover_versions(older_than=timedelta(0))
    recovery.sweep(older_than=timedelta(0))


def mark(orders: dict[str, Any], _actor: Any) -> None:
    """Mark a sealed version as soon as the file `go` is there; each signal that was sent is a line in `told`."""
    from django.db import transaction

    from renders.models import Version
    from renders.services.publishing import mark_published
    from renders.services.sealing import sealed_facts
    from renders.signals import version_published

    def told(**_kwargs: Any) -> None:
        with open(orders["told"], "a") as file:
            file.write(f"{os.getpid()}\n")

    version_published.connect(told)
    version = Version.objects.get(pk=orders["version"])
    facts = sealed_facts(version)
    assert facts is not None
    Path(orders["ready"], str(os.getpid())).touch()
    while not Path(orders["go"]).exists():
        time.sleep(0.001)
    with transaction.atomic():
        mark_published(version, facts)


def fill(orders: dict[str, Any], actor: Any) -> None:
    """In a mount namespace of its own: publish onto storages that are full after so many files or bytes."""
    import subprocess

    from aipipeline.media.storage import StorageError
    from renders.models import Version
    from renders.services.publishing import publish_files
    from shots.models import Shot

    shot = Shot.objects.select_related("project", "scene").get(pk=orders["shot"])
    root = shot.project.root
    root.mkdir(parents=True, exist_ok=True)
    told = []
    for options in orders["storages"]:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(root)], check=True)
        before = set(Version.objects.values_list("pk", flat=True))
        try:
            publish_files(owner=shot, kind="previz", files={"a.png": Path(orders["file"])}, actor=actor)
            error = ""
        except StorageError as full:
            error = str(full.message)
        made = Version.objects.exclude(pk__in=before)
        left = [path.name for path in root.rglob("*") if path.is_file() or path.name.startswith(".")]
        told.append({"error": error, "states": [version.state for version in made], "left": sorted(left)})
        subprocess.run(["umount", str(root)], check=True)
    Path(orders["told"]).write_text(json.dumps(told))


if __name__ == "__main__":
    import django

    django.setup()
    main(sys.argv[1:])
