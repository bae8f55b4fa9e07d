"""Copies of the database: taken while the studio runs, put back only when told twice."""

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from aipipeline.studio.launch import locks, pg_copies, processes
from aipipeline.studio.launch.paths import ROOT, data, environment, say

BAD_INPUT = 2


def backup(arguments: Sequence[str]) -> int:
    """A consistent copy into data/backups/ (or the named file)."""
    if any(a.startswith("-") for a in arguments) or len(arguments) > 1:
        say("./aip backup [FILE] writes a whole copy of the database; without FILE into backups/ of the data folder.")
        return 0 if "--help" in arguments or "-h" in arguments else BAD_INPUT
    environment()
    suffix = ".pgdump" if pg_copies.is_postgres() else ".sqlite3"
    target = _user_path(arguments[0]) if arguments else _own_place(f"aipipeline-{_now()}{suffix}")
    if target.exists():
        say(f"{target} exists already; choose another name.")
        return BAD_INPUT
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (pg_copies.dump(target) if pg_copies.is_postgres() else _copy_sqlite(target)):
        return 1
    say(f"Backup written: {target}")
    return 0


def restore(arguments: Sequence[str]) -> int:
    """Put a copy back. Needs --yes, and a studio that is stopped; the present database is kept beside."""
    files = [a for a in arguments if not a.startswith("-")]
    if len(files) != 1 or set(arguments) != {files[0], "--yes"}:
        say("./aip restore FILE --yes replaces the whole database by the copy. The present one is kept in a file.")
        return 0 if "--help" in arguments or "-h" in arguments else BAD_INPUT
    environment()
    source = _user_path(files[0])
    if not source.is_file():
        say(f"{source}: there is no such file.")
        return BAD_INPUT
    postgres = pg_copies.is_postgres()
    if not (pg_copies.is_dump(source) if postgres else _is_sqlite(source)):
        say(f"{source} is not a copy of a {'PostgreSQL' if postgres else 'SQLite'} studio database.")
        return BAD_INPUT
    # Held to the end: nothing starts on the database while it is replaced.
    up = locks.take(data() / "run" / "up.lock", note=f"{os.getpid()} (a restore is under way)")
    supervisor = locks.take(data() / "run" / "supervisor.lock", note=f"{os.getpid()} restore")
    if up is None or supervisor is None:
        found = processes.running()
        say(f"The studio runs{f' (process {found.pid})' if found else ''}. Stop it first (Ctrl-C in its window).")
        return 1
    with up, supervisor:
        if not (pg_copies.restore(source, _kept(".pgdump")) if postgres else _restore_sqlite(source)):
            return 1
        (data() / "run" / "migrated").unlink(missing_ok=True)
    say("Restored. The next start brings the database up to date.")
    return 0


def _now() -> str:
    return time.strftime("%Y%m%d-%H%M%S")


def _own_place(name: str) -> Path:
    return data() / "backups" / name


def _kept(suffix: str) -> Path:
    """Where the database that a restore replaces is kept."""
    place = _own_place(f"before-restore-{_now()}{suffix}")
    place.parent.mkdir(exist_ok=True)
    return place


def _user_path(text: str) -> Path:
    return Path(os.environ.get("AIP_CWD") or os.getcwd()) / text


def database_file() -> Path:
    """The SQLite file that the settings mean."""
    url = urlsplit(os.environ.get("DATABASE_URL", ""))
    return ROOT / unquote(url.path)[1:] if url.scheme == "sqlite" else data() / "aipipeline.sqlite3"


def _copy_sqlite(target: Path) -> bool:
    """A copy of what is committed, with the write-ahead log folded in; whole or not there."""
    present = database_file()
    if not present.is_file():
        say(f"There is no database yet ({present}). Start the studio once: ./aip up")
        return False
    part = target.with_name(target.name + ".part")
    try:
        with closing(sqlite3.connect(present)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        part.rename(target)
    except sqlite3.Error as error:
        say(f"{present} could not be copied: {error}")
        return False
    finally:
        part.unlink(missing_ok=True)
    return True


def _restore_sqlite(source: Path) -> bool:
    """Written into the database in one transaction, as SQLite itself copies: a kill leaves the old one."""
    present = database_file()
    if present.exists():
        kept = _kept(".sqlite3")
        if not _copy_sqlite(kept):
            return False
        say(f"The present database is kept as {kept}.")
    try:
        with closing(sqlite3.connect(source)) as copy, closing(sqlite3.connect(present)) as target:
            copy.backup(target)
    except sqlite3.Error as error:
        say(f"{source} could not be put back: {error}. The present database is as it was.")
        return False
    return True


def _is_sqlite(path: Path) -> bool:
    """A SQLite file that is whole and holds a studio."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            tables = {row[0] for row in file.execute("SELECT name FROM sqlite_master")}
            return "django_migrations" in tables and file.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.Error:
        return False
