"""An edit of any row of the studio reaches the files: what is on disk then is what a fresh description says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aipipeline.history.people_services import update_user
from aipipeline.history.project_services import remove_member, set_member, update_project
from aipipeline.history.services import recording, undo
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from aipipeline.studio.tests import rich
from aipipeline.studio.tests.natural import exported
from assets.metadata import describe
from assets.models import Character
from renders.models import Version, Workflow
from renders.services.own_workflows import set_enabled, update_about
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from shots.models import Casting, Shot, StaleMark
from shots.services import editing
from shots.services.confirm import confirm
from shots.services.tree.metadata import mark_stale, write_stale
from tests.factories import applied_project, picture
from timeline.services.edits import ensure_edit

pytestmark = pytest.mark.django_db

# By model, what is changed of one of its rows. A model that is not here fails the test below.
EDITS: dict[str, dict[str, Any]] = {
    "projects.project": {"title": "새 제목"},
    "notes.note": {"text": "다시 씀"},
    "tables.customcolumn": {"label": "다른 이름"},
    "tables.savedview": {"name": "다른 보기"},
    "tables.tablesettings": {"labels": {"size": "사이즈"}},
    "tables.sheetmapping": {"name": "다른 표"},
    "assets.lora": {"name": "리나 얼굴 2"},
    "assets.character": {"name": "리나나"},
    "assets.environment": {"name": "카페 2층"},
    "assets.cinematicpreset": {"name": "한밤"},
    "shots.scenario": {"title": "2고", "text": "S#1. 새 글\n"},
    "shots.scene": {"code": "SCN_015"},
    "shots.shot": {"code": "SHT_0015"},
    "shots.casting": {"order": 7},
    "shots.shotstep": {"reason": "왜냐하면"},
    "shots.translation": {"words": "Rina, twenty"},
    "renders.renderpreset": {"params": {"steps": 8}},
    "timeline.edit": {"name": "2차 편집"},
    "timeline.track": {"name": "V9"},
    "timeline.clip": {"source_in": 9},
    "timeline.marker": {"name": "다른 음악"},
}
# These are no edits of a person's that could be undone; each has its own way below.
# Rows that have a file of their own, and are told of in those of others.
OWNERS = {"assets.character", "assets.environment", "shots.scene", "shots.shot"}
PLAIN = {
    "projects.membership", "renders.version", "renders.review", "shots.folder", "renders.workflow",
    "renders.workflowgraph",
}  # fmt: skip


def agrees(project: Project, what: str, *, changed: bool = True) -> None:
    """What waits is written; then nothing differs from a fresh description of everything."""
    first = write_stale(project.pk)
    assert first.problems == {}, what
    assert first.written > 0 or not changed, f"{what}: no file tells of it"
    assert not StaleMark.objects.exists(), what
    mark_stale(project.pk, "all", [project.pk])
    assert write_stale(project.pk).written == 0, f"{what}: a file tells something old"


def test_every_model_is_told_or_named() -> None:
    tracked = {model._meta.label_lower for model in exported() if issubclass(model, Tracked)}
    assert tracked == set(EDITS)
    assert {model._meta.label_lower for model in exported()} - tracked == PLAIN


def test_an_edit_of_any_row_reaches_its_file(project: Project, admin_user: Any, artist: Any, tmp_path: Path) -> None:
    project = rich.build(project, admin_user, artist, tmp_path)
    agrees(project, "as built", changed=False)
    for model in exported():
        label = model._meta.label_lower
        if label not in EDITS:
            continue
        mine = {"pk": project.pk} if model is Project else {"project": project}
        row = model._default_manager.filter(**mine, removed_at=None).order_by("id")[0]
        if label == "shots.shot":
            # A locked shot keeps its code.
            with recording(project=project, actor=admin_user, kind="x") as recorder:
                recorder.update(row, locked=False)
        with recording(project=project, actor=admin_user, kind="x", tab="t") as recorder:
            assert recorder.update(row, **EDITS[label]), label
        agrees(project, f"{label} changed")
        undo(project=project, actor=admin_user, tab="t")
        agrees(project, f"{label} undone")
        if label in OWNERS:
            row.refresh_from_db()
            with recording(project=project, actor=admin_user, kind="x") as recorder:
                recorder.remove([row])
            agrees(project, f"{label} removed")
            with recording(project=project, actor=admin_user, kind="x") as recorder:
                recorder.restore([row])


def test_what_is_no_edit_reaches_the_files_too(project: Project, admin_user: Any, artist: Any, tmp_path: Path) -> None:
    project = rich.build(project, admin_user, artist, tmp_path)
    shot = Shot.objects.select_related("project", "scene").get(code="SHT_0010")
    loose = Shot.objects.select_related("project", "scene").get(code="SHT_5000")
    image = {"n.png": picture(tmp_path / "n.png")}
    version = Version.objects.live().filter(shot=shot, kind="previz").order_by("-number")[0]
    brought = Workflow.objects.select_related("graph").get(project=project)
    assert brought.graph is not None
    newer = {**brought.graph.about, "vram_gb": 48}
    acts: dict[str, Callable[[], Any]] = {
        "a role": lambda: set_member(project=project, actor=admin_user, user=artist, role="guest"),
        "a member less": lambda: remove_member(project=project, actor=admin_user, user=artist),
        "a member more": lambda: set_member(project=project, actor=admin_user, user=artist, role="artist"),
        "a name": lambda: update_user(user=artist, actor=admin_user, fields={"display_name": "새 이름"}),
        "a user name": lambda: update_user(user=artist, actor=admin_user, fields={"username": "painter"}),
        "a setting": lambda: update_project(project=project, actor=admin_user, fields={"fps": "30"}),
        "a version": lambda: publish_files(owner=shot, kind="render", files=image, actor=artist),
        "a version of a new shot": lambda: publish_files(owner=loose, kind="previz", files=image, actor=artist),
        "a review": lambda: review_version(version=version, actor=admin_user, verdict="approve", text="이것"),
        "a workflow off": lambda: set_enabled(workflow=brought, actor=admin_user, enabled=False),
        "a version of a workflow": lambda: update_about(workflow=brought, actor=admin_user, about=newer),
        "a new shot": lambda: editing.create_shot(project=project, actor=admin_user),
        "the cut": lambda: ensure_edit(project),
        "a confirm": lambda: confirm(project=project, actor=admin_user),
    }
    for what, act in acts.items():
        act()
        agrees(project, what, changed=what != "a confirm")


def test_a_description_takes_as_many_queries_for_many_rows(project: Project, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    rina = Character.objects.get(name="리나")

    def asked() -> dict[str, int]:
        found = {}
        for kind, rows in {
            "shot": list(Shot.objects.filter(project=project)), "character": list(Character.objects.all()),
            "project": [project], "scenario": [project], "edit": [project],
        }.items():  # fmt: skip
            with CaptureQueriesContext(
                connection,
            ) as queries:
                describe(kind, rows)
            found[kind] = len(queries)
        return found

    few = asked()
    more = [Shot(project=project, code=f"X{n}", scene=shots[0].scene, scenario=shots[0].scenario) for n in range(40)]
    Casting.objects.bulk_create(
        Casting(project=project, shot=shot, character=rina) for shot in Shot.objects.bulk_create(more)
    )
    Character.objects.bulk_create(Character(project=project, name=f"엑스트라 {n}") for n in range(40))
    assert asked() == few
