"""Confirm: the tree on disk, its metadata, the lock, and a second confirm that does nothing."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aipipeline.history.services import undo
from aipipeline.projects.errors import Invalid, PipelineError
from assets.models import Character
from assets.naming import safe_name
from shots.models import Folder, FolderState, Shot, StaleMark
from shots.services import editing
from shots.services.batch import apply_batch
from shots.services.confirm import TreeError, confirm
from shots.services.locks import unlock_shot
from shots.services.tree.metadata import write_stale
from shots.services.tree.planning import Fate, plan_tree
from shots.tests.tree import leftovers, picture_of, rows_of
from tests.factories import applied_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    return applied_project(project, admin_user)


def meta_of(root: Path, shot: Shot) -> dict[str, Any]:
    path = Folder.objects.exclude(state=FolderState.LEFT).get(shot=shot).path
    return dict(json.loads((root / path / "shot_meta.json").read_text()))


def test_the_tree_stands_and_a_second_confirm_writes_nothing(project: Any, admin_user: Any, shots: Any) -> None:
    first = confirm(project=project, actor=admin_user)
    folder = project.root / "scenes/SCN_010/shots" / shots[0].code
    meta = json.loads((folder / "shot_meta.json").read_text())
    assert (folder / "render").is_dir()
    assert (project.root / "assets/characters/CHR_리나/character_meta.json").is_file()
    assert meta["schema"] == 2
    assert meta["locked"] is True
    assert meta["casting"][0]["character"] == "리나"
    assert first.locked == [shot.code for shot in shots]
    assert leftovers(project.root) == []
    before, rows = picture_of(project.root), rows_of(project)
    again = confirm(project=project, actor=admin_user)
    assert (again.folders_made, again.files_written, again.locked) == (0, 0, [])
    assert (picture_of(project.root), rows_of(project)) == (before, rows)
    assert not StaleMark.objects.exists()


def test_what_the_lock_left_to_write_is_already_written(project: Any, admin_user: Any, shots: Any) -> None:
    confirm(project=project, actor=admin_user)
    before = picture_of(project.root)
    assert StaleMark.objects.exists()
    done = write_stale()
    assert (done.written, done.problems) == (0, {})
    assert picture_of(project.root) == before
    assert not StaleMark.objects.exists()


def test_a_locked_shot_keeps_its_structure_until_unlocked(project: Any, admin_user: Any, shots: Any) -> None:
    confirm(project=project, actor=admin_user)
    with pytest.raises(editing.Locked):
        editing.remove_shots(project=project, actor=admin_user, ids=[shots[0].pk])
    with pytest.raises(editing.Locked):
        editing.update_shots(project=project, actor=admin_user, items=[{"id": shots[0].pk, "fields": {"scene": None}}])
    editing.update_shots(project=project, actor=admin_user, items=[{"id": shots[0].pk, "fields": {"size": "CU"}}])
    with pytest.raises(Invalid):
        unlock_shot(shot=shots[0], actor=admin_user, reason=" ")
    unlock_shot(shot=shots[0], actor=admin_user, reason="구조 변경")
    assert editing.remove_shots(project=project, actor=admin_user, ids=[shots[0].pk])


def test_a_plan_says_beforehand_what_confirm_does(project: Any, admin_user: Any, shots: Any) -> None:
    plan = plan_tree(project)
    assert plan.counts[Fate.CREATE] == len(plan.entries)
    assert plan.to_lock == len(shots)
    assert not project.root.exists()
    report = confirm(project=project, actor=admin_user)
    assert report.folders_made == plan.folders_to_make
    assert {entry.path for entry in plan.entries} == {
        folder.path
        for folder in Folder.objects.filter(project=project)
        if folder.kind not in ("project", "edit", "scenario")
    }
    assert plan_tree(project).counts[Fate.SAME] == len(plan.entries)


def test_a_removed_shot_is_retired_and_undo_brings_it_back(project: Any, admin_user: Any, shots: Any) -> None:
    confirm(project=project, actor=admin_user)
    unlock_shot(shot=shots[0], actor=admin_user, reason="빼기")
    kept = project.root / Folder.objects.get(shot=shots[0]).path / "render" / "손으로.txt"
    kept.write_text("내 파일")
    editing.remove_shots(project=project, actor=admin_user, ids=[shots[0].pk], tab="t")
    assert plan_tree(project).counts[Fate.RETIRE] == 1
    report = confirm(project=project, actor=admin_user)
    assert report.retired == [Folder.objects.get(shot=shots[0]).path]
    assert meta_of(project.root, shots[0])["retired"] is True
    assert kept.read_text() == "내 파일"
    assert [folder.shot_id for folder in plan_tree(project).retired] == [shots[0].pk]
    before = picture_of(project.root)
    again = confirm(project=project, actor=admin_user)
    assert (again.files_written, again.retired, picture_of(project.root)) == (0, [], before)
    undo(project=project, actor=admin_user, tab="t")
    assert plan_tree(project).counts[Fate.REVIVE] == 1
    assert confirm(project=project, actor=admin_user).revived
    assert "retired" not in meta_of(project.root, shots[0])
    assert Folder.objects.get(shot=shots[0]).state == FolderState.ACTIVE
    assert kept.read_text() == "내 파일"


def test_a_removed_shot_whose_folder_is_gone_does_not_stop_a_confirm(project: Any, admin_user: Any, shots: Any) -> None:
    confirm(project=project, actor=admin_user)
    unlock_shot(shot=shots[0], actor=admin_user, reason="빼기")
    editing.remove_shots(project=project, actor=admin_user, ids=[shots[0].pk])
    shutil.rmtree(project.root / Folder.objects.get(shot=shots[0]).path)
    assert confirm(project=project, actor=admin_user).retired
    assert confirm(project=project, actor=admin_user).files_written == 0


def test_new_and_chosen_shots_come_into_the_tree_without_the_others(project: Any, admin_user: Any, shots: Any) -> None:
    report = confirm(project=project, actor=admin_user, shots=[shots[0].pk])
    assert report.locked == [shots[0].code]
    assert not (project.root / "scenes/SCN_020").exists()
    before = picture_of(project.root / "scenes/SCN_010/shots" / shots[0].code)
    (new,) = apply_batch(project=project, actor=admin_user, create=[{"fields": {"scene": shots[0].scene_id}}]).created
    report = confirm(project=project, actor=admin_user)
    assert set(report.locked) == {*(shot.code for shot in shots[1:]), new.code}
    assert picture_of(project.root / "scenes/SCN_010/shots" / shots[0].code) == before


def test_another_scene_or_template_renames_nothing_that_stands(project: Any, admin_user: Any, shots: Any) -> None:
    confirm(project=project, actor=admin_user)
    unlock_shot(shot=shots[0], actor=admin_user, reason="장면 이동")
    item = {"id": shots[0].pk, "fields": {"scene": shots[-1].scene_id}}
    editing.update_shots(project=project, actor=admin_user, items=[item])
    (entry,) = plan_tree(project).of(Fate.RENAMED)
    assert entry.path == f"scenes/SCN_010/shots/{shots[0].code}"
    assert entry.wanted == f"scenes/{shots[-1].scene.code}/shots/{shots[0].code}"
    assert confirm(project=project, actor=admin_user).renamed == [entry.path]
    assert (project.root / entry.path / "shot_meta.json").is_file()
    assert not (project.root / entry.wanted).exists()
    assert meta_of(project.root, shots[0])["scene"] == shots[-1].scene.code


def test_a_folder_taken_away_by_hand_is_made_again(project: Any, admin_user: Any, shots: Any) -> None:
    confirm(project=project, actor=admin_user)
    folder = project.root / "scenes/SCN_010/shots" / shots[0].code
    shutil.rmtree(folder)
    (entry,) = [entry for entry in plan_tree(project).entries if entry.absent]
    assert entry.row == shots[0]
    assert entry.note
    assert confirm(project=project, actor=admin_user).files_written == 1
    assert (folder / "render").is_dir()
    assert meta_of(project.root, shots[0])["code"] == shots[0].code


@pytest.mark.parametrize("kind", ["link", "file"])
@pytest.mark.parametrize("where", ["scenes", "scenes/SCN_010/shots/{code}", "edit/proxy"])
def test_what_stands_in_a_folders_place_is_named_and_nothing_written(
    project: Any, admin_user: Any, shots: Any, tmp_path: Path, kind: str, where: str
) -> None:
    confirm(project=project, actor=admin_user)
    folder = project.root / where.format(code=shots[0].code)
    shutil.move(folder, tmp_path / "away")
    if kind == "link":
        folder.symlink_to(tmp_path / "away")
    else:
        folder.write_text("x")
    unlock_shot(shot=shots[1], actor=admin_user, reason="x")
    before, rows = picture_of(tmp_path), rows_of(project)
    with pytest.raises(TreeError) as refused:
        confirm(project=project, actor=admin_user)
    assert where.format(code=shots[0].code) in str(refused.value)
    assert refused.value.details["conflicts"]
    assert (picture_of(tmp_path), rows_of(project)) == (before, rows)
    folder.unlink()
    shutil.move(tmp_path / "away", folder)
    assert confirm(project=project, actor=admin_user).locked == [shots[1].code]


def test_a_link_in_the_place_of_a_file_is_not_followed(
    project: Any, admin_user: Any, shots: Any, tmp_path: Path
) -> None:
    confirm(project=project, actor=admin_user)
    outside = tmp_path / "secret.json"
    outside.write_text("secret")
    meta = project.root / "scenes/SCN_010/shots" / shots[0].code / "shot_meta.json"
    meta.unlink()
    meta.symlink_to(outside)
    with pytest.raises(PipelineError, match=r"shot_meta\.json"):
        confirm(project=project, actor=admin_user)
    assert outside.read_text() == "secret"
    assert meta.is_symlink()


def test_plan_and_confirm_ask_as_often_for_many_shots_as_for_few(project: Any, admin_user: Any, shots: Any) -> None:
    def asked() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as planned:
            plan_tree(project)
        with CaptureQueriesContext(connection) as confirmed:
            confirm(project=project, actor=admin_user)
        return len(planned), len(confirmed)

    few = asked()
    rows = [{"fields": {"scene": shots[0].scene_id, "description": str(n)}} for n in range(40)]
    apply_batch(project=project, actor=admin_user, create=rows)
    for shot in Shot.objects.filter(project=project, locked=True):
        unlock_shot(shot=shot, actor=admin_user, reason="다시")
    many = asked()
    assert many[0] == few[0]
    assert many[1] <= few[1]


def test_names_that_collide_on_disk_are_told_apart(project: Any, admin_user: Any, shots: Any) -> None:
    for name in ("Mina/1", "mina?1", "카페", "\u110f\u1161\u1111\u1166"):
        Character.objects.create(project=project, name=name)
    confirm(project=project, actor=admin_user)
    folders = [p.name.casefold() for p in (project.root / "assets/characters").iterdir()]
    assert len([name for name in folders if "mina" in name]) == 2
    assert len([name for name in folders if "카페" in name]) == 2
    assert confirm(project=project, actor=admin_user).folders_made == 0


HOSTILE = [
    "..",
    "../../etc",
    "/etc/passwd",
    "CON",
    "a/b",
    "a\x00b",
    "가" * 300,
    "trailing. ",
    "줄\n바꿈",
    "C:\\x",
    "\u202e뒤",
]


@pytest.mark.parametrize("name", [*HOSTILE, ""])
def test_hostile_names_become_one_plain_folder_name(name: str) -> None:
    made = safe_name(name)
    assert made not in ("", ".", "..")
    assert "/" not in made
    assert not made.endswith((".", " "))
    assert len(made.encode()) <= 130
    assert made.upper() != "CON"


def test_hostile_names_of_rows_stay_inside_their_folders(
    project: Any, admin_user: Any, shots: Any, tmp_path: Path
) -> None:
    """Rows as an old sheet or a direct write may hold them; PostgreSQL itself refuses NUL."""
    for number, name in enumerate(HOSTILE):
        plain = name.replace("\x00", "")
        Character.objects.create(project=project, name=plain[:120])
        Shot.objects.create(project=project, code=plain[:38] + str(number), position=number, scene=shots[0].scene)
        Shot.objects.filter(pk=shots[0].pk).update(code="../../up")
    confirm(project=project, actor=admin_user)
    expected = {"assets", "scenes", "scenario", "edit", "export", "project_config.json"}
    assert {path.name for path in project.root.iterdir()} == expected
    assert {path.name for path in tmp_path.iterdir()} == {"projects"}
    for path in project.root.rglob("*"):
        assert len(os.fsencode(path.name)) <= 255
        assert path.name not in ("CON", "..")
        assert not path.name.endswith((" ", "."))
        assert "\n" not in path.name
    count = Shot.objects.live().filter(project=project).count()
    assert len(list(project.root.glob("scenes/*/shots/*/shot_meta.json"))) == count
    assert confirm(project=project, actor=admin_user).files_written == 0
