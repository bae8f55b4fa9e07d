"""Change numbers: what a page that holds one is told, and that nothing is ever missed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aipipeline.history import changes
from aipipeline.history import services as history
from aipipeline.history.models import Action, Change
from aipipeline.history.project_services import create_project
from assets.models import Character
from assets.services import save_asset
from shots.models import Shot
from shots.services import castings, editing
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def edit(project: Any, actor: Any, shot: Any, **fields: Any) -> None:
    editing.update_shots(project=project, actor=actor, items=[{"id": shot.pk, "fields": fields}])


def test_edits_undo_and_redo_each_take_a_number(project: Any, admin_user: Any) -> None:
    first, second, *_rest = applied_project(project, admin_user)
    start = history.current_change(project)
    edit(project, admin_user, first, size="CU")
    edit(project, admin_user, second, size="ECU")
    assert history.changes_since(project, start) == (start + 2, {"shots.shot": [first.pk, second.pk]})
    assert history.changes_since(project, start + 1) == (start + 2, {"shots.shot": [second.pk]})
    history.undo(project=project, actor=admin_user)
    assert history.changes_since(project, start + 2) == (start + 3, {"shots.shot": [second.pk]})
    history.undo(project=project, actor=admin_user)
    history.redo(project=project, actor=admin_user)
    assert history.changes_since(project, start + 3) == (start + 5, {"shots.shot": [first.pk]})
    assert history.changes_since(project, start + 5) == (start + 5, {})
    numbers = Action.objects.filter(project=project, kind="shot.update").values_list("sequence", flat=True)
    assert sorted(numbers) == [start + 1, start + 2], "undo leaves the action's own number"


def test_undo_goes_on_in_order_after_a_redo(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    for word in ("a", "b", "c"):
        edit(project, admin_user, shot, emotion=word)
    for expected in ("b", "a", "b", "a"):
        (history.redo if expected == "b" and shot.emotion == "a" else history.undo)(project=project, actor=admin_user)
        shot.refresh_from_db()
        assert shot.emotion == expected


def test_a_number_that_nobody_was_given_means_read_anew(project: Any, admin_user: Any) -> None:
    newest = history.current_change(project)
    assert newest == 1, "making the project was its first change"
    assert history.changes_since(project, newest + 1) == (newest, None)
    assert history.changes_since(project, -1) == (newest, None)
    assert history.changes_since(project, 0)[1] == {"projects.project": [project.pk]}


def test_each_project_counts_for_itself(project: Any, admin_user: Any) -> None:
    other = create_project(actor=admin_user, code="OTHER", title="둘째", width=320, height=180)
    before = history.current_change(project)
    save_asset(model=Character, project=other, actor=admin_user, fields={"name": "리나"})
    assert history.current_change(project) == before
    assert history.current_change(other) == 2


def test_recasting_counts_as_a_change_of_the_shot_also_when_undone(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    who = save_asset(model=Character, project=project, actor=admin_user, fields={"name": "지우"})
    seen = shot.revision
    start = history.current_change(project)
    castings.add_casting(shot=shot, actor=admin_user, character=who)
    assert history.changes_since(project, start)[1]["shots.shot"] == [shot.pk]  # type: ignore[index]
    action = Action.objects.get(project=project, sequence=start + 1)
    told = next(entry["told"] for entry in action.changes if entry["model"] == "shots.shot")
    before, after = told["characters"]
    assert after == [*before, who.pk]
    history.undo(project=project, actor=admin_user)
    assert history.changes_since(project, start + 1)[1]["shots.shot"] == [shot.pk]  # type: ignore[index]
    shot.refresh_from_db()
    assert shot.stale_fields(["characters"], seen + 1) == ["characters"], "a colleague who saw it cast is told"


def test_touched_rows_come_with_a_number_after_the_commit(
    project: Any, admin_user: Any, django_capture_on_commit_callbacks: Any
) -> None:
    shot = applied_project(project, admin_user)[0]
    start, revision = history.current_change(project), Shot.objects.get(pk=shot.pk).revision
    with django_capture_on_commit_callbacks(execute=True):
        history.touch(project, Shot, [shot.pk, shot.pk])
        assert history.current_change(project) == start
    assert history.changes_since(project, start) == (start + 1, {"shots.shot": [shot.pk]})
    assert Shot.objects.get(pk=shot.pk).revision == revision, "no edit of the row"


def test_pruning_keeps_edits_and_the_newest(project: Any, admin_user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shot = applied_project(project, admin_user)[0]
    for _round in range(4):
        edit(project, admin_user, shot, emotion="b")
        history.undo(project=project, actor=admin_user)
    newest = history.current_change(project)
    monkeypatch.setattr(changes, "KEPT_AT_LEAST", 2)
    assert changes.prune() == 0, "nothing is old yet"
    Change.objects.filter(project=project).update(created_at=timezone.now() - timedelta(days=200))
    edits = Change.objects.exclude(action=None).count()
    assert changes.prune() == 2, "of four undos the newest two stay"
    assert Change.objects.exclude(action=None).count() == edits
    assert Change.objects.filter(action=None, project=project).count() == 2
    assert history.changes_since(project, newest - 5)[1] is None
    assert history.changes_since(project, newest - 4)[1] == {"shots.shot": [shot.pk]}
    assert changes.prune() == 0


def test_the_events_of_an_edit_carry_its_number(
    project: Any, admin_user: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from aipipeline.events import publishing

    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(publishing, "_send", lambda topic, event: sent.append(event))
    shot = applied_project(project, admin_user)[0]
    with django_capture_on_commit_callbacks(execute=True):
        edit(project, admin_user, shot, emotion="b")
        history.undo(project=project, actor=admin_user)
        history.touch(project, Shot, [shot.pk])
    told = [(event["type"], event["change"]) for event in sent if event["type"].startswith("shot.")]
    newest = history.current_change(project)
    assert told == [("shot.changed", newest - 2), ("shot.changed", newest - 1), ("shot.touched", newest)]
