"""Metadata files follow their rows: which files an edit concerns, and what somebody else wrote there."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aipipeline.history.project_services import update_project
from aipipeline.history.services import undo
from assets.models import Character, CinematicPreset, Environment
from assets.services import save_asset
from shots.models import Casting, Folder, Shot, StaleMark
from shots.services import castings, editing, scenes, steps
from shots.services.confirm import confirm
from shots.services.tree import metadata
from shots.services.tree.folders import ensure_folder
from shots.services.tree.metadata import write_stale
from shots.tests.tree import picture_of
from tests.factories import applied_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    """Confirmed, with nothing left to write."""
    found = applied_project(project, admin_user)
    preset = CinematicPreset.objects.create(project=project, name="밤", camera="ARRI Alexa 35")
    Shot.objects.filter(pk=found[0].pk).update(preset=preset)
    confirm(project=project, actor=admin_user)
    write_stale()
    return list(Shot.objects.filter(project=project).order_by("position").select_related("project", "scene"))


def written(project: Any, work: Callable[[], Any]) -> set[str]:
    """The files that were written anew after this edit, by path."""
    before = picture_of(project.root)
    work()
    assert picture_of(project.root) == before  # an edit never waits for the storage
    assert StaleMark.objects.exists()
    done = write_stale()
    assert done.problems == {}
    assert not StaleMark.objects.exists()
    after = picture_of(project.root)
    assert set(after) == set(before)
    changed = {path for path in after if path.endswith(".json") and after[path] != before[path]}
    assert len(changed) == done.written
    return changed


def path_of(**owner: Any) -> str:
    return Folder.objects.get(**owner).path


def test_each_edit_writes_the_files_that_tell_of_it(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    first = f"{path_of(shot=shots[0])}/shot_meta.json"
    fields = {"description": "새로", "prompt": "rain"}

    def edit() -> None:
        editing.update_shots(project=project, actor=admin_user, items=[{"id": shots[0].pk, "fields": fields}], tab="t")

    assert written(project, edit) == {first}
    assert written(project, lambda: undo(project=project, actor=admin_user, tab="t")) == {first}

    person = Character.objects.get(name="민준")
    cast = {f"{path_of(shot=row.shot)}/shot_meta.json" for row in Casting.objects.live().filter(character=person)}
    told = written(
        project,
        lambda: save_asset(
            model=Character, project=project, actor=admin_user, asset_id=person.pk, fields={"age": "31"}
        ),
    )
    assert f"{path_of(character=person)}/character_meta.json" in told
    assert told <= cast | {f"{path_of(character=person)}/character_meta.json"}

    place = shots[0].environment
    assert place is not None
    told = written(
        project,
        lambda: save_asset(
            model=Environment, project=project, actor=admin_user, asset_id=place.pk, fields={"mood": "쓸쓸"}
        ),
    )
    assert f"{path_of(environment=place)}/environment_meta.json" in told
    assert first in told

    preset = shots[0].preset
    told = written(
        project,
        lambda: save_asset(
            model=CinematicPreset,
            project=project,
            actor=admin_user,
            asset_id=preset.pk,
            fields={"camera": "RED Komodo"},
        ),
    )
    assert first in told
    assert f"{path_of(shot=shots[1])}/shot_meta.json" not in told

    scene = shots[0].scene
    assert scene is not None
    told = written(
        project,
        lambda: scenes.update_scene(scene=scene, actor=admin_user, fields={"synopsis": "두 사람이 만난다"}),
    )
    assert f"{path_of(scene=scene)}/scene_meta.json" in told

    casting = Casting.objects.live().filter(shot=shots[0])[0]
    told = written(
        project,
        lambda: castings.update_casting(casting=casting, actor=admin_user, fields={"speaks": not casting.speaks}),
    )
    assert told == {first}
    told = written(
        project,
        lambda: steps.move_step(shot=shots[0], step=shots[0].current_step, to="ready", actor=admin_user),
    )
    assert told == {first}
    told = written(project, lambda: update_project(project=project, actor=admin_user, fields={"title": "새 제목"}))
    assert "project_config.json" in told


def test_a_file_that_somebody_edited_is_kept_beside(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    meta = project.root / path_of(shot=shots[0]) / "shot_meta.json"
    meta.write_text('{"mine": "손으로"}')
    editing.update_shots(
        project=project, actor=admin_user, items=[{"id": shots[0].pk, "fields": {"description": "새로"}}]
    )
    done = write_stale()
    (kept,) = done.kept
    assert (project.root / kept).read_text() == '{"mine": "손으로"}'
    assert json.loads(meta.read_text())["description"] == "새로"
    again = confirm(project=project, actor=admin_user)
    assert (again.files_written, again.kept) == (0, [])


def test_metadata_of_another_database_is_kept_beside(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    folder = project.root / "scenes/SCN_010/shots" / shots[0].code
    folder.mkdir(parents=True)
    for schema, kept in ((1, 0), (2, 1)):
        Folder.objects.filter(project=project).delete()
        (folder / "shot_meta.json").write_text(json.dumps({"schema": schema, "description": "earlier"}))
        assert len(confirm(project=project, actor=admin_user).kept) == kept


def test_a_file_that_cannot_be_written_stops_no_other_and_is_tried_again(
    project: Any, admin_user: Any, shots: list[Shot], tmp_path: Path
) -> None:
    odd = project.root / path_of(shot=shots[0]) / "shot_meta.json"
    odd.unlink()
    odd.mkdir()
    items = [{"id": shot.pk, "fields": {"description": "둘 다"}} for shot in shots[:2]]
    editing.update_shots(project=project, actor=admin_user, items=items)
    done = write_stale()
    assert list(done.problems) == [path_of(shot=shots[0])]
    assert "shot_meta.json" in Folder.objects.get(shot=shots[0]).problem
    other = project.root / path_of(shot=shots[1]) / "shot_meta.json"
    assert json.loads(other.read_text())["description"] == "둘 다"
    assert not StaleMark.objects.exists()
    odd.rmdir()
    assert write_stale().written == 1
    assert json.loads(odd.read_text())["description"] == "둘 다"
    assert Folder.objects.get(shot=shots[0]).problem == ""


def test_while_the_storage_is_away_the_marks_wait(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    away = project.root.with_name("away")
    project.root.rename(away)
    editing.update_shots(
        project=project, actor=admin_user, items=[{"id": shots[0].pk, "fields": {"description": "나중"}}]
    )
    assert write_stale().problems
    assert not project.root.exists()
    away.rename(project.root)
    assert write_stale().written == 1
    meta = project.root / path_of(shot=shots[0]) / "shot_meta.json"
    assert json.loads(meta.read_text())["description"] == "나중"


def test_a_folder_taken_away_by_hand_is_not_made_by_an_edit(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    shutil.rmtree(project.root / path_of(shot=shots[0]))
    editing.update_shots(project=project, actor=admin_user, items=[{"id": shots[0].pk, "fields": {"description": "x"}}])
    assert write_stale().problems == {}
    assert not (project.root / path_of(shot=shots[0])).exists()


def test_an_unconfirmed_project_has_no_files(project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    assert StaleMark.objects.exists()
    assert write_stale().written == 0
    assert not StaleMark.objects.exists()
    assert not project.root.exists()


def test_all_marks_are_written_however_many_there_are(
    project: Any, admin_user: Any, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that films a whole scenario leaves thousands of marks and has no worker that comes again."""
    monkeypatch.setattr(metadata, "PORTION", 2)
    for shot in shots:
        for words in ("하나", "둘"):
            fields = {"id": shot.pk, "fields": {"description": f"{shot.code} {words}"}}
            editing.update_shots(project=project, actor=admin_user, items=[fields])
    assert StaleMark.objects.count() > 4
    write_stale(project.pk)
    assert not StaleMark.objects.exists()
    for shot in shots:
        facts = json.loads((project.root / Folder.objects.get(shot=shot).path / "shot_meta.json").read_text())
        assert facts["description"] == f"{shot.code} 둘"


def test_a_tree_from_before_folders_were_registered_is_taken_up(project: Any, admin_user: Any) -> None:
    """An upgrade: folders lie where an earlier confirm made them, their files are of an older form, no row says so."""
    applied_project(project, admin_user)
    twins = [save_asset(model=Character, project=project, actor=admin_user, fields={"name": n}) for n in ("Rin", "RIN")]
    confirm(project=project, actor=admin_user)
    write_stale()
    shot = Shot.objects.filter(project=project).order_by("position")[0]
    late = editing.create_shot(project=project, actor=admin_user, description="아직 없음")
    places = {folder.path for folder in Folder.objects.filter(project=project)}
    (first, second) = (Folder.objects.get(character=row).path for row in twins)
    files = [meta for name in set(metadata.META_NAMES.values()) for meta in project.root.rglob(name)]
    for meta in files:
        meta.write_text(json.dumps({**json.loads(meta.read_text()), "schema": 1}))
    StaleMark.objects.all().delete()
    Folder.objects.all().delete()

    # The later one of two equal names comes first: it is not given the folder of the other.
    assert ensure_folder(twins[1]).path == second
    assert ensure_folder(twins[0]).path == first
    assert {folder.path for folder in Folder.objects.filter(project=project)} == places
    assert not Folder.objects.filter(shot=late).exists()
    Folder.objects.all().delete()
    StaleMark.objects.all().delete()

    # The first edit writes its file, and brings the others into the form of today.
    fields = {"id": shot.pk, "fields": {"description": "새 설명"}}
    editing.update_shots(project=project, actor=admin_user, items=[fields])
    write_stale()
    done = write_stale()
    assert (done.problems, done.kept, StaleMark.objects.count()) == ({}, [], 0)
    facts = json.loads((project.root / Folder.objects.get(shot=shot).path / "shot_meta.json").read_text())
    assert facts["description"] == "새 설명"
    assert {json.loads(meta.read_text())["schema"] for meta in files} == {facts["schema"]}
    assert list(project.root.rglob("*.edited-*")) == []
    assert confirm(project=project, actor=admin_user).renamed == []
