"""Undo of many rows: a constant number of queries, and a reason for whatever is left alone."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aipipeline.history import services as history
from aipipeline.history.models import Action, ActionState
from aipipeline.history.signals import changed
from assets.models import Character
from assets.services import save_asset
from shots.models import Shot
from shots.services import editing
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def make(project: Any, actor: Any, count: int) -> list[Shot]:
    with history.recording(project=project, actor=actor, kind="shot.create") as recorder:
        return editing.add_shots(recorder, project, [{"description": f"샷 {n}"} for n in range(count)])


def queries_of_undo(project: Any, actor: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        history.undo(project=project, actor=actor)
    return len(caught)


def test_queries_do_not_grow_with_the_rows(project: Any, admin_user: Any) -> None:
    counts = []
    for size in (3, 40):
        shots = make(project, admin_user, size)
        items = [{"id": shot.pk, "fields": {"emotion": "x", "size": "CU"}} for shot in shots]
        editing.update_shots(project=project, actor=admin_user, items=items)
        counts.append((queries_of_undo(project, admin_user), queries_of_undo(project, admin_user)))
    assert counts[0] == counts[1]
    assert not Shot.objects.live().filter(project=project).exists()
    history.redo(project=project, actor=admin_user)
    history.redo(project=project, actor=admin_user)
    assert Shot.objects.live().filter(project=project, emotion="x", size="CU").count() == 40


def test_a_reason_names_who_wrote_since(project: Any, admin_user: Any, artist: Any) -> None:
    first, second, *_rest = applied_project(project, admin_user)
    items = [{"id": shot.pk, "fields": {"emotion": "x", "size": "CU", "angle": "low"}} for shot in (first, second)]
    editing.update_shots(project=project, actor=admin_user, items=items)
    editing.update_shots(project=project, actor=artist, items=[{"id": first.pk, "fields": {"emotion": "y"}}])
    Shot.objects.filter(pk=first.pk).update(size="ECU")  # by something that leaves no action
    done = history.undo(project=project, actor=admin_user)
    assert {(entry["label"], tuple(entry["fields"]), entry["code"]) for entry in done.skipped} == {
        (first.code, ("emotion",), "changed"),
        (first.code, ("size",), "changed"),
    }
    reasons = {entry["fields"][0]: entry["reason"] for entry in done.skipped}
    assert str(artist) in reasons["emotion"]
    assert str(artist) not in reasons["size"]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.emotion, first.size, first.angle) == ("y", "ECU", "eye")
    assert (second.emotion, second.angle) != ("x", "low")
    assert Action.objects.get(pk=done.action.pk).skipped == done.skipped


def test_a_name_that_is_taken_leaves_only_its_row(project: Any, admin_user: Any, artist: Any) -> None:
    rows = [
        save_asset(model=Character, project=project, actor=admin_user, fields={"name": n}) for n in ("리나", "민준")
    ]
    with history.one_action(project=project, actor=admin_user, kind="character.import"):
        for row in rows:
            save_asset(
                model=Character, project=project, actor=admin_user, fields={"name": f"{row.name} 2"}, asset_id=row.pk
            )
    save_asset(model=Character, project=project, actor=artist, fields={"name": "리나"})
    done = history.undo(project=project, actor=admin_user)
    assert [(entry["id"], entry["fields"], entry["code"]) for entry in done.skipped] == [
        (rows[0].pk, ["name"], "taken")
    ]
    assert [Character.objects.get(pk=row.pk).name for row in rows] == ["리나 2", "민준"]
    assert done.rows == 1


def test_a_row_deleted_for_good_is_told(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    items = [{"id": shot.pk, "fields": {"emotion": "x"}} for shot in shots]
    editing.update_shots(project=project, actor=admin_user, items=items)
    Shot.objects.filter(pk=shots[0].pk).delete()
    done = history.undo(project=project, actor=admin_user)
    assert [(entry["label"], entry["code"]) for entry in done.skipped] == [(shots[0].code, "gone")]
    assert done.rows == len(shots) - 1


def test_receivers_hear_each_kind_once_with_its_rows(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    with history.recording(project=project, actor=admin_user, kind="shot.batch") as recorder:
        rows = {row.pk: row for row in Shot.objects.filter(project=project)}
        recorder.update(rows[shots[0].pk], duration_frames=17)
        recorder.remove([rows[shots[1].pk], rows[shots[2].pk]])
    heard: list[tuple[str, set[str], int]] = []

    def hear(instances: list[Any], fields: set[str], kind: str, **_kwargs: Any) -> None:
        heard.append((kind, fields, len(instances)))

    changed.connect(hear, sender=Shot)
    try:
        history.undo(project=project, actor=admin_user)
    finally:
        changed.disconnect(hear, sender=Shot)
    assert sorted(heard) == [("restored", {"removed_at"}, 2), ("updated", {"duration_frames"}, 1)]


def test_the_same_action_is_never_taken_back_twice(project: Any, admin_user: Any) -> None:
    from aipipeline.history.replay import Overtaken, replay

    shot = applied_project(project, admin_user)[0]
    for word in ("a", "b"):
        editing.update_shots(project=project, actor=admin_user, items=[{"id": shot.pk, "fields": {"emotion": word}}])
    stale = Action.objects.filter(project=project).order_by("-sequence")[0]
    history.undo(project=project, actor=admin_user)
    with pytest.raises(Overtaken):
        replay(stale, back=True)
    assert Action.objects.get(pk=stale.pk).state == ActionState.UNDONE
