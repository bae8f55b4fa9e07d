"""Undo puts back what an action wrote, and never what somebody wrote since."""

from typing import Any

import pytest

from aipipeline.history import services as history
from aipipeline.history.models import Action, ActionState
from aipipeline.projects.errors import Conflict, Invalid
from shots.models import Casting, Shot
from shots.services import editing
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def visible(project: Any) -> list[tuple[Any, ...]]:
    """What a person sees of the shot list."""
    rows = Shot.objects.live().filter(project=project).order_by("position", "id")
    return [
        (
            s.code,
            s.description,
            s.size,
            s.duration_frames,
            tuple(c.character.name for c in s.castings.filter(removed_at=None)),
        )
        for s in rows
    ]


def test_every_kind_of_edit_goes_back_and_forth(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    states = [visible(project)]
    edits: list[Any] = [
        lambda: editing.update_shots(
            project=project, actor=admin_user, items=[{"id": s.pk, "fields": {"size": "CU"}} for s in shots]
        ),
        lambda: editing.create_shot(project=project, actor=admin_user, after=shots[0], description="새 샷"),
        lambda: editing.reorder_shots(project=project, actor=admin_user, ids=[shots[-1].pk], before=shots[0].pk),
        lambda: editing.remove_shots(project=project, actor=admin_user, ids=[shots[1].pk]),
        lambda: editing.update_shots(
            project=project, actor=admin_user, items=[{"id": shots[0].pk, "fields": {"characters": []}}]
        ),
    ]
    for edit in edits:
        edit()
        states.append(visible(project))
    assert len({tuple(s) for s in states}) == len(states)
    for expected in reversed(states[:-1]):
        history.undo(project=project, actor=admin_user)
        assert visible(project) == expected
    for expected in states[1:]:
        history.redo(project=project, actor=admin_user)
        assert visible(project) == expected


def test_undo_skips_what_a_colleague_wrote_since(project: Any, admin_user: Any, artist: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    editing.update_shots(
        project=project, actor=admin_user, items=[{"id": shot.pk, "fields": {"size": "CU", "angle": "low"}}]
    )
    editing.update_shots(project=project, actor=artist, items=[{"id": shot.pk, "fields": {"size": "ECU"}}])
    done = history.undo(project=project, actor=admin_user)
    shot.refresh_from_db()
    assert shot.size == "ECU"
    assert shot.angle == "eye"
    assert done.skipped[0]["fields"] == ["size"]


def test_undo_belongs_to_a_tab_and_a_new_edit_ends_redo(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    for tab, size in (("a", "CU"), ("b", "ECU")):
        editing.update_shots(
            project=project, actor=admin_user, tab=tab, items=[{"id": shots[0].pk, "fields": {"emotion": size}}]
        )
    with pytest.raises(Conflict):
        history.undo(project=project, actor=admin_user, tab="c")
    history.undo(project=project, actor=admin_user, tab="b")
    editing.update_shots(
        project=project, actor=admin_user, tab="b", items=[{"id": shots[1].pk, "fields": {"emotion": "x"}}]
    )
    with pytest.raises(Conflict):
        history.redo(project=project, actor=admin_user, tab="b")
    assert Action.objects.filter(state=ActionState.SUPERSEDED).count() == 1


def test_the_same_field_conflicts_and_another_merges(project: Any, admin_user: Any, artist: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    seen = shot.revision
    editing.update_shots(
        project=project, actor=artist, items=[{"id": shot.pk, "revision": seen, "fields": {"size": "CU"}}]
    )
    editing.update_shots(
        project=project, actor=admin_user, items=[{"id": shot.pk, "revision": seen, "fields": {"angle": "low"}}]
    )
    with pytest.raises(Conflict) as caught:
        editing.update_shots(
            project=project, actor=admin_user, items=[{"id": shot.pk, "revision": seen, "fields": {"size": "WS"}}]
        )
    assert caught.value.details["current"] == {"size": "CU"}
    assert caught.value.details["yours"] == {"size": "WS"}


def test_a_batch_is_all_or_nothing(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    items = [{"id": shots[0].pk, "fields": {"size": "CU"}}, {"id": shots[1].pk, "fields": {"size": "HUGE"}}]
    with pytest.raises(Invalid) as caught:
        editing.update_shots(project=project, actor=admin_user, items=items)
    assert list(caught.value.fields) == ["1"]
    shots[0].refresh_from_db()
    assert shots[0].size != "CU"


def test_codes_are_never_reused_and_fit_between(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    between = editing.create_shot(project=project, actor=admin_user, after=shots[0])
    assert shots[0].code < between.code < shots[1].code
    last = editing.create_shot(project=project, actor=admin_user)
    editing.remove_shots(project=project, actor=admin_user, ids=[last.pk])
    assert editing.create_shot(project=project, actor=admin_user).code > last.code
    assert Casting.objects.filter(project=project).exists()
