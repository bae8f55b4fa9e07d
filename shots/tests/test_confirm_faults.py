"""Confirm when things break: a full disk, a closed folder, kill -9 at any step, several at once."""

import json
import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from aipipeline.media import patience
from aipipeline.media.exclusive import exclusive
from shots.models import Folder, Shot, StaleMark
from shots.services import confirm as module
from shots.services import editing
from shots.services.confirm import ConfirmReport, TreeError, confirm
from shots.services.locks import unlock_shot
from shots.services.tree import metadata
from shots.services.tree.metadata import write_stale
from shots.services.tree.moves import move_folders
from shots.services.tree.planning import plan_tree
from shots.tests.tree import killed, leftovers, picture_of, rows_of, script
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
UNSHARE = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-Urm"]
FULL = """
import json, os, subprocess
from aipipeline.projects.models import Project
from shots.services.confirm import confirm, TreeError
from shots.tests.tree import picture_of, rows_of
project = Project.objects.get(code="TEST")
said = ""
try:
    confirm(project=project, actor=None)
except TreeError as error:
    said = str(error)
left, rows = list(picture_of(project.root)), [len(rows_of(project)[0]), rows_of(project)[1]]
subprocess.run(["mount", "-o", "remount,size=64m", os.environ["PLACE"]], check=True)
report = confirm(project=project, actor=None)
again = confirm(project=project, actor=None)
made = len(list(project.root.glob("scenes/*/shots/*/shot_meta.json")))
print(json.dumps([said, left, rows, len(report.locked), made, again.files_written]))
"""


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    return applied_project(project, admin_user)


def test_a_full_disk_leaves_nothing_and_a_later_confirm_succeeds(project: Any, shots: Any, tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here")
    Shot.objects.bulk_create(
        Shot(project=project, code=f"S{n}", position=n, description="긴 글 " * 50) for n in range(400)
    )
    place = tmp_path / "projects"
    place.mkdir()
    line, env = script(FULL, PLACE=str(place))
    before = rows_of(project)
    inside = ["sh", "-c", 'mount -t tmpfs -o size=1m tmpfs "$PLACE" && exec "$@"', "sh", *line]
    done = subprocess.run([*UNSHARE, *inside], env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    said, left, rows, locked, made, again = json.loads(done.stdout.splitlines()[-1])
    assert "no space left" in said
    assert str(project.root) in said
    assert left == []
    # Only the places of the project's own folders, which are the same in every project.
    assert rows == [len(before[0]) + 3, before[1]]
    assert (locked, made, again) == (403, 403, 0)


def test_a_storage_that_hangs_is_told_in_time_and_holds_no_lock(
    project: Any, admin_user: Any, shots: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(project=project, actor=admin_user)
    editing.update_shots(
        project=project, actor=admin_user, items=[{"id": shots[0].pk, "fields": {"description": "새"}}]
    )
    client.force_login(admin_user)
    free, scan, is_dir = Event(), os.scandir, Path.is_dir

    def hang(work: Any) -> Any:
        def hung(path: Any = ".", **more: Any) -> Any:
            if str(path).startswith(str(project.root)):
                free.wait(30)  # as a mount that is gone does
            return work(path, **more)

        return hung

    monkeypatch.setattr(patience, "SECONDS", 0.2)
    monkeypatch.setattr(os, "scandir", hang(scan))
    monkeypatch.setattr(Path, "is_dir", hang(is_dir))
    try:
        page = client.get(reverse("shots:confirm", args=[project.code]))
        assert "does not answer" in page.content.decode()
        for work in (confirm, move_folders):
            with pytest.raises(TreeError, match="does not answer"):
                work(project=project, actor=admin_user)
        assert "does not answer" in write_stale().problems[project.code]
        with exclusive(metadata.tree_lock(project.pk)) as mine:
            assert mine
    finally:
        free.set()
    monkeypatch.undo()
    assert StaleMark.objects.exists()
    assert write_stale().problems == {}


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_closed_storage_is_told(project: Any, admin_user: Any, shots: Any) -> None:
    project.root.mkdir(parents=True)
    project.root.chmod(0o555)
    try:
        with pytest.raises(TreeError, match="refuses the file"):
            confirm(project=project, actor=admin_user)
    finally:
        project.root.chmod(0o755)
    assert list(project.root.iterdir()) == []
    assert confirm(project=project, actor=admin_user).locked


def test_a_read_only_storage_is_told_and_nothing_is_left(project: Any, shots: Any, tmp_path: Path) -> None:
    """A read-only mount refuses root too."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here")
    place = tmp_path / "projects"
    place.mkdir()
    line, env = script(FULL.replace("remount,size=64m", "remount,rw"), PLACE=str(place))
    inside = ["sh", "-c", 'mount -t tmpfs -o ro,size=64m tmpfs "$PLACE" && exec "$@"', "sh", *line]
    done = subprocess.run([*UNSHARE, *inside], env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    said, left, _rows, locked, made, again = json.loads(done.stdout.splitlines()[-1])
    assert "refuses the file" in said
    assert (left, locked, made, again) == ([], 3, 3, 0)


def test_a_storage_that_is_not_mounted_is_not_begun_anew(project: Any, admin_user: Any, shots: Any) -> None:
    confirm(project=project, actor=admin_user)
    storage = project.root.parent
    storage.rename(storage.with_name("elsewhere"))
    for work in (lambda: plan_tree(project), lambda: confirm(project=project, actor=admin_user)):
        with pytest.raises(TreeError, match="Mount it"):
            work()
    assert not storage.exists()
    storage.with_name("elsewhere").rename(storage)
    assert confirm(project=project, actor=admin_user).files_written == 0


def test_a_cancel_in_the_middle_leaves_nothing_new(project: Any, admin_user: Any, shots: Any) -> None:
    confirm(project=project, actor=admin_user, shots=[shots[0].pk])
    write_stale()
    before, rows = picture_of(project.root), rows_of(project)

    class Cancelled(Exception):
        pass

    def cancel(value: float, _text: str) -> None:
        if value >= 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        confirm(project=project, actor=admin_user, progress=cancel)
    after = picture_of(project.root)
    assert {path for path in after if path not in before} == set()
    assert rows_of(project)[1] == rows[1]
    assert [row[1] for row in rows_of(project)[0]] == [row[1] for row in rows[0]]
    write_stale()
    changed = json.loads((project.root / "scenes/SCN_010/shots" / shots[0].code / "shot_meta.json").read_text())
    assert changed["locked"] is True
    assert len(confirm(project=project, actor=admin_user).locked) == len(shots) - 1


POINTS: list[tuple[Any, str, int]] = [
    (module, "_register", 1), (os, "mkdir", 1), (os, "mkdir", 30), (os, "replace", 1), (os, "replace", 7),
    (os, "fsync", 3), (metadata, "save_columns", 1), (module, "_lock", 1),
]  # fmt: skip


@pytest.mark.parametrize(("holder", "name", "count"), POINTS)
def test_after_a_kill_at_any_step_confirm_goes_on(
    project: Any, admin_user: Any, shots: Any, holder: Any, name: str, count: int
) -> None:
    assert killed(lambda: confirm(project=project, actor=admin_user), holder, name, count) == signal.SIGKILL
    assert not Shot.objects.filter(locked=True).exists()
    plan_tree(project)
    assert len(confirm(project=project, actor=admin_user).locked) == len(shots)
    for shot in shots:
        folder = project.root / Folder.objects.get(shot=shot).path
        assert json.loads((folder / "shot_meta.json").read_text())["code"] == shot.code
        assert (folder / "final").is_dir()
    assert leftovers(project.root) == []
    assert list(project.root.rglob("*.edited-*")) == []
    before = picture_of(project.root)
    assert confirm(project=project, actor=admin_user).files_written == 0
    assert picture_of(project.root) == before


def test_two_confirms_at_once_build_one_tree(project: Any, admin_user: Any, shots: Any) -> None:
    ready = Barrier(2)

    def run(_n: int) -> ConfirmReport:
        try:
            ready.wait()
            return confirm(project=project, actor=admin_user)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(run, range(2)))
    assert sorted(len(report.locked) for report in reports) == [0, len(shots)]
    assert min(report.files_written for report in reports) == 0
    assert Folder.objects.filter(shot__in=shots).count() == len(shots)


def test_edits_during_a_confirm_are_in_the_files_in_the_end(project: Any, admin_user: Any, shots: Any) -> None:
    """Whatever the moment: what the confirm read too early is marked, and written after it."""

    def edit(n: int) -> None:
        item = {"id": shots[0].pk, "fields": {"description": f"글 {n}"}}
        try:
            editing.update_shots(project=project, actor=admin_user, items=[item])
        finally:
            connection.close()

    def told(_value: float, _text: str) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(edit, counter.append(0) or len(counter)).result()

    counter: list[int] = []
    confirm(project=project, actor=admin_user, progress=told)
    assert len(counter) >= 2
    assert StaleMark.objects.exists()
    write_stale()
    meta = project.root / Folder.objects.get(shot=shots[0]).path / "shot_meta.json"
    assert json.loads(meta.read_text())["description"] == f"글 {len(counter)}"
    unlock_shot(shot=Shot.objects.get(pk=shots[0].pk), actor=admin_user, reason="x")
    write_stale()
    assert json.loads(meta.read_text())["locked"] is False
