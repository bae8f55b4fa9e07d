"""Confirm: the tree on disk, its metadata, the lock, and names that filesystems refuse."""

import json
from typing import Any

import pytest

from aipipeline.projects.errors import Invalid
from assets.models import Character
from assets.naming import safe_name
from shots.services import editing
from shots.services.confirm import confirm
from shots.services.locks import unlock_shot
from tests.factories import applied_project

pytestmark = pytest.mark.django_db


def test_the_tree_stands_and_a_second_confirm_writes_nothing(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    first = confirm(project=project, actor=admin_user)
    folder = project.root / "scenes/SCN_010/shots" / shots[0].code
    meta = json.loads((folder / "shot_meta.json").read_text())
    assert (folder / "render").is_dir()
    assert (project.root / "assets/characters/CHR_리나/character_meta.json").is_file()
    assert meta["schema"] == 2
    assert meta["casting"][0]["character"] == "리나"
    assert first.locked == [shot.code for shot in shots]
    again = confirm(project=project, actor=admin_user)
    assert (again.folders_made, again.files_written, again.locked) == (0, 0, [])


def test_a_locked_shot_keeps_its_structure_until_unlocked(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
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


def test_names_that_collide_on_disk_are_told_apart(project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    Character.objects.create(project=project, name="Mina/1")
    Character.objects.create(project=project, name="mina?1")
    confirm(project=project, actor=admin_user)
    folders = [p.name for p in (project.root / "assets/characters").iterdir() if "ina" in p.name]
    assert len(folders) == 2


@pytest.mark.parametrize("name", ["..", "CON", "a/b", "a\x00b", "x" * 300, "trailing. ", "줄\n바꿈", ""])
def test_hostile_names_become_one_plain_folder_name(name: str) -> None:
    made = safe_name(name)
    assert made not in ("", ".", "..")
    assert "/" not in made
    assert not made.endswith((".", " "))
    assert len(made.encode()) <= 130
    assert made.upper() != "CON"
