"""Copies of a PostgreSQL database by its own tools; the password goes by the environment, never by the command line."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from aipipeline.studio.launch.paths import say

SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
MAGIC = b"PGDMP"
# What a URL may carry for libpq; the rest is Django's.
LIBPQ = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


def is_postgres() -> bool:
    """Does DATABASE_URL name a PostgreSQL?"""
    return urlsplit(os.environ.get("DATABASE_URL", "")).scheme in SCHEMES


def is_dump(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def dump(target: Path) -> bool:
    """A consistent copy, whole or not there; says why when it fails."""
    part = target.with_name(target.name + ".part")
    try:
        if not _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={part}"]):
            return False
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return True


def restore(source: Path, kept: Path) -> bool:
    """Replace everything in one transaction: whatever fails, the present database is as it was.

    Tables that are newer than the copy go too; the present state is written to `kept` first.
    """
    if others := _others():
        say(f"The database is in use (connections: {others}). Stop every web and worker process of the studio first.")
        return False
    if not dump(kept):
        return False
    say(f"The present database is kept as {kept}.")
    script = kept.with_name(kept.name + ".sql.part")
    try:
        if not _run(["pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(source)]):
            return False
        fresh = ["--command=DROP SCHEMA public CASCADE", "--command=CREATE SCHEMA public"]
        quiet = ["--no-psqlrc", "--quiet", "--output=/dev/null"]
        if _run(["psql", "--single-transaction", "--set=ON_ERROR_STOP=1", *quiet, *fresh, f"--file={script}"]):
            return True
    finally:
        script.unlink(missing_ok=True)
    say("The present database is as it was.")
    return False


def connect() -> Any:
    """A psycopg connection to the studio's database; psycopg.OperationalError when it does not answer."""
    import psycopg

    facts = _facts()
    return psycopg.connect(
        host=facts.get("PGHOST"), port=facts.get("PGPORT"), user=facts.get("PGUSER"),
        password=facts.get("PGPASSWORD"), dbname=facts.get("PGDATABASE"), connect_timeout=10,
    )  # fmt: skip


def _others() -> int:
    """How many other connections there are to this database."""
    import psycopg

    try:
        with connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            ).fetchone()
    except psycopg.OperationalError as error:
        raise SystemExit(f"PostgreSQL does not answer: {error}") from error
    return int(row[0]) if row else 0


def _facts() -> dict[str, str]:
    """DATABASE_URL as libpq's variables."""
    url = urlsplit(os.environ["DATABASE_URL"])
    told = {
        "PGHOST": unquote(url.hostname or ""),
        "PGPORT": str(url.port or ""),
        "PGUSER": unquote(url.username or ""),
        "PGPASSWORD": unquote(url.password or ""),
        "PGDATABASE": unquote(url.path.lstrip("/")),
        **{LIBPQ[name]: value for name, value in parse_qsl(url.query) if name in LIBPQ},
    }
    return {name: value for name, value in told.items() if value}


def _run(line: Sequence[str]) -> bool:
    """One of PostgreSQL's programs; it tells on stderr what went wrong."""
    program = _tool(line[0])
    if program is None:
        say(f"{line[0]} was not found. Install PostgreSQL's programs (Debian: apt-get install postgresql-client).")
        return False
    return subprocess.run([program, *line[1:]], env={**os.environ, **_facts()}, check=False).returncode == 0


def _tool(name: str) -> str | None:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: float(p.parts[-3]), reverse=True)
    return str(newest[0]) if newest else shutil.which(name)
