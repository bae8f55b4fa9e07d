"""One at a time, across threads, processes and hosts: a lock that nobody has to free after a kill."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

PAUSE_SECONDS = 0.05


@contextmanager
def exclusive(name: str, *, seconds: float = 0.0) -> Iterator[bool]:
    """True inside the block while this caller alone holds `name`; False when another held it for `seconds`.

    On PostgreSQL an advisory lock of the connection, so that every host counts; on SQLite, which one host has, a
    lock of the kernel on a file. Both end with their holder. Not re-entrant, and not for use inside a transaction
    that was begun before: what the earlier holder committed would not be seen on SQLite.
    """
    held = _postgres(name, seconds) if connection.vendor == "postgresql" else _file(name, seconds)
    with held as mine:
        yield mine


@contextmanager
def _postgres(name: str, seconds: float) -> Iterator[bool]:
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
    end = time.monotonic() + seconds
    while not (mine := _ask("SELECT pg_try_advisory_lock(%s)", key)) and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    try:
        yield mine
    finally:
        # A connection that broke meanwhile has given the lock back by itself.
        if mine and connection.connection is not None and not connection.connection.closed:
            _ask("SELECT pg_advisory_unlock(%s)", key)


def _ask(sql: str, key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [key])
        return bool(cursor.fetchone()[0])


@contextmanager
def _file(name: str, seconds: float) -> Iterator[bool]:
    folder = Path(settings.AIP_DATA) / "run"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.blake2b(name.encode(), digest_size=12).hexdigest()}.lock"
    end = time.monotonic() + seconds
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "rb") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mine = True
            except BlockingIOError:
                mine = False
            if mine or time.monotonic() >= end:
                break
            time.sleep(PAUSE_SECONDS)
        yield mine
