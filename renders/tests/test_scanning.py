"""The scan names everything that differs between disk and database, and touches nothing."""

import os
from pathlib import Path
from typing import Any

import pytest

from aipipeline.media.storage import StorageError
from assets.models import Character
from renders.models import Version, VersionState
from renders.services import numbering, scanning, sealing
from renders.services.publishing import publish_files
from renders.services.scanning import scan_tree
from shots.models import Folder, Shot
from shots.services.confirm import confirm
from shots.services.editing import remove_shots
from shots.services.tree.metadata import write_stale
from tests.factories import applied_project, picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    shots = applied_project(project, admin_user)
    confirm(project=project, actor=admin_user)
    project.refresh_from_db()
    return shots


def publish(shot: Any, actor: Any, tmp_path: Path, kind: str = "previz") -> Version:
    return publish_files(owner=shot, kind=kind, files={"a.png": picture(tmp_path / "a.png")}, actor=actor)


def nothing() -> dict[str, int]:
    return dict.fromkeys(scanning.Finding.values, 0)


def state_of(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in root.rglob("*")}


def test_a_tree_that_agrees_has_no_findings(project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path) -> None:
    publish(shots[0], admin_user, tmp_path)
    publish(Character.objects.get(name="리나"), admin_user, tmp_path, "reference")
    write_stale(project.pk)
    report = scan_tree(project, deep=True)
    assert (report.counts, report.versions) == (nothing(), 2)
    assert report.folders > 20


def test_what_lies_on_the_disk_unknown(project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path) -> None:
    version = publish(shots[0], admin_user, tmp_path)
    write_stale(project.pk)
    shot = project.root / Folder.objects.get(shot=shots[0]).path
    (shot / "render/v007").mkdir()
    (shot / "render/loose.png").write_bytes(b"x")
    (shot / "render/.tmp-abc").mkdir()
    (shot / "render/.DS_Store").write_bytes(b"x")
    (shot / "drop/리나.png").write_bytes(b"xy")
    (shot / "drop/render").mkdir()
    (shot / "drop/render/b.mov").write_bytes(b"x")
    (shot / "my stuff").mkdir()
    (shot / "my stuff/deep.txt").write_bytes(b"x")
    (version.folder / "note.txt").write_bytes(b"x")
    (project.root / "scenes/SCN_999").mkdir()
    (project.root / "mine").mkdir()
    (project.root / "edit/proxy/x.mp4").write_bytes(b"x")  # a room of its own
    (shot / "comp").rmdir()
    (shot / "comp").symlink_to(tmp_path)
    (tmp_path / "v001").mkdir()
    before = state_of(project.root)
    report = scan_tree(project)
    assert state_of(project.root) == before
    at = shot.relative_to(project.root).as_posix()
    assert {kind: [item["path"] for item in found] for kind, found in report.found.items() if found} == {
        "dropped": [f"{at}/drop/리나.png", f"{at}/drop/render/b.mov"],
        "unknown_version": [f"{at}/render/v007"],
        "unknown_file": [f"{version.path}/note.txt", f"{at}/render/loose.png"],
        "unknown_folder": ["mine", "scenes/SCN_999", f"{at}/my stuff"],
        "link": [f"{at}/comp"],
    }
    assert report.found["dropped"][0]["size"] == 2


def test_what_the_database_has_and_the_disk_has_not(
    project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path
) -> None:
    gone, torn, grown, changed, linked, fine = [publish(shots[n % 2], admin_user, tmp_path) for n in range(6)]
    write_stale(project.pk)
    for path in [*gone.folder.iterdir(), torn.file()]:
        path.unlink()
    gone.folder.rmdir()
    grown.file().write_bytes(b"other")
    data = bytearray(changed.file().read_bytes())
    data[-1] ^= 1
    changed.file().write_bytes(data)
    linked.file().rename(tmp_path / "elsewhere.png")
    linked.file().symlink_to(tmp_path / "elsewhere.png")
    report = scan_tree(project)
    found = {kind: [item["version"] for item in items] for kind, items in report.found.items() if items}
    assert found == {
        "missing_folder": [gone.pk], "missing_file": [torn.pk, linked.pk], "changed_file": [grown.pk],
        "link": [linked.pk],
    }  # fmt: skip
    deep = scan_tree(project, deep=True)
    assert [item["version"] for item in deep.found["changed_file"]] == [grown.pk, changed.pk]
    assert fine.pk not in {item.get("version") for items in deep.found.values() for item in items}


def test_half_made_versions_are_told_apart(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    whole, half = numbering.reserve(shots[0], "previz"), numbering.reserve(shots[0], "previz")
    staged = sealing.stage(shots[0], "previz", "t")
    sealing.seal(whole, staged, [picture(staged.folder / "a.png")], {})
    half.folder.mkdir()
    (half.folder / "a.png").write_bytes(b"x")
    Version.objects.filter(pk=half.pk).update(state=VersionState.DEAD)
    report = scan_tree(project)
    assert report.counts == {**nothing(), "half_made": 1}
    assert report.found["half_made"] == [{"path": half.path, "version": half.pk}]


def test_names_that_are_no_text_and_folders_that_cannot_be_read(
    project: Any, admin_user: Any, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = project.root / Folder.objects.get(shot=shots[0]).path
    with open(os.fsencode(shot) + b"/drop/\xff\xfe.png", "wb"):
        pass
    (shot / "drop/a\nb.png").write_bytes(b"x")
    deep = shot / "drop"
    for n in range(scanning.DEEPEST + 2):
        deep = deep / str(n)
    deep.mkdir(parents=True)
    scandir = os.scandir

    def refuse(path: Any = ".") -> Any:
        if str(path).endswith("/final"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = scan_tree(project)
    paths = [item["path"].rpartition("/")[2] for item in report.found["dropped"]]
    assert sorted(paths) == ["??.png", "a\nb.png"]
    assert report.counts["unreadable"] == len(shots) + 1
    assert {item["note"] for item in report.found["unreadable"]} == {
        "Permission denied", "Folders lie too deep in one another.",
    }  # fmt: skip


def test_only_the_first_of_many_are_kept_and_all_are_counted(
    project: Any, admin_user: Any, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "MOST", 10)
    drop = project.root / Folder.objects.get(shot=shots[0]).path / "drop"
    for n in range(25):
        (drop / f"{n}.png").touch()
    report = scan_tree(project)
    assert report.counts["dropped"] == 25
    assert len(report.found["dropped"]) == 10


def test_a_removed_shot_keeps_its_versions_known(
    project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path
) -> None:
    publish(shots[0], admin_user, tmp_path)
    Shot.objects.filter(pk=shots[0].pk).update(locked=False)
    remove_shots(project=project, actor=admin_user, ids=[shots[0].pk])
    confirm(project=project, actor=admin_user)
    write_stale(project.pk)
    assert scan_tree(project).counts == nothing()


def test_a_storage_that_is_away_is_told_once(project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path) -> None:
    publish(shots[0], admin_user, tmp_path)
    project.root.rename(tmp_path / "away")
    with pytest.raises(StorageError):
        scan_tree(project)
    Version.objects.all().delete()
    assert scan_tree(project).counts == nothing()


def test_it_can_be_stopped(project: Any, shots: list[Shot]) -> None:
    class Stopped(Exception):
        pass

    def stop(_value: float, _text: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        scan_tree(project, progress=stop)
