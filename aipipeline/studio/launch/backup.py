"""Copies of the database: taken while the studio runs, put back only when told twice."""

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from aipipeline.studio.launch import processes
from aipipeline.studio.launch.paths import data, environment, say


def backup(arguments: Sequence[str]) -> int:
    """A consistent copy into data/backups/ (or the named file)."""
    environment()
    url = os.environ.get("DATABASE_URL", "")
    suffix = ".pgdump" if url.startswith("postgres") else ".sqlite3"
    default = data() / "backups" / f"aipipeline-{time.strftime('%Y%m%d-%H%M%S')}{suffix}"
    target = _user_path(arguments[0]) if arguments else default
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        say(f"{target} exists already; choose another name.")
        return 2
    part = target.with_name(target.name + ".part")
    if url.startswith("postgres"):
        done = subprocess.run(["pg_dump", "--format=custom", f"--file={part}", url], check=False)
        if done.returncode != 0:
            return 1
    else:
        with sqlite3.connect(_database()) as source, sqlite3.connect(part) as copy:
            source.backup(copy)
    part.rename(target)
    say(f"Backup written: {target}")
    return 0


def restore(arguments: Sequence[str]) -> int:
    """Put a copy back. Needs --yes, and a studio that is stopped; the present database is kept beside."""
    environment()
    files = [a for a in arguments if not a.startswith("-")]
    if len(files) != 1 or "--yes" not in arguments:
        say("./aip restore FILE --yes replaces the whole database by the copy. The present one is kept beside it.")
        return 2
    source = _user_path(files[0])
    if not source.is_file():
        say(f"{source} does not exist.")
        return 2
    if processes.running_pid():
        say("Stop the studio first (Ctrl-C in its window).")
        return 1
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        done = subprocess.run(
            ["pg_restore", "--clean", "--if-exists", "--no-owner", f"--dbname={url}", str(source)],
            check=False,
        )
        return done.returncode
    if not _is_sqlite(source):
        say(f"{source} is not a backup of this database.")
        return 2
    present = _database()
    if present.exists():
        kept = present.with_name(f"{present.name}.before-restore-{time.strftime('%Y%m%d-%H%M%S')}")
        with sqlite3.connect(present) as old, sqlite3.connect(kept) as copy:
            old.backup(copy)
        say(f"The present database is kept as {kept.name}.")
    for name in (present.with_name(present.name + "-wal"), present.with_name(present.name + "-shm")):
        name.unlink(missing_ok=True)
    temporary = present.with_name(present.name + ".part")
    shutil.copyfile(source, temporary)
    os.replace(temporary, present)
    (data() / "run" / "migrated").unlink(missing_ok=True)
    say("Restored.")
    return 0


def _user_path(text: str) -> Path:
    return Path(os.environ.get("AIP_CWD", os.getcwd())) / text


def _database() -> Path:
    url = os.environ.get("DATABASE_URL", "")
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else data() / "aipipeline.sqlite3"


def _is_sqlite(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\x00"
