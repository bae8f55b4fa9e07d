"""What a version is called and where it goes, whatever the upload is named and whatever stands in its place."""

import json
import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from aipipeline.media.storage import StorageError
from renders.models import JobState, RenderJob, Version, VersionState
from renders.runner import gather_inputs
from renders.services import control, numbering, queue, recovery, sealing
from renders.services.jobs import render_shots
from renders.services.publishing import PublishError, publish_files
from shots.models import Shot
from shots.services import editing
from shots.services.tree.disk import InTheWay
from tests.factories import applied_project, picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
HOSTILE = [
    "../../etc/passwd.png", "..\\..\\x.png", "/etc/cron.d/x.png", "C:\\Windows\\x.png", "a\x00b.png", "a\nb.png",
    "가" * 300 + ".png", "CON.png", "nul.png", "x. .png", "...png", ".hidden.png", "version.json.png", " .png",
    "\ud800.png", "a\u202egnp.png", "리나 최종(진짜).png", "A" * 10_000 + ".png",
]  # fmt: skip


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Shot:
    return editing.create_shot(project=project, actor=admin_user, description="밤")


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")} if folder.exists() else set()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_harmless(shot: Shot, admin_user: Any, tmp_path: Path, name: str) -> None:
    image = picture(tmp_path / "a.png")
    version = publish_files(owner=shot, kind="previz", files={name: image}, actor=admin_user)
    version.refresh_from_db()
    assert version.file().name == f"TEST_{shot.code}_previz_v001.png"
    assert sorted(path.name for path in version.folder.iterdir()) == [version.file().name, "version.json"]
    # The original name is kept as text that any page and any database can take.
    original = version.provenance["original_name"]
    assert original.isprintable()
    assert len(original) <= 255
    assert not set(original) & set("/\\\x00\n")
    assert {path.parent.name for path in shot.project.root.rglob("*.png")} == {"v001"}
    if name == "리나 최종(진짜).png":
        assert original == name


def test_other_files_keep_names_that_every_system_takes(shot: Shot, admin_user: Any, tmp_path: Path) -> None:
    image = picture(tmp_path / "a.png")
    names = ["main.png", "../clean.png", "CLEAN.png", "version.json", "aux.png", "TEST_SHT_0010_previz_v001.png"]
    version = publish_files(owner=shot, kind="previz", files=dict.fromkeys(names, image), actor=admin_user)
    found = [entry["name"] for entry in version.manifest]
    assert found[1:5] == ["clean.png", "CLEAN-2.png", "version-2.json", "_aux.png"]
    assert len({name.casefold() for name in found}) == 6
    assert json.loads((version.folder / "version.json").read_text())["number"] == 1
    assert version.file("main.png") == version.file() == version.folder / found[0]
    with pytest.raises(FileNotFoundError):
        version.file("../x")


def test_the_template_of_the_project_names_the_file(shot: Shot, admin_user: Any, tmp_path: Path) -> None:
    shot.project.naming = {"file": "{shot}_{kind}_{version:04}<_{artist}>.{ext}", "version": "{kind}/{version:04}"}
    shot.project.save()
    version = publish_files(
        owner=shot, kind="render", files={"최종.PNG": picture(tmp_path / "a.png")}, actor=admin_user
    )
    assert version.path.endswith("/render/v0001")
    assert version.file().name == f"{shot.code}_render_v0001_admin.png"
    assert version.file_name == version.file().name


def test_a_template_that_changed_meanwhile(shot: Shot, admin_user: Any) -> None:
    staged = sealing.stage(shot, "previz", "t")
    file = picture(staged.folder / "a.png")
    shot.project.naming = {"version": "out/{kind}_{version}"}
    shot.project.save()
    version = numbering.reserve(shot, "previz")
    sealing.seal(version, staged, [file], {})
    assert version.path.endswith("/out/previz_v001")
    assert sealing.sealed_facts(version) is not None
    assert not staged.folder.exists()


def test_what_stands_in_the_place_is_left_and_the_version_steps_aside(
    shot: Shot, admin_user: Any, tmp_path: Path
) -> None:
    base = numbering.kind_folder(shot, "previz")
    (base / "v001").mkdir(parents=True)
    (base / "v001" / "mine.txt").write_text("x")
    image = picture(tmp_path / "a.png")
    assert publish_files(owner=shot, kind="previz", files={"a.png": image}, actor=admin_user).number == 2
    # After the number was given: somebody makes the folder, a file, a link in its place.
    for number, make in enumerate((Path.mkdir, Path.touch, lambda p: p.symlink_to(tmp_path)), 3):
        staged = sealing.stage(shot, "previz", "t")
        version = numbering.reserve(shot, "previz")
        assert version.number == 2 * number - 3
        make(version.folder)
        (tmp_path / "kept").touch()
        before = everything(base)
        sealing.seal(version, staged, [picture(staged.folder / "b.png")], {})
        assert version.number == 2 * number - 2
        assert before - {name for name in before if name.startswith(".tmp")} <= everything(base)
        facts = sealing.sealed_facts(version)
        assert facts is not None
        assert facts["files"][0]["name"].endswith(f"_v{version.number:03d}.png")
    assert (base / "v001" / "mine.txt").read_text() == "x"


def test_a_link_or_a_file_in_the_way_is_named(shot: Shot, admin_user: Any, tmp_path: Path) -> None:
    base = numbering.kind_folder(shot, "previz")
    base.parent.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    base.symlink_to(outside)
    image = picture(tmp_path / "a.png")
    for _case in ("link", "file"):
        with pytest.raises(InTheWay) as caught:
            publish_files(owner=shot, kind="previz", files={"a.png": image}, actor=admin_user)
        assert caught.value.path.endswith("/previz")
        base.unlink()
        base.touch()
    assert list(outside.iterdir()) == []
    assert not Version.objects.exists()


def test_inputs_are_found_by_the_names_that_engines_gave(project: Any, admin_user: Any) -> None:
    from renders import runner
    from renders.services.workers import register_worker

    shot = applied_project(project, admin_user)[0]
    render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")
    attempt = queue.claim(worker=register_worker(name="cpu@test"))
    assert attempt is not None
    runner.run_attempt(attempt.pk)
    (job,) = render_shots(project=project, actor=admin_user, shots=[shot], step="render")
    job.workflow.inputs = [
        {"role": "first_image", "kind": "previz", "also": {"clean_image": "clean.png", "main": "panel.png"}}
    ]
    files, _used = gather_inputs(job)
    main = Version.objects.get(shot=shot).file()
    assert files["first_image"] == files["main"] == main
    assert main.name.startswith("TEST_SCN_010_")
    assert files["clean_image"].name == "clean.png"


def sealed(shot: Shot, kind: str = "previz") -> Version:
    version = numbering.reserve(shot, kind)
    staged = sealing.stage(shot, kind, f"x{version.pk}")
    sealing.seal(version, staged, [picture(staged.folder / "a.png")], {})
    return version


def test_recovery_publishes_what_is_whole_and_gives_up_the_rest(shot: Shot, admin_user: Any) -> None:
    whole, torn, absent = sealed(shot), sealed(shot), numbering.reserve(shot, "previz")
    facts = sealing.sealed_facts(torn)
    assert facts is not None
    (torn.folder / facts["files"][0]["name"]).write_bytes(b"short")
    assert recovery.recover_versions().adopted == [whole.pk]
    assert recovery.recover_versions() == recovery.Recovered()  # the others may still be worked at
    Version.objects.update(created_at=Now() - timedelta(days=2))
    assert recovery.recover_versions().given_up == [torn.pk, absent.pk]
    assert torn.folder.exists()  # nothing on disk is lost
    states = {v.pk: v.state for v in Version.objects.all()}
    assert states == {
        whole.pk: VersionState.PUBLISHED, torn.pk: VersionState.DEAD, absent.pk: VersionState.DEAD,
    }  # fmt: skip
    assert numbering.reserve(shot, "previz").number == 4


def test_nothing_is_given_up_while_the_storage_is_away(shot: Shot, admin_user: Any) -> None:
    version = sealed(shot)
    Version.objects.update(created_at=Now() - timedelta(days=2))
    away = shot.project.root.with_name("away")
    shot.project.root.rename(away)
    assert recovery.recover_versions() == recovery.Recovered()
    away.rename(shot.project.root)
    assert recovery.recover_versions().adopted == [version.pk]


def test_a_version_of_an_open_job_is_left_to_its_next_try(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    (job,) = render_shots(project=project, actor=admin_user, shots=[shot], step="first_image")
    version = numbering.reserve_for_job(job)
    Version.objects.update(created_at=Now() - timedelta(days=2))
    assert recovery.recover_versions() == recovery.Recovered()
    RenderJob.objects.update(state=JobState.FAILED)
    project.root.mkdir(parents=True)
    assert recovery.recover_versions().given_up == [version.pk]
    # Tried again, the job takes a number of its own: the dead one stays a gap.
    control.retry_job(job=job, actor=None)
    assert numbering.reserve_for_job(job).number == version.number + 1


def test_a_manifest_that_was_edited_by_hand_is_not_believed(shot: Shot) -> None:
    version = sealed(shot)
    path = version.folder / "version.json"
    good = json.loads(path.read_text())
    size = (version.project.root.parent / "secret").write_text("x")
    wrong: list[Any] = [
        [], {}, None, {**good, "files": []}, {**good, "version": version.pk + 1}, {**good, "number": 9},
        {**good, "files": [{"name": "../../../../../../secret", "size": size}]}, {**good, "files": [{"name": 1}]},
        {**good, "files": [{"name": str(version.project.root.parent / "secret"), "size": size}]},
        {**good, "provenance": []},
    ]  # fmt: skip
    for facts in wrong:
        path.write_text(json.dumps(facts))
        assert sealing.sealed_facts(version) is None, facts
    path.write_bytes(b"\xff{")
    assert sealing.sealed_facts(version) is None
    path.write_text(json.dumps(good))
    assert sealing.sealed_facts(version) is not None


def test_only_old_temporary_things_of_nobody_are_swept(shot: Shot, admin_user: Any, tmp_path: Path) -> None:
    base = numbering.kind_folder(shot, "previz")
    old = time.time() - 2 * 86400
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in (".tmp-dead", ".tmp-live", ".tmp-filling", "v001", "not-ours"):
        (base / name).mkdir(parents=True)
        (base / name / "a.png").write_bytes(b"x")
    (base / ".latest.json.77.0a1b2c3d.part").write_bytes(b"x")
    (base / ".tmp-link").symlink_to(outside)
    (base / ".hidden").write_bytes(b"x")
    for path in [*base.iterdir(), *base.glob("*/a.png")]:
        os.utime(path, (old, old), follow_symlinks=False)
    os.utime(base / ".tmp-filling" / "a.png")
    os.utime(base / ".tmp-live")
    folder = base.relative_to(shot.project.root).as_posix()
    assert recovery.sweep() == [f"TEST/{folder}/{n}" for n in (
        ".latest.json.77.0a1b2c3d.part", ".tmp-dead", ".tmp-link",
    )]  # fmt: skip
    assert outside.is_dir()
    left = {path.name for path in base.iterdir()}
    assert left == {".tmp-live", ".tmp-filling", "v001", "not-ours", ".hidden"}


def test_no_files_is_no_version(shot: Shot, admin_user: Any) -> None:
    with pytest.raises(PublishError):
        publish_files(owner=shot, kind="previz", files={}, actor=admin_user)


def test_a_storage_that_hangs_holds_no_transaction(
    shot: Shot, admin_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite a transaction is everybody's: the question to the disk inside of it ends in time."""
    free, look = threading.Event(), os.path.lexists

    def hung(path: Any) -> bool:
        if str(path).endswith("v001"):
            free.wait(30)
        return look(path)

    monkeypatch.setattr(numbering, "STORAGE_SECONDS", 0.2)
    monkeypatch.setattr(os.path, "lexists", hung)
    try:
        with pytest.raises(StorageError, match="does not answer"):
            numbering.reserve(shot, "comp", created_by=admin_user)
    finally:
        free.set()
    assert not Version.objects.filter(shot=shot, kind="comp").exists()
    monkeypatch.undo()
    assert numbering.reserve(shot, "comp", created_by=admin_user).number == 1
