"""`custom.<key>`: one key of a row's own columns is a field like any other."""

from typing import Any

import pytest

from aipipeline.history import services as history
from aipipeline.history.models import Action
from aipipeline.history.recorder import different_fields
from aipipeline.history.rows import update_row
from aipipeline.history.services import recording, refuse_stale
from aipipeline.projects.errors import Conflict
from shots.models import Shot
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def write(shot: Any, actor: Any, seen: int | None = None, **keys: Any) -> Any:
    row = Shot.objects.get(pk=shot.pk)
    with recording(project=row.project, actor=actor, kind="shot.update") as recorder:
        recorder.update(row, seen=seen, **{f"custom.{key}": value for key, value in keys.items()})
    return row


def held(shot: Any) -> dict[str, Any]:
    return dict(Shot.objects.get(pk=shot.pk).custom)


def test_keys_are_written_undone_and_redone_each_for_itself(project: Any, admin_user: Any, artist: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    write(shot, admin_user, lens="35mm", takes=3)
    write(shot, artist, note="다시", people=[1, 2])
    action = Action.objects.filter(project=project, actor=admin_user).order_by("-sequence")[0]
    assert action.changes[0]["fields"] == {"custom.lens": [None, "35mm"], "custom.takes": [None, 3]}
    history.undo(project=project, actor=admin_user)
    assert held(shot) == {"note": "다시", "people": [1, 2]}, "what was missing is missing again"
    history.redo(project=project, actor=admin_user)
    assert held(shot) == {"lens": "35mm", "takes": 3, "note": "다시", "people": [1, 2]}


def test_writing_nothing_takes_the_key_out(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    write(shot, admin_user, lens="35mm", done=False)
    row = write(shot, admin_user, lens=None)
    assert held(shot) == {"done": False}
    assert different_fields(row, {"custom.lens": None, "custom.done": False}) == []
    history.undo(project=project, actor=admin_user)
    assert held(shot)["lens"] == "35mm"


def test_another_key_never_conflicts_and_the_same_one_does(project: Any, admin_user: Any, artist: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    seen = write(shot, admin_user, lens="35mm").revision
    write(shot, artist, seen=seen, note="a")
    write(shot, admin_user, seen=seen, lens="50mm")
    with pytest.raises(Conflict) as caught:
        write(shot, artist, seen=seen, lens="85mm")
    assert caught.value.details["current"] == {"custom.lens": "50mm"}
    assert caught.value.details["yours"] == {"custom.lens": "85mm"}
    assert held(shot) == {"lens": "50mm", "note": "a"}
    refuse_stale(Shot.objects.get(pk=shot.pk), seen, {"custom.lens": "50mm"})  # the same value is no conflict


def test_many_rows_at_once_and_a_colleagues_key_stays(project: Any, admin_user: Any, artist: Any) -> None:
    shots = applied_project(project, admin_user)
    with recording(project=project, actor=admin_user, kind="shot.update") as recorder:
        rows = Shot.objects.filter(project=project)
        recorder.update_many((row, {"custom.lens": "35mm", "emotion": row.code}) for row in rows)
    write(shots[0], artist, lens="85mm")
    done = history.undo(project=project, actor=admin_user)
    assert [held(shot) for shot in shots] == [{"lens": "85mm"}, *[{} for _ in shots[1:]]]
    assert Shot.objects.get(pk=shots[0].pk).emotion != shots[0].code
    assert [(entry["label"], entry["fields"], entry["code"]) for entry in done.skipped] == [
        (shots[0].code, ["custom.lens"], "changed")
    ]
    assert str(artist) in done.skipped[0]["reason"]


def test_a_single_row_takes_them_beside_its_fields(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    fields = {"emotion": "조용한", "custom.lens": "35mm"}
    update_row(row=shot, actor=admin_user, fields=fields, known=["emotion", "custom.lens"])
    assert held(shot) == {"lens": "35mm"}
    assert Shot.objects.get(pk=shot.pk).emotion == "조용한"
