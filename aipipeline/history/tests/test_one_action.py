"""Several edits as one action: what joins, what does not, and what a failure inside does."""

from typing import Any

import pytest

from aipipeline.history.models import Action
from aipipeline.history.project_services import create_project, set_member
from aipipeline.history.services import one_action, undo
from aipipeline.projects.errors import Conflict
from assets.models import Character
from assets.services import save_asset

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_edits_inside_are_one_step_of_undo(project: Any, admin_user: Any) -> None:
    row = save_asset(model=Character, project=project, actor=admin_user, fields={"name": "리나"})
    count = Action.objects.count()
    with one_action(project=project, actor=admin_user, kind="sheet"):
        save_asset(model=Character, project=project, actor=admin_user, fields={"age": "20"}, asset_id=row.pk)
        save_asset(model=Character, project=project, actor=admin_user, fields={"age": "21"}, asset_id=row.pk)
        save_asset(model=Character, project=project, actor=admin_user, fields={"name": "민준"})
    assert Action.objects.count() == count + 1
    action = Action.objects.order_by("-sequence").filter(project=project)[0]
    assert action.kind == "sheet"
    entry = next(e for e in action.changes if e["id"] == row.pk)
    assert entry["fields"]["age"] == ["", "21"], "from before the first to after the last"
    undo(project=project, actor=admin_user)
    row.refresh_from_db()
    assert row.age == ""
    assert list(Character.objects.live().values_list("name", flat=True)) == ["리나"]


def test_an_edit_that_cannot_be_undone_makes_the_whole_so(project: Any, admin_user: Any, artist: Any) -> None:
    with one_action(project=project, actor=admin_user, kind="form"):
        save_asset(model=Character, project=project, actor=admin_user, fields={"name": "리나"})
        set_member(project=project, actor=admin_user, user=artist, role="guest")
    action = Action.objects.get(kind="form")
    assert not action.undoable
    assert action.params["parts"] == [{"kind": "member.set", "user": "artist", "role": "guest"}]


def test_a_failure_inside_cannot_be_passed_over(project: Any, admin_user: Any) -> None:
    def pass_over() -> None:
        with one_action(project=project, actor=admin_user, kind="broken"):
            save_asset(model=Character, project=project, actor=admin_user, fields={"name": "지우"})
            with pytest.raises(Conflict):
                save_asset(model=Character, project=project, actor=admin_user, fields={"name": "지우"})

    with pytest.raises(RuntimeError):
        pass_over()
    assert not Character.objects.filter(name="지우").exists()
    assert not Action.objects.filter(kind="broken").exists()


def test_another_project_keeps_its_own_history(project: Any, admin_user: Any) -> None:
    other = create_project(actor=admin_user, code="OTHER", title="둘째", width=320, height=180)
    with one_action(project=project, actor=admin_user, kind="sheet"):
        save_asset(model=Character, project=other, actor=admin_user, fields={"name": "리나"})
    assert Action.objects.filter(project=other, kind="character.create").count() == 1
    assert not Action.objects.filter(kind="sheet").exists()
