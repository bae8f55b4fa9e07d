"""Folders of the tree moved on purpose: every version stays readable, and no death loses one."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import connection

from aipipeline.history.models import Action
from aipipeline.projects.errors import Conflict, NotFound
from assets.models import Character
from assets.services import save_asset
from assets.services.naming import save_templates
from renders.models import JobState, RenderJob, Version
from renders.services.jobs import render_shots
from renders.services.publishing import publish_files
from renders.services.workflows import sync_workflows
from shots.models import Folder, FolderState, Shot
from shots.services import editing
from shots.services.confirm import confirm
from shots.services.locks import unlock_shot
from shots.services.tree import carrying, moves
from shots.services.tree.disk import TreeError
from shots.services.tree.folders import contexts_of
from shots.services.tree.metadata import write_stale
from shots.services.tree.moves import finish_moves, move_folders, plan_moves
from shots.tests.tree import killed, picture_of, rows_of
from tests.factories import applied_project, picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def shots(project: Any, admin_user: Any, tmp_path: Path) -> list[Shot]:
    """A confirmed tree with a version in every shot and one of a character; all shots locked."""
    found = applied_project(project, admin_user)
    confirm(project=project, actor=admin_user)
    for owner in (*found, Character.objects.get(name="민준")):
        files = {"a.png": picture(tmp_path / "a.png")}
        publish_files(owner=owner, kind="reference", files=files, actor=admin_user)
    write_stale()
    return list(Shot.objects.filter(project=project).order_by("position").select_related("project", "scene"))


def retemplate(project: Any, actor: Any, **templates: str) -> None:
    save_templates(project=project, actor=actor, templates=templates, contexts=contexts_of(project))


def to_other_scene(project: Any, actor: Any, shot: Shot, scene: Any) -> None:
    unlock_shot(shot=shot, actor=actor, reason="장면 이동")
    editing.update_shots(project=project, actor=actor, items=[{"id": shot.pk, "fields": {"scene": scene.pk}}])


def check_readable(project: Any) -> None:
    for version in Version.objects.live().filter(project=project).select_related("project"):
        assert version.file().is_file(), version.path
        folder = Folder.objects.exclude(state=FolderState.LEFT).get(shot=version.shot, character=version.character)
        assert version.path.startswith(f"{folder.path}/")


def pointers(project: Any) -> dict[str, str]:
    """By place that was left: where its pointer file says that it went."""
    found = project.root.rglob("moved.json")
    return {p.parent.relative_to(project.root).as_posix(): json.loads(p.read_text())["moved_to"] for p in found}


def test_a_moved_shot_takes_its_versions_along_and_leaves_a_pointer(project: Any, admin_user: Any, shots: Any) -> None:
    shot, scene = shots[0], shots[-1].scene
    before = Folder.objects.get(shot=shot).path
    (project.root / before / "comp" / "손으로.nk").write_text("내 파일")
    to_other_scene(project, admin_user, shot, scene)
    (move,) = plan_moves(project)
    after = f"scenes/{scene.code}/shots/{shot.code}"
    assert (move.before, move.after, move.refusal) == (before, after, "")
    report = move_folders(project=project, actor=admin_user)
    assert [found.after for found in report.moved] == [after]
    check_readable(project)
    assert (project.root / after / "comp" / "손으로.nk").read_text() == "내 파일"
    assert pointers(project) == {before: after}
    assert [path.name for path in (project.root / before).iterdir()] == ["moved.json"]
    action = Action.objects.get(kind="project.move_folders")
    assert action.actor == admin_user
    assert not action.undoable
    assert action.params == {"count": 1, "moves": [{"what": shot.code, "from": before, "to": after}]}
    write_stale()
    assert json.loads((project.root / after / "shot_meta.json").read_text())["scene"] == scene.code
    assert move_folders(project=project, actor=admin_user).moved == []
    picture_before = picture_of(project.root)
    confirm(project=project, actor=admin_user)
    assert set(picture_of(project.root)) == set(picture_before)
    # And back to the place that it left itself.
    to_other_scene(project, admin_user, Shot.objects.get(pk=shot.pk), shot.scene)
    move_folders(project=project, actor=admin_user)
    check_readable(project)
    assert pointers(project) == {after: before}
    assert Folder.objects.get(shot=shot, state=FolderState.LEFT).path == after


def test_a_left_place_goes_to_nobody_else_and_points_to_the_last(project: Any, admin_user: Any, shots: Any) -> None:
    person = Character.objects.get(name="민준")
    for name in ("둘", "셋"):
        save_asset(model=Character, project=project, actor=admin_user, asset_id=person.pk, fields={"name": name})
        move_folders(project=project, actor=admin_user)
    place = "assets/characters/CHR_"
    assert pointers(project) == {f"{place}민준": f"{place}셋", f"{place}둘": f"{place}셋"}
    save_asset(model=Character, project=project, actor=admin_user, fields={"name": "민준"})
    confirm(project=project, actor=admin_user)
    other = Folder.objects.get(character__name="민준")
    assert other.path.startswith(f"{place}민준_")
    check_readable(project)


def test_scenes_and_shots_move_together_by_a_new_template_also_locked(
    project: Any, admin_user: Any, shots: Any
) -> None:
    (project.root / "scenes/SCN_010/notes.txt").write_text("장면 메모")
    retemplate(project, admin_user, scene="seq/{scene}", shot="seq/{scene}/{shot}", character="cast/{character}")
    assert all(Shot.objects.values_list("locked", flat=True))
    report = move_folders(project=project, actor=admin_user)
    assert len(report.moved) == len(plan := [*shots]) + 2 + 2, plan
    check_readable(project)
    assert all(Shot.objects.values_list("locked", flat=True))
    assert (project.root / "seq/SCN_010/notes.txt").read_text() == "장면 메모"
    assert (project.root / "seq/SCN_010" / shots[0].code / "shot_meta.json").is_file()
    assert pointers(project)["scenes/SCN_010"] == "seq/SCN_010"
    confirm(project=project, actor=admin_user)
    assert plan_moves(project) == []
    retemplate(project, admin_user)
    move_folders(project=project, actor=admin_user)
    check_readable(project)
    assert (project.root / "scenes/SCN_010/notes.txt").read_text() == "장면 메모"
    assert confirm(project=project, actor=admin_user).folders_made == 0


def test_versions_of_other_rows_that_lie_in_a_folder_go_along(
    project: Any, admin_user: Any, shots: Any, tmp_path: Path
) -> None:
    """An installation from before folders were registered: versions lie where codes and names led in their day."""
    first, second = shots[0], shots[1]
    theirs = Version.objects.get(shot=second)
    old = f"{Folder.objects.get(shot=first).path}/reference/v007"
    os.rename(theirs.folder, project.root / old)
    Version.objects.filter(pk=theirs.pk).update(path=old)
    to_other_scene(project, admin_user, first, shots[-1].scene)
    move_folders(project=project, actor=admin_user)
    found = Version.objects.get(pk=theirs.pk)
    assert found.path == f"{Folder.objects.get(shot=first, state=FolderState.ACTIVE).path}/reference/v007"
    assert found.file().is_file()
    write_stale()
    place = Folder.objects.get(shot=second).path
    facts = json.loads((project.root / place / "shot_meta.json").read_text())
    assert [version["path"] for version in facts["versions"]] == [found.path]


def test_nothing_moves_under_a_job_or_a_publisher(project: Any, admin_user: Any, shots: Any) -> None:
    to_other_scene(project, admin_user, shots[0], shots[-1].scene)
    before, rows = picture_of(project.root), rows_of(project)
    sync_workflows()
    (job,) = render_shots(project=project, actor=admin_user, shots=[shots[0]], workflow="local.panel")
    rows = rows_of(project)
    with pytest.raises(Conflict, match=shots[0].code):
        move_folders(project=project, actor=admin_user)
    RenderJob.objects.filter(pk=job.pk).update(state=JobState.CANCELLED)
    staged = project.root / Folder.objects.get(shot=shots[0]).path / "render/.tmp-abc"
    staged.mkdir()
    with pytest.raises(Conflict, match=shots[0].code):
        move_folders(project=project, actor=admin_user)
    staged.rmdir()
    assert set(picture_of(project.root)) == set(before)
    assert rows_of(project) == rows
    assert len(move_folders(project=project, actor=admin_user).moved) == 1


@pytest.mark.parametrize("kind", ["file", "full", "link"])
def test_what_is_in_the_new_place_stops_all_moves(project: Any, admin_user: Any, shots: Any, kind: str) -> None:
    for shot in shots[:2]:
        to_other_scene(project, admin_user, shot, shots[-1].scene)
    place = project.root / f"scenes/{shots[-1].scene.code}/shots/{shots[1].code}"
    if kind == "file":
        place.write_text("x")
    elif kind == "link":
        place.symlink_to(project.root)
    else:
        place.mkdir()
        (place / "남의 것.txt").write_text("x")
    before, rows = picture_of(project.root), rows_of(project)
    with pytest.raises(Conflict, match=shots[1].code) as refused:
        move_folders(project=project, actor=admin_user)
    assert len(refused.value.details["refused"]) == 1
    assert (picture_of(project.root), rows_of(project)) == (before, rows)
    mine = Folder.objects.get(shot=shots[0])
    assert len(move_folders(project=project, actor=admin_user, folders=[mine.pk]).moved) == 1
    check_readable(project)


def test_a_folder_of_another_project_is_not_there(project: Any, admin_user: Any, shots: Any) -> None:
    with pytest.raises(NotFound):
        move_folders(project=project, actor=admin_user, folders=[10**9])


STEPS: list[tuple[Any, str, int]] = [
    (moves, "_ask", 1), (moves, "_ask", 2), (moves, "_carry_all", 1), (carrying, "fsync_dir", 1), (os, "rename", 2),
    (os, "rename", 4), (moves, "_arrive", 1), (moves, "mark_stale", 1), (moves, "_arrive", 3), (moves, "_point_all", 1),
    (os, "replace", 1), (os, "replace", 2), (moves, "_tell", 1),
]  # fmt: skip


@pytest.mark.parametrize(("holder", "name", "count"), STEPS)
def test_a_move_killed_at_any_step_is_finished_or_taken_back(
    project: Any, admin_user: Any, shots: Any, holder: Any, name: str, count: int
) -> None:
    retemplate(project, admin_user, scene="seq/{scene}", shot="seq/{scene}/{shot}", character="cast/{character}")
    files = len([path for path in picture_of(project.root) if path.endswith(".png")])

    def work() -> object:
        return move_folders(project=project, actor=admin_user)

    assert killed(work, holder, name, count) == signal.SIGKILL
    finish_moves()
    assert not Folder.objects.exclude(moving_to="").exists()
    check_readable(project)
    left = Folder.objects.filter(state=FolderState.LEFT)
    assert pointers(project) == {
        row.path: Folder.objects.exclude(state=FolderState.LEFT)
        .get(kind=row.kind, shot=row.shot, scene=row.scene, character=row.character)
        .path
        for row in left
    }
    move_folders(project=project, actor=admin_user)
    assert plan_moves(project) == []
    check_readable(project)
    assert len([path for path in picture_of(project.root) if path.endswith(".png")]) == files
    assert confirm(project=project, actor=admin_user).folders_made == 0
    retemplate(project, admin_user)
    assert killed(work, holder, name, count) == signal.SIGKILL
    confirm(project=project, actor=admin_user)
    check_readable(project)
    move_folders(project=project, actor=admin_user)
    check_readable(project)
    assert plan_moves(project) == []


def test_a_disk_that_refuses_in_the_middle_leaves_whole_folders(
    project: Any, admin_user: Any, shots: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    retemplate(project, admin_user, shot="seq/{scene}/{shot}")
    (project.root / "seq").mkdir()
    real, calls = os.rename, []

    def rename(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(project.root))
        real(*arguments)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(TreeError, match="1 of 3"):
        move_folders(project=project, actor=admin_user)
    check_readable(project)
    assert not Folder.objects.exclude(moving_to="").exists()
    assert Action.objects.get(kind="project.move_folders").params["count"] == 1
    assert len(move_folders(project=project, actor=admin_user).moved) == 2
    check_readable(project)


def test_publishers_at_work_while_folders_move_and_confirms_run(
    project: Any, admin_user: Any, shots: Any, tmp_path: Path
) -> None:
    """Whoever is refused is told so; whatever was published can be read in the end."""
    source, stop = picture(tmp_path / "b.png"), Event()

    def publish(number: int) -> int:
        made = 0
        try:
            while not stop.is_set():
                publish_files(owner=shots[number], kind="previz", files={"b.png": source}, actor=admin_user)
                made += 1
        finally:
            connection.close()
        return made

    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(publish, number) for number in (0, 1)]
        moved = refused = 0
        try:
            for turn in range(6):
                retemplate(project, admin_user, **({} if turn % 2 else {"shot": "seq/{scene}/{shot}"}))
                confirm(project=project, actor=admin_user)
                try:
                    moved += len(move_folders(project=project, actor=admin_user).moved)
                except Conflict:
                    refused += 1
        finally:
            stop.set()
        made = [found.result() for found in working]
    assert moved + refused
    assert Version.objects.live().filter(kind="previz").count() == sum(made)
    check_readable(project)
