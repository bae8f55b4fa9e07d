"""Dropped files become versions, once, whole, and are never lost; what is no good stays with the reason."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aipipeline.media.files import sha256_file
from assets.models import Character
from renders.models import Version
from renders.services import adopting, publishing
from renders.services.adopting import AdoptReport, adopt_dropped
from renders.services.publishing import publish_files
from shots.models import Folder, Shot
from shots.services.confirm import confirm
from tests.factories import applied_project, picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def soon_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopting, "STILL_SECONDS", 0.1)


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Shot:
    shot = applied_project(project, admin_user)[0]
    confirm(project=project, actor=admin_user)
    return shot


@pytest.fixture
def drop(shot: Shot) -> Path:
    return shot.project.root / Folder.objects.get(shot=shot).path / "drop"


def put(path: Path, *, color: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return picture(path, color=(color, 0, 0))


def reasons(report: AdoptReport) -> dict[str, str]:
    return {item["path"].rpartition("/")[2]: item["reason"] for item in report.left}


def test_kinds_come_from_the_folder_the_name_and_the_person(
    shot: Shot, drop: Path, admin_user: Any, tmp_path: Path
) -> None:
    put(drop / "render" / "아무거나.png", color=1)
    put(drop / "Comp" / "deeper" / "b.png", color=2)
    put(drop / f"TEST_SCN_010_{shot.code}_previz_v007_밝게.png", color=3)
    unclear = put(drop / "리나 최종.png", color=4)
    report = adopt_dropped(project=shot.project, actor=admin_user)
    assert report.counts == {"adopted": 3, "cleared": 0, "left": 1}
    assert "Choose a kind" in reasons(report)["리나 최종.png"]
    found = {v.kind: v for v in Version.objects.filter(shot=shot)}
    assert set(found) == {"render", "comp", "previz"}
    # The number is the next one, whatever the name says; its remark is kept.
    assert (found["previz"].number, found["previz"].comment) == (1, "밝게")
    assert found["render"].provenance["original_name"] == "아무거나.png"
    assert found["render"].provenance["dropped"].endswith("drop/render/아무거나.png")
    assert found["render"].created_by == admin_user
    assert [path.name for path in drop.rglob("*.png")] == ["리나 최종.png"]

    path = unclear.relative_to(shot.project.root).as_posix()
    report = adopt_dropped(project=shot.project, actor=admin_user, files=[{"path": path, "kind": "final"}])
    assert [item["label"] for item in report.adopted] == [f"{shot.code} · final · v001"]
    assert not unclear.exists()
    assert adopt_dropped(project=shot.project, actor=admin_user).counts == AdoptReport().counts


def test_references_of_characters(shot: Shot, admin_user: Any) -> None:
    who = Character.objects.get(name="리나")
    folder = shot.project.root / Folder.objects.get(character=who).path
    put(folder / "drop" / "a.png", color=1)
    put(folder / "reference" / "b.png", color=2)
    (folder / "reference" / "latest.json").write_text("{}")
    report = adopt_dropped(project=shot.project, actor=admin_user)
    assert report.counts == {"adopted": 2, "cleared": 0, "left": 0}
    assert [v.number for v in Version.objects.filter(character=who, kind="reference")] == [2, 1]
    assert (folder / "reference" / "latest.json").exists()


def test_what_is_no_good_stays_with_the_reason(shot: Shot, drop: Path, admin_user: Any, tmp_path: Path) -> None:
    render = drop / "render"
    render.mkdir(exist_ok=True)
    (render / "broken.png").write_bytes(b"no picture")
    (render / "empty.png").touch()
    (render / "virus.exe").write_bytes(b"MZ")
    put(render / f"TEST_SCN_010_{Shot.objects.exclude(pk=shot.pk)[0].code}_render_v001.png")
    (render / "huge.mov").touch()
    os.truncate(render / "huge.mov", 3 * 1024**3)
    with open(os.fsencode(render) + b"/\xff.png", "wb") as file:
        file.write(b"x")
    (render / "link.png").symlink_to(put(tmp_path / "secret.png"))
    os.mkfifo(render / "pipe.png")
    (drop / "linked").symlink_to(tmp_path)
    (render / ".hidden.png").write_bytes(b"x")
    before = {path.name for path in drop.rglob("*")}
    report = adopt_dropped(project=shot.project, actor=admin_user)
    assert {path.name for path in drop.rglob("*")} == before
    assert not Version.objects.exists()
    said = reasons(report)
    assert set(said) == {"broken.png", "empty.png", "virus.exe", "huge.mov", "?.png"} | {
        name for name in before if name.startswith("TEST_")
    }  # fmt: skip
    assert "cannot be read back" in said["broken.png"]
    assert "Rename" in said["?.png"]
    assert any("Move or rename it" in reason for name, reason in said.items() if name.startswith("TEST_"))


def test_paths_that_are_no_dropped_files_are_refused(shot: Shot, drop: Path, admin_user: Any, tmp_path: Path) -> None:
    version = publish_files(
        owner=shot, kind="previz", files={"a.png": picture(tmp_path / "a.png")}, actor=admin_user
    )  # fmt: skip
    (drop / "link.png").symlink_to(version.file())
    at = drop.relative_to(shot.project.root).as_posix()
    wrong = [
        f"{version.path}/{version.file().name}", f"{at}/../previz/v001/{version.file().name}", str(version.file()),
        f"{at}/link.png", f"{at}/none.png", at, "", "a\x00b", "/etc/passwd", "x" * 9000, f"{at}/..",
        "shot_meta.json", f"{at}/\ud800.png",
    ]  # fmt: skip
    report = adopt_dropped(project=shot.project, actor=admin_user, files=[{"path": p, "kind": "render"} for p in wrong])
    assert report.counts == {"adopted": 0, "cleared": 0, "left": len(wrong)}
    assert all(item["reason"] for item in report.left)
    assert Version.objects.count() == 1
    assert version.file().is_file()


def test_a_file_that_still_grows_is_left(shot: Shot, drop: Path, admin_user: Any) -> None:
    (drop / "render").mkdir(exist_ok=True)
    growing = drop / "render" / "grows.png"
    growing.write_bytes(b"x")
    stop = threading.Event()

    def grow() -> None:
        with open(growing, "ab", buffering=0) as file:
            while not stop.wait(0.01):
                file.write(b"x")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        report = adopt_dropped(project=shot.project, actor=admin_user)
    finally:
        stop.set()
        writer.join()
    assert "still being written" in reasons(report)["grows.png"]
    assert growing.exists()


def test_a_file_that_a_silent_program_holds_open_is_left(shot: Shot, drop: Path, admin_user: Any) -> None:
    """A renderer may be silent for minutes between two frames: what it writes then must not go into a deleted file."""
    file = put(drop / "render" / "slow.png")
    with open(file, "ab") as writer:
        report = adopt_dropped(project=shot.project, actor=admin_user)
        assert "still being written" in reasons(report)["slow.png"]
        assert report.left[0]["later"]
        writer.write(b" ")
    assert file.read_bytes().endswith(b" ")
    assert adopt_dropped(project=shot.project, actor=admin_user).counts["adopted"] == 1


def test_a_file_that_is_written_to_while_it_is_copied_is_no_version(
    shot: Shot, drop: Path, admin_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(drop / "render" / "a.png")
    copy = publishing._copy

    def disturbed(source: Any, target: Path) -> None:
        copy(source, target)
        with open(file, "ab") as out:
            out.write(b"more")

    monkeypatch.setattr(publishing, "_copy", disturbed)
    report = adopt_dropped(project=shot.project, actor=admin_user)
    assert "still being written" in reasons(report)["a.png"]
    assert not Version.objects.exists()
    assert file.read_bytes().endswith(b"more")
    assert list(shot.project.root.rglob(".tmp-*")) == []


def test_after_a_crash_the_published_file_is_only_taken_out(
    shot: Shot, drop: Path, admin_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(drop / "render" / "a.png")
    digest = sha256_file(file)

    def crash(*_args: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(adopting, "_take_out", crash)
        with pytest.raises(KeyboardInterrupt):
            adopt_dropped(project=shot.project, actor=admin_user)
    assert file.exists()
    report = adopt_dropped(project=shot.project, actor=admin_user)
    assert report.counts == {"adopted": 0, "cleared": 1, "left": 0}
    version = Version.objects.get(shot=shot)
    assert sha256_file(version.file()) == digest
    assert not file.exists()
    # When the version lost its file, the dropped one is the only copy: it is not cleared but published anew.
    put(drop / "render" / "a.png")
    version.file().write_bytes(b"broken")
    assert adopt_dropped(project=shot.project, actor=admin_user).counts["adopted"] == 1


def test_a_file_put_in_its_place_meanwhile_is_not_taken_out(
    shot: Shot, drop: Path, admin_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(drop / "render" / "a.png", color=1)
    take_out = adopting._take_out

    def replaced(*args: Any) -> bool:
        file.unlink()
        put(file, color=2)
        return take_out(*args)

    with monkeypatch.context() as patched:
        patched.setattr(adopting, "_take_out", replaced)
        assert adopt_dropped(project=shot.project, actor=admin_user).counts["adopted"] == 1
    assert Image.open(file).convert("RGB").getpixel((0, 0)) == (2, 0, 0)
    assert adopt_dropped(project=shot.project, actor=admin_user).counts["adopted"] == 1
    assert Version.objects.filter(shot=shot).count() == 2


def test_a_file_is_not_moved_into_an_older_time(shot: Shot, drop: Path, admin_user: Any) -> None:
    """Copying tools keep the times of the source: an old file that came just now is taken like any other."""
    file = put(drop / "render" / "a.png")
    os.utime(file, (time.time() - 10**7, time.time() - 10**7))
    assert adopt_dropped(project=shot.project, actor=admin_user).counts["adopted"] == 1
