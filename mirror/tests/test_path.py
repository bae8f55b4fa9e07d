"""A mirror in a folder: what is copied, what is left alone, and that nothing at the target is ever lost."""

import json
import os
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from celery_workers.models import LedgerTask
from mirror.copying.path_store import PathStore
from mirror.models import MirrorEntry, MirrorTarget, RunState
from mirror.tests.conftest import FILES, SHOT, content, counts, run, write
from renders.models import Version
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

PNG = f"{SHOT}/previz/v001/panel.png"


def later(path: Path, data: bytes) -> None:
    """Write it as somebody does a while after."""
    path.write_bytes(data)
    moment = time.time_ns() + 5_000_000_000
    os.utime(path, ns=(moment, moment))


def test_everything_is_copied_once(target: MirrorTarget, tree: Path, nas: Path) -> None:
    task = run(target)
    assert (task.state, task.error) == ("succeeded", "")
    assert content(nas) == FILES
    assert counts(task, "files", "new", "copied", "same", "conflict", "extra") == (7, 7, 7, 0, 0, 0)
    assert task.result["bytes"] == sum(map(len, FILES.values()))
    assert json.loads((nas / ".aip-mirror.json").read_text())["project"] == "TEST"
    assert (target.last_state, target.marked) == (RunState.OK, True)
    assert all((nas / name).stat().st_mtime_ns == (tree / name).stat().st_mtime_ns for name in FILES)
    assert {e.path: e.sha256 != "" for e in MirrorEntry.objects.all()} == dict.fromkeys(FILES, True)
    before = {name: (nas / name).stat().st_ino for name in FILES}
    again = run(target)
    assert counts(again, "files", "same", "copied", "bytes") == (7, 7, 0, 0)
    assert {name: (nas / name).stat().st_ino for name in FILES} == before


def test_empty_folders_are_there_too(target: MirrorTarget, tree: Path, nas: Path, tmp_path: Path) -> None:
    for name in (f"{SHOT}/drop", "edit/audio", "assets/막힘/비었음", ".cache/x"):
        (tree / name).mkdir(parents=True)
    assert counts(run(target, dry_run=True), "files") == (7,)
    assert not nas.exists()
    nas.mkdir()
    os.symlink(tmp_path, nas / "edit")
    (tmp_path / "nas" / "mirror" / ".aip-mirror.json").write_text('{"project": "TEST"}')
    task = run(target)
    assert (nas / SHOT / "drop").is_dir()
    assert (nas / "assets/막힘/비었음").is_dir()
    assert not (nas / ".cache").exists()
    assert not (tmp_path / "audio").exists(), "a link at the target leads nowhere"
    assert [path for path, _why in task.result["lists"]["conflict"]] == ["edit/audio", "edit/proxy"]


def test_korean_names_stay_composed(target: MirrorTarget, nas: Path) -> None:
    run(target)
    names = [p.name for p in nas.rglob("*")]
    assert "얼굴 정면.png" in names
    assert [n for n in names if n != unicodedata.normalize("NFC", n)] == []


def test_only_what_changed_is_copied_again(target: MirrorTarget, tree: Path, nas: Path) -> None:
    run(target)
    later(tree / PNG, b"q" * 3000)
    write(tree, {"assets/new.txt": b"new"})
    task = run(target)
    assert counts(task, "new", "changed", "copied", "same") == (1, 1, 2, 6)
    assert content(nas) == {**FILES, PNG: b"q" * 3000, "assets/new.txt": b"new"}
    assert MirrorEntry.objects.filter(path=PNG).count() == 1


def test_nothing_is_deleted_at_the_target(target: MirrorTarget, tree: Path, nas: Path) -> None:
    run(target)
    (tree / PNG).unlink()
    write(nas, {"notes/사람이 둔 것.txt": b"mine"})
    task = run(target)
    assert task.result["lists"]["extra"] == [["notes/사람이 둔 것.txt"], [PNG]]
    assert content(nas) == {**FILES, "notes/사람이 둔 것.txt": b"mine"}
    assert target.last_state == RunState.OK


def test_what_somebody_changed_at_the_target_is_not_overwritten(target: MirrorTarget, tree: Path, nas: Path) -> None:
    run(target)
    later(nas / PNG, b"graded by hand")
    write(tree, {"assets/clash.txt": b"ours"})
    write(nas, {"assets/clash.txt": b"theirs"})
    os.symlink("/etc/passwd", nas / "trap.txt")
    write(tree, {"trap.txt": b"x"})
    (nas / "wall").write_bytes(b"a file where a folder is needed")
    write(tree, {"wall/in.txt": b"x"})
    task = run(target)
    told = [path for path, _why in task.result["lists"]["conflict"]]
    assert told == ["assets/clash.txt", PNG, "trap.txt", "wall/in.txt"]
    assert (nas / PNG).read_bytes() == b"graded by hand"
    assert (nas / "assets/clash.txt").read_bytes() == b"theirs"
    assert os.readlink(nas / "trap.txt") == "/etc/passwd"
    assert target.last_state == RunState.ATTENTION
    (nas / PNG).unlink()
    run(target)
    assert (nas / PNG).read_bytes() == FILES[PNG]


def test_a_folder_that_is_a_link_at_the_target_leads_nowhere(target: MirrorTarget, tmp_path: Path, nas: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    nas.mkdir()
    run(target)
    os.rename(nas / "assets", tmp_path / "moved")
    os.symlink(outside, nas / "assets")
    task = run(target)
    assert task.result["conflict"] == 2
    assert list(outside.iterdir()) == []


def test_a_dry_run_writes_nothing(target: MirrorTarget, tree: Path, nas: Path) -> None:
    task = run(target, dry_run=True)
    assert counts(task, "new", "to_copy_bytes", "copied") == (7, sum(map(len, FILES.values())), 0)
    assert [path for path, _why in task.result["lists"]["paths"]] == sorted(FILES)
    assert not nas.exists()
    assert (target.last_state, MirrorEntry.objects.count()) == (RunState.NEVER, 0)
    run(target)
    stamp = {p: p.stat().st_mtime_ns for p in [nas, *nas.rglob("*")]}
    later(tree / PNG, b"z")
    assert counts(run(target, dry_run=True), "changed", "same") == (1, 6)
    assert {p: p.stat().st_mtime_ns for p in [nas, *nas.rglob("*")]} == stamp


def test_verify_finds_a_flipped_byte(target: MirrorTarget, nas: Path) -> None:
    assert counts(run(target, verify=True), "verified", "damaged") == (7, 0)
    path = nas / "export/final/film.mp4"
    stamp = path.stat().st_mtime_ns
    with open(path, "r+b") as file:
        file.seek(40_000)
        file.write(b"\x00")
    os.utime(path, ns=(stamp, stamp))
    assert counts(run(target), "same", "damaged") == (7, 0)
    task = run(target, verify=True)
    assert [p for p, _why in task.result["lists"]["damaged"]] == ["export/final/film.mp4"]
    assert target.last_state == RunState.ATTENTION


def test_verify_reads_the_source_where_nothing_is_known(target: MirrorTarget, nas: Path) -> None:
    run(target)
    MirrorEntry.objects.all().delete()
    assert counts(run(target, verify=True), "same", "verified", "damaged") == (7, 7, 0)


def test_a_file_that_changes_while_it_is_copied_waits_for_the_next_run(
    target: MirrorTarget, tree: Path, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pour = PathStore._pour

    def and_then_somebody_writes(self: PathStore, source: int, out: int) -> tuple[str, int]:
        found = pour(self, source, out)
        if os.fstat(source).st_size == 3000:
            later(tree / PNG, b"half of the next panel")
        return found

    monkeypatch.setattr(PathStore, "_pour", and_then_somebody_writes)
    task = run(target)
    monkeypatch.undo()
    assert counts(task, "copied", "left") == (6, 1)
    assert not (nas / PNG).exists()
    assert target.last_state == RunState.OK
    assert counts(run(target), "copied", "left") == (1, 0)
    assert (nas / PNG).read_bytes() == b"half of the next panel"
    assert list(nas.rglob("*.part")) == []


def test_only_the_wanted_kinds_of_versions(
    make: Callable[..., MirrorTarget], project: Any, admin_user: Any, tree: Path, nas: Path
) -> None:
    shot = applied_project(project, admin_user)[0]
    for kind in ("previz", "render"):
        Version.objects.create(project=project, shot=shot, kind=kind, number=1, path=f"{SHOT}/{kind}/v001")
    target = make(path=str(nas), kinds=["render"])
    run(target)
    assert content(nas) == {name: data for name, data in FILES.items() if name != PNG}
    write(nas, {PNG: b"from before"})
    assert run(target).result["extra"] == 0


def test_names_that_cannot_be_kept_are_told(target: MirrorTarget, tree: Path, nas: Path) -> None:
    with open(os.fsencode(tree) + b"/\xff\xfe.png", "wb"):
        pass
    deep = "/".join(["가" * 80] * 5)
    write(tree, {f"{deep}/x.txt": b"x"})
    task = run(target)
    assert task.result["skipped"] == 2
    assert {why for _path, why in task.result["lists"]["skipped"]} == {
        "the name is not UTF-8", "the path is too long",
    }  # fmt: skip
    assert content(nas) == FILES


def test_the_limit_holds(make: Callable[..., MirrorTarget], tree: Path, nas: Path, transactional_db: None) -> None:
    write(tree, {f"big/{n}.bin": b"x" * 500_000 for n in range(6)})
    target = make(path=str(nas), limit_mb=2.0)
    began = time.monotonic()
    task = run(target)
    seconds = time.monotonic() - began
    assert task.result["bytes"] > 3_000_000
    assert 1.2 < seconds < 8, seconds


def test_a_storage_with_coarse_times_is_compared_as_coarsely(target: MirrorTarget, nas: Path) -> None:
    run(target)
    for path in [p for p in nas.rglob("*") if p.is_file()]:
        stamp = path.stat().st_mtime_ns // 1_000_000_000 * 1_000_000_000
        os.utime(path, ns=(stamp, stamp))
    assert counts(run(target), "same", "conflict") == (7, 0)


def test_old_temporary_files_of_ours_are_taken_away(target: MirrorTarget, nas: Path) -> None:
    run(target)
    left = nas / "export/final/.aip-0badcafe-0123456789abcdef.part"
    left.write_bytes(b"half")
    assert run(target, dry_run=True).state == "succeeded"
    assert left.exists()
    assert run(target).result["extra"] == 0
    assert not left.exists()


def refused(target: MirrorTarget) -> str:
    task: LedgerTask = run(target)
    assert task.state == "failed"
    assert target.last_state == RunState.FAILED
    assert target.last_message == task.error
    return task.error


def test_a_mount_that_is_away_is_never_filled(target: MirrorTarget, nas: Path, tmp_path: Path) -> None:
    run(target)
    os.rename(nas, tmp_path / "elsewhere")
    assert "not mounted" in refused(target)
    nas.mkdir()  # the mount point itself
    assert "not mounted" in refused(target)
    assert list(nas.iterdir()) == []
    nas.rmdir()
    os.rename(tmp_path / "elsewhere", nas)
    assert run(target).state == "succeeded"
    assert target.failures == 0


def test_wrong_folders_are_refused(make: Callable[..., MirrorTarget], tree: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    write(full, {"holiday.jpg": b"x"})
    assert "is not empty and is no mirror (holiday.jpg" in refused(make(name="a", path=str(full)))
    (full / ".aip-mirror.json").write_text('{"project": "OTHER"}')
    assert "mirror of another project (OTHER)" in refused(MirrorTarget.objects.get(name="a"))
    assert "no folder" in refused(make(name="c", path=str(tmp_path / "none" / "mirror")))
    assert "is a file" in refused(make(name="d", path=str(full / "holiday.jpg")))
    os.symlink(tree / "assets", tmp_path / "inside")
    assert "overlaps" in refused(make(name="e", path=str(tmp_path / "inside")))
    assert content(full) == {"holiday.jpg": b"x"}


def test_the_folder_of_a_mirror_can_be_taken_up_again(
    make: Callable[..., MirrorTarget], target: MirrorTarget, nas: Path
) -> None:
    run(target)
    target.delete()
    new = make(path=str(nas))
    assert counts(run(new), "same", "copied") == (7, 0)
    assert new.marked


@pytest.mark.parametrize("known", [False, True])
def test_what_somebody_writes_there_during_the_copy_is_not_overwritten(
    target: MirrorTarget, tree: Path, nas: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """A large file is on its way for hours between the look at its place and the moment it is shown."""
    if known:
        run(target)
    later(tree / PNG, b"new")
    pour = PathStore._pour

    def slowly(self: PathStore, source: int, out: int) -> tuple[str, int]:
        found = pour(self, source, out)
        if os.fstat(source).st_ino == (tree / PNG).stat().st_ino:
            (nas / PNG).parent.mkdir(parents=True, exist_ok=True)
            (nas / PNG).write_bytes(b"somebody's own")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(PathStore, "_pour", slowly)
        task = run(target)
    assert (nas / PNG).read_bytes() == b"somebody's own"
    assert counts(task, "conflict") == (1,)
    assert target.last_state == RunState.ATTENTION
    assert list(nas.rglob(".aip-*.part")) == []
    assert counts(run(target), "conflict", "copied") == (1, 0)
