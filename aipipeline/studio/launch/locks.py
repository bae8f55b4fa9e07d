"""File locks that the kernel frees when their holder dies: no stale pid file can block a start."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from aipipeline.studio.launch.paths import say

Lock = IO[str]


def take(path: Path, *, note: str = "", seconds: float = 0) -> Lock | None:
    """Hold the lock until the returned file is closed or the process ends; None when another holds it.

    `note` is what others read of the holder. `seconds`: how long to try.
    """
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600), "a+", encoding="utf-8")
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                file.close()
                return None
            time.sleep(0.02)
        else:
            file.truncate(0)
            file.write(note)
            file.flush()
            return file


def holder(path: Path) -> str | None:
    """The holder's note, None when nobody holds the lock."""
    if not path.exists():
        return None
    with open(path, encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _note(path)
    return None


def _note(path: Path) -> str:
    """The holder writes its note right after it got the lock; a reader may be a moment early."""
    for _attempt in range(50):
        if note := path.read_text(encoding="utf-8"):
            return note
        time.sleep(0.01)
    return ""


@contextmanager
def turn(path: Path, waiting: str) -> Iterator[None]:
    """One after the other; `waiting` is told once when somebody else is at it."""
    lock = take(path, note=str(os.getpid()))
    if lock is None:
        say(waiting)
        while lock is None:
            lock = take(path, note=str(os.getpid()), seconds=1)
    with lock:
        yield
