"""Trees that were cut off, edited wrongly, or made to do harm: a clear error, and nothing half-made."""

import json
import os
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from aipipeline.history.models import Action
from aipipeline.projects.errors import Conflict, Invalid, PipelineError
from aipipeline.projects.models import Membership, Project, User
from aipipeline.studio.rebuild.service import rebuild_project
from aipipeline.studio.tests.natural import models_of_the_studio
from assets.models import Character
from renders.models import Version
from renders.services.publishing import publish_files
from shots.models import Casting, Shot, StaleMark
from shots.services.confirm import confirm
from shots.services.tree.metadata import write_stale
from tests.factories import applied_project, picture
from timeline.services.edits import ensure_edit

pytestmark = pytest.mark.django_db
FIRST = "scenes/SCN_010/shots/SHT_0010"
META = f"{FIRST}/shot_meta.json"
Break = Callable[[Path], None]


@pytest.fixture
def root(project: Project, admin_user: Any, artist: Any, tmp_path: Path) -> Path:
    """The tree of a small project whose rows are gone."""
    Membership.objects.create(project=project, user=artist, role="director")
    shots = applied_project(project, admin_user)
    confirm(project=project, actor=admin_user)
    ensure_edit(project)
    shot = Shot.objects.select_related("project", "scene").get(pk=shots[0].pk)
    for number in (1, 2):
        image = picture(tmp_path / f"{number}.png", color=(number, 2, 3))
        publish_files(owner=shot, kind="previz", files={"a.png": image}, actor=artist, comment="첫")
    write_stale(project.pk)
    found = project.root
    Project.objects.get(pk=project.pk).delete()
    return found


def edited(name: str, **changes: Any) -> Break:
    """A metadata file with other values; a callable gets the old one."""

    def change(root: Path) -> None:
        facts = json.loads((root / name).read_text())
        for key, value in changes.items():
            facts[key] = value(facts.get(key)) if callable(value) else value
        (root / name).write_text(json.dumps(facts, ensure_ascii=True))

    return change


def replaced(name: str, data: bytes) -> Break:
    def change(root: Path) -> None:
        (root / name).write_bytes(data)

    return change


def claims_two_gigabytes(root: Path) -> None:
    os.truncate(root / META, 2 * 2**30)


def cut_off(root: Path) -> None:
    data = (root / META).read_bytes()
    (root / META).write_bytes(data[: len(data) // 2])


def linked(name: str) -> Break:
    def change(root: Path) -> None:
        (root / name).rename(root.parent / "elsewhere")
        (root / name).symlink_to(root.parent / "elsewhere")

    return change


def behind_a_pipe(root: Path) -> None:
    (root / META).unlink()
    os.mkfifo(root / META)


def gone(name: str) -> Break:
    return lambda root: (root / name).unlink()


def row(**values: Any) -> Callable[[Any], Any]:
    """The first object of a list with other values."""
    return lambda rows: [{**rows[0], **values}, *rows[1:]]


# By what was done: the break, and words that the answer must hold.
BREAKS: dict[str, tuple[Break, tuple[str, ...]]] = {
    "cut off": (cut_off, (META, "not valid JSON", "put it back")),
    "empty": (replaced(META, b""), (META, "not valid JSON")),
    "no UTF-8": (replaced(META, b'{"schema": 2, "x": "\xff"}'), (META, "not valid JSON")),
    "a list": (replaced(META, b"[1]"), (META, "object")),
    "nested deep": (replaced(META, b"[" * 200_000), (META, "not valid JSON")),
    "a number that no database holds": (edited(META, seed=10**40), (META, "too large")),
    "NaN": (replaced(META, b'{"schema": 2, "seed": NaN}'), (META, "not valid JSON")),
    "two gigabytes": (claims_two_gigabytes, (META, "2048 MB")),
    "a link": (linked(META), (META, "is a link")),
    "a linked folder": (linked("scenario"), ("scenario_meta.json is missing",)),
    "a pipe": (behind_a_pipe, (META, "no plain file")),
    "schema 1": (edited(META, schema=1), (META, "schema 1", "Confirm the project once more")),
    "a newer schema": (edited(META, schema=3), (META, "newer studio")),
    "no schema": (edited(META, schema=True), (META, "says no schema")),
    "another kind": (edited(META, kind="scene"), (META, "of the kind 'scene'")),
    "no project file": (gone("project_config.json"), ("project_config.json is missing", "no production tree")),
    "no cut": (gone("edit/timeline_state.json"), ("edit/timeline_state.json is missing",)),
    "no scenario": (gone("scenario/scenario_meta.json"), ("scenario/scenario_meta.json is missing",)),
    "NUL": (edited(META, action="a\x00b"), (META, "NUL")),
    "half a character": (edited(META, action="\ud800"), (META, "Unicode")),
    "a code of 300 characters": (edited(META, code="S" * 300), (META, "code", "40")),
    "no code": (edited(META, code=None), (META, "code", "a value is needed")),
    "a text that is a list": (edited(META, action=["x"]), (META, "action", "a text is needed")),
    "a number that is a text": (edited(META, duration_frames="12"), (META, "duration_frames", "whole number")),
    "minus one frame": (edited(META, duration_frames=-1), (META, "duration_frames")),
    "no such size": (edited(META, size="XXL"), (META, "size", "choices")),
    "a moment without a zone": (edited(META, created_at="2026-01-01T00:00:00"), (META, "created_at", "time zone")),
    "casting that is no list": (edited(META, casting={"a": 1}), (META, "casting", "list of objects")),
    "one character twice": (edited(META, casting=lambda rows: [rows[0], rows[0]]), (META, "casting[1]", "twice")),
    "one code twice": (edited(META, code="SHT_0020"), ("SHT_0020", "Take one of the two")),
    "cells that are a text": (edited(META, custom="x"), (META, "custom", "object")),
    "a place outside": (edited(META, left=["../../etc"]), (META, "left", "below the project")),
    "an absolute place": (edited(META, left=["/etc"]), (META, "left", "below the project")),
    "an unknown state": (edited(META, place={"state": "burnt"}), (META, "place", "state")),
    "a script outside": (
        edited("scenario/scenario_meta.json", scenarios=row(text_file="../../../etc/passwd")), ("no file name",),
    ),
    "a script that is gone": (
        edited("scenario/scenario_meta.json", scenarios=row(text_file="x.txt")), ("scenario/x.txt is missing",),
    ),
    "an unknown kind": (
        edited("project_config.json", without_folder={"ghost": []}), ("without_folder.ghost", "no such kind"),
    ),
    "a row without a folder that is none": (
        edited("project_config.json", without_folder={"shot": [3]}), ("without_folder.shot", "list of objects"),
    ),
    "an impossible user": (
        edited("project_config.json", members=row(user="a/../b c")), ("members[0]", "no user name"),
    ),
    "a role that is none": (edited("project_config.json", members=row(role="god")), ("members[0]", "role")),
    "a frame rate that is none": (edited("project_config.json", fps="1000"), ("fps", "choices")),
    "two current cuts": (
        edited("edit/timeline_state.json", edits=lambda rows: [rows[0], {**rows[0], "tracks": []}]),
        ("timeline_state.json", "two edits"),
    ),
    "a clip with a place of its own": (
        edited("edit/timeline_state.json", edits=row(tracks=[
            {"kind": "video", "name": "V1", "index": 1, "clips": [{"shot": "SHT_0010", "record_in": 3}]},
        ])),
        ("clips[0]", "no place"),
    ),
}  # fmt: skip


def counts() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in models_of_the_studio()}


def test_what_is_wrong_is_named_and_nothing_is_made(root: Path, admin_user: Any, tmp_path: Path) -> None:
    before = counts()
    for name, (harm, words) in BREAKS.items():
        copy = tmp_path / "copies" / name.replace(" ", "_") / root.name
        shutil.copytree(root, copy, symlinks=True)
        harm(copy)
        with pytest.raises(PipelineError) as caught:
            rebuild_project(path=copy, actor=admin_user)
        told = " ".join([str(caught.value), *caught.value.details.get("problems", [])])
        assert [word for word in words if word not in told] == [], f"{name}: {told}"
        assert counts() == before, name
    # The same tree, unharmed, is taken.
    assert rebuild_project(path=root, actor=admin_user).problems == []


def test_what_does_not_fit_is_left_out_and_told(root: Path, admin_user: Any) -> None:
    shutil.copytree(root / FIRST, root / f"{FIRST} 복사본")
    edited(META, preset="없는 프리셋", custom={"c9": 1})(root)
    edited(META, casting=lambda rows: [*rows, {"character": "유령", "order": 9}])(root)
    (root / "scenes/link").symlink_to(root / "assets")
    sealed = root / FIRST / "previz/v001"
    (sealed / json.loads((sealed / "version.json").read_text())["files"][0]["name"]).write_bytes(b"cut")
    edited(META, versions=lambda rows: [rows[0]])(root)
    edited("edit/timeline_state.json", edits=row(tracks=[]))(root)
    # What waits to be adopted is nobody's version yet.
    shutil.copytree(root / FIRST / "previz/v002", root / FIRST / "drop/v009")
    edited(f"{FIRST}/drop/v009/version.json", number=9)(root)
    report = rebuild_project(path=root, actor=admin_user)
    told = "\n".join(report.warnings)
    for words in (
        "복사본",
        "없는 프리셋",
        "custom.c9",
        "유령",
        "scenes/link",
        "v001",
        "not whole",
        "v002/version.json",
    ):
        assert words in told
    shot = Shot.objects.get(code="SHT_0010")
    assert (shot.preset, shot.custom) == (None, {})
    assert not Casting.objects.filter(character__name="유령").exists()
    # Published just before everything stopped: its folder is whole, its owner's file had not heard of it.
    version = Version.objects.get(shot=shot)
    assert (version.number, version.state, version.status) == (2, "published", "pending")
    assert version.file().is_file()
    # The owner's file is written anew, since it tells less than there is.
    assert [mark.what for mark in StaleMark.objects.all()] == ["shot"]


def test_a_version_cannot_name_files_outside_its_folder(root: Path, admin_user: Any) -> None:
    (root.parent / "secret").write_bytes(b"12345")
    for number, name in ((1, "../../../../../../../secret"), (2, "/etc/hostname")):
        path = root / FIRST / f"previz/v00{number}/version.json"
        facts = json.loads(path.read_text())
        facts["files"] = [{"name": name, "size": 5, "sha256": ""}]
        path.write_text(json.dumps(facts))
    report = rebuild_project(path=root, actor=admin_user)
    assert not Version.objects.exists()
    assert sum("not whole" in line for line in report.warnings) == 2


def test_the_code_is_the_name_of_the_folder(root: Path, admin_user: Any, project: Project) -> None:
    # The fixture's project is gone; somebody made another of the same code since.
    other = Project.objects.create(code="test", title="다른 것")
    before = counts()
    with pytest.raises(Conflict, match="--code"):
        rebuild_project(path=root, actor=admin_user)
    with pytest.raises(Invalid, match=r"Rename .* to NEW first"):
        rebuild_project(path=root, actor=admin_user, code="NEW")
    moved = root.rename(root.with_name("NEW"))
    with pytest.raises(Invalid, match="--code NEW"):
        rebuild_project(path=moved, actor=admin_user)
    for bad in ("/", "/nowhere/at/all", "a\x00b"):
        with pytest.raises(PipelineError):
            rebuild_project(path=Path(bad), actor=admin_user)
    assert counts() == before
    report = rebuild_project(path=moved, actor=admin_user, code="NEW")
    made = Project.objects.get(code="NEW")
    assert (report.code, made.root, other.code) == ("NEW", moved, "test")
    assert Version.objects.filter(project=made).count() == 2
    assert all(version.file().is_file() for version in Version.objects.filter(project=made))


def test_a_tree_elsewhere_stays_where_it_is(root: Path, admin_user: Any, tmp_path: Path) -> None:
    away = tmp_path / "nas" / root.name
    away.parent.mkdir()
    root.rename(away)
    rebuild_project(path=away, actor=admin_user)
    assert Project.objects.get().root == away


def test_people_who_are_not_here_come_as_closed_accounts(root: Path, admin_user: Any) -> None:
    User.objects.filter(username="artist").delete()
    report = rebuild_project(path=root, actor=admin_user)
    made = User.objects.get(username="artist")
    assert report.people == ["artist"]
    assert (made.display_name, made.is_active, made.has_usable_password()) == ("아티스트", False, False)
    assert Membership.objects.get(user=made).role == "director"
    assert {version.created_by for version in Version.objects.all()} == {made}


def test_a_dry_run_counts_and_makes_nothing(root: Path, admin_user: Any) -> None:
    User.objects.filter(username="artist").delete()
    before = counts()
    report = rebuild_project(path=root, actor=admin_user, dry_run=True)
    assert report.counts["shots"] == len(list(root.rglob("shot_meta.json"))) > 0
    assert counts() == before
    edited(META, size="XXL")(root)
    assert "size" in rebuild_project(path=root, actor=admin_user, dry_run=True).problems[0]
    assert counts() == before


def test_the_command_says_what_it_did(root: Path, admin_user: Any) -> None:
    out, err = StringIO(), StringIO()
    call_command("rebuild_from_tree", str(root), "--dry-run", stdout=out, stderr=err)
    assert "would be made" in out.getvalue()
    assert "Making the rows" in err.getvalue()
    with pytest.raises(SystemExit) as stopped:
        call_command("rebuild_from_tree", str(root), "--user", "nobody", stdout=out, stderr=err)
    assert stopped.value.code == 2
    cut_off(root)
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("rebuild_from_tree", str(root), "--json", stdout=out, stderr=err)
    assert stopped.value.code == 2
    assert META in json.loads(out.getvalue())["error"]["details"]["problems"][0]
    assert not Action.objects.filter(kind="project.rebuild").exists()


def test_the_command_makes_the_project(root: Path, admin_user: Any) -> None:
    out = StringIO()
    call_command("rebuild_from_tree", str(root), "--json", stdout=out, stderr=StringIO())
    told = json.loads(out.getvalue())
    assert (told["code"], told["problems"], told["dry_run"]) == ("TEST", [], False)
    action = Action.objects.get(kind="project.rebuild")
    assert (action.actor, action.project) == (admin_user, Project.objects.get(code="TEST"))
    assert Character.objects.filter(name="리나").exists()
