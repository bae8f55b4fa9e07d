"""Templates are saved as one action of a person, or not at all."""

from typing import Any

import pytest

from aipipeline.history.models import Action
from aipipeline.history.services import redo, undo
from aipipeline.history.wording import action_words
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.models import Project
from assets.naming import DEFAULTS, NameContext
from assets.services.naming import save_templates

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
ROWS = [NameContext(project="TEST", scene="SCN_010", shot=code) for code in ("SHT_0010", "SHT_0020")]
WANTED = {"shot": "샷/{shot:03}", "version": "{kind}/{version:04}"}


def saved(project: Any) -> Any:
    return Project.objects.get(pk=project.pk).naming


def test_what_differs_from_the_defaults_is_kept_and_undone_and_done_again(project: Any, admin_user: Any) -> None:
    def save(templates: dict[str, str]) -> None:
        save_templates(project=project, actor=admin_user, templates=templates, contexts=ROWS, tab="t")

    save({**DEFAULTS, **WANTED, "scene": " "})
    assert saved(project) == WANTED
    assert project.naming == WANTED
    action = Action.objects.get(kind="project.naming")
    assert action.undoable
    assert action_words(action) != "project.naming"
    save({"shot": "s/{shot}"})
    assert saved(project) == {"shot": "s/{shot}"}
    undo(project=project, actor=admin_user, tab="t")
    assert saved(project) == WANTED
    undo(project=project, actor=admin_user, tab="t")
    assert saved(project) == {}
    redo(project=project, actor=admin_user, tab="t")
    assert saved(project) == WANTED


def test_one_wrong_template_saves_none(project: Any, admin_user: Any) -> None:
    actions = Action.objects.count()
    with pytest.raises(Invalid) as caught:
        save_templates(
            project=project,
            actor=admin_user,
            templates={**WANTED, "scene": "../{scene}", "character": "x/CHR"},
            contexts=ROWS,
        )
    assert set(caught.value.fields) == {"scene", "character"}
    assert caught.value.details["problems"]["scene"][0]["place"] == 0
    assert saved(project) == {}
    assert Action.objects.count() == actions


def test_templates_that_somebody_else_changed_meanwhile_are_not_overwritten(project: Any, admin_user: Any) -> None:
    seen = project.revision
    save_templates(project=project, actor=admin_user, templates={"shot": "a/{shot}"}, contexts=ROWS, seen=seen)
    with pytest.raises(Conflict) as caught:
        save_templates(project=project, actor=admin_user, templates={"shot": "b/{shot}"}, contexts=ROWS, seen=seen)
    assert caught.value.details["current"] == {"naming": {"shot": "a/{shot}"}}
    assert saved(project) == {"shot": "a/{shot}"}
