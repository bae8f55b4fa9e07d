"""A copy of the database, put back: everything is as it was when it was taken, on SQLite and on PostgreSQL."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aipipeline.studio.launch import locks
from tests.factories import SCRIPT
from tests.harness import launcher

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FILL = f"""
from aipipeline.history.project_services import create_project
from tests.factories import applied_project
applied_project(create_project(actor=None, code="KEPT", title="남는 것"), text={SCRIPT!r})
"""
SPOIL = """
from django.db import connection
from aipipeline.history.project_services import create_project
from shots.models import Shot
Shot.objects.update(description="spoilt")
create_project(actor=None, code="LATER", title="later")
connection.cursor().execute("CREATE TABLE of_a_later_migration (id integer)")
"""


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: Any, tmp_path: Path) -> Iterator[str]:
    """An empty database of the test's own, in the server that the test run has."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'a folder with spaces.sqlite3'}"
        return
    server = os.environ.get("AIP_TEST_DATABASE_URL")
    if server is None:
        # The run on SQLite has no server; the run on PostgreSQL before it has made this test.
        yield f"sqlite:///{tmp_path / 'twice.sqlite3'}"
        return
    import psycopg

    name = f"copies_{uuid.uuid4().hex[:8]}"
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Studio:
    """Commands on one data folder and database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.url = database_url

    def do(self, *arguments: str, code: int = 0) -> str:
        done = launcher.run(self.folder, *arguments, DATABASE_URL=self.url, AIP_CWD=str(self.folder.parent))
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def rows(self) -> Any:
        """Every row that there is."""
        told = self.do("manage", "dumpdata", "--exclude", "contenttypes", "--exclude", "auth.permission")
        return json.loads(told[told.index("[") : told.rindex("]") + 1])


@pytest.fixture
def studio(tmp_path: Path, database_url: str) -> Studio:
    found = Studio(tmp_path / "data", database_url)
    found.do("manage", "migrate", "-v", "0")
    found.do("manage", "shell", "-c", FILL)
    return found


def test_a_restored_copy_holds_the_rows_of_its_moment(studio: Studio, tmp_path: Path) -> None:
    before = studio.rows()
    assert any(row["model"] == "shots.shot" for row in before)
    studio.do("backup", "copy.bak")
    assert "exists already" in studio.do("backup", "copy.bak", code=2)
    studio.do("manage", "shell", "-c", SPOIL)
    spoilt = studio.rows()
    assert spoilt != before
    assert "--yes" in studio.do("restore", "copy.bak", code=2)
    assert "no such file" in studio.do("restore", "other.bak", "--yes", code=2)
    (tmp_path / "false.bak").write_bytes(b"SQLite format 3\x00PGDM nothing")
    assert "is not a copy" in studio.do("restore", "false.bak", "--yes", code=2)
    assert studio.rows() == spoilt
    studio.do("restore", "copy.bak", "--yes")
    assert studio.rows() == before
    # What was replaced is kept, and can itself be put back; then the next start finds a sound database.
    kept = next(iter((studio.folder / "backups").glob("before-restore-*")))
    studio.do("restore", str(kept), "--yes")
    assert studio.rows() == spoilt
    studio.do("manage", "migrate", "--check")


def test_a_restore_that_is_refused_or_breaks_changes_nothing(studio: Studio, tmp_path: Path) -> None:
    studio.do("backup", "copy.bak")
    whole = (tmp_path / "copy.bak").read_bytes()
    (tmp_path / "half.bak").write_bytes(whole[: len(whole) // 2])
    before = studio.rows()
    done = launcher.run(studio.folder, "restore", "half.bak", "--yes", DATABASE_URL=studio.url, AIP_CWD=str(tmp_path))
    assert done.returncode in (1, 2)
    lock = locks.take(studio.folder / "run" / "supervisor.lock", note="1 up")
    assert lock is not None
    with lock:
        assert "Stop it first" in studio.do("restore", "copy.bak", "--yes", code=1)
    if studio.url.startswith("postgres"):
        import psycopg

        with closing(psycopg.connect(studio.url)) as connection:
            connection.execute("SELECT 1")
            assert "connections: 1" in studio.do("restore", "copy.bak", "--yes", code=1)
    assert studio.rows() == before
