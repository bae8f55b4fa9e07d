"""Render presets: saved, shared, cloned, edited, removed, with undo; private ones are their author's."""

from typing import Any

import pytest

from aipipeline.history.project_services import set_member
from aipipeline.history.services import undo
from aipipeline.projects.errors import Conflict, Invalid, NotAllowed, NotFound
from renders.models import RenderPreset, Workflow
from renders.services import presets
from renders.services.workflows import sync_workflows

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def panel(project: Any, admin_user: Any, artist: Any) -> Workflow:
    sync_workflows()
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    return Workflow.objects.get(key="local.panel")


def make(project: Any, actor: Any, panel: Workflow, **fields: Any) -> RenderPreset:
    return presets.create_preset(
        project=project, actor=actor, fields={"name": "밤", "workflow": panel, "params": {"seed": 1}, **fields}
    )


def test_a_private_one_is_seen_by_its_author_alone(project: Any, admin_user: Any, artist: Any, panel: Workflow) -> None:
    mine = make(project, artist, panel, shared=False)
    ours = make(project, artist, panel, name="모두")
    assert list(presets.presets_visible_to(artist)) == [ours, mine]
    assert list(presets.presets_visible_to(admin_user)) == [ours]
    with pytest.raises(NotFound):
        presets.preset_for(admin_user, mine.pk)


def test_a_clone_is_ones_own(project: Any, admin_user: Any, artist: Any, panel: Workflow) -> None:
    ours = make(project, admin_user, panel)
    copies = [presets.clone_preset(preset=ours, actor=artist) for _n in range(2)]
    assert [copy.name for copy in copies] == ["밤 2", "밤 3"]
    assert {(c.author, c.shared, c.workflow, c.params["seed"]) for c in copies} == {(artist, False, panel, 1)}
    assert presets.clone_preset(preset=ours, actor=artist, name="나의 밤").name == "나의 밤"
    with pytest.raises(Conflict):
        presets.clone_preset(preset=ours, actor=artist, name="밤")


def test_edits_and_removals_are_undone(project: Any, admin_user: Any, panel: Workflow) -> None:
    row = make(project, admin_user, panel)
    presets.update_preset(preset=row, actor=admin_user, fields={"params": {"seed": 9}, "name": "낮"})
    presets.remove_preset(preset=row, actor=admin_user)
    assert not presets.presets_visible_to(admin_user).exists()
    undo(project=project, actor=admin_user)
    row.refresh_from_db()
    assert (row.name, row.params, row.removed_at) == ("낮", {"seed": 9}, None)
    undo(project=project, actor=admin_user)
    row.refresh_from_db()
    assert (row.name, row.params) == ("밤", {"seed": 1})


def test_parameters_are_those_of_the_workflow(project: Any, admin_user: Any, panel: Workflow) -> None:
    for wrong in ({"params": {"sead": 1}}, {"params": []}, {"params": {"seed": "x"}}, {"shared": "yes"}):
        with pytest.raises(Invalid):
            make(project, admin_user, panel, **wrong)
    assert not RenderPreset.objects.exists()
    row = make(project, admin_user, panel)
    with pytest.raises(Invalid):
        presets.update_preset(preset=row, actor=admin_user, fields={"params": {"stepz": 4}})


def test_only_its_author_takes_a_shared_one_away(project: Any, admin_user: Any, artist: Any, panel: Workflow) -> None:
    row = make(project, artist, panel)
    with pytest.raises(NotAllowed):
        presets.update_preset(preset=row, actor=admin_user, fields={"shared": False})
    presets.update_preset(preset=row, actor=artist, fields={"shared": False})
    assert not presets.presets_visible_to(admin_user).exists()
