"""Reads of shots for people: every query starts at what the actor may see, and is constant in the rows."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from shots.models import Casting, Scenario, Scene, Shot, ShotStep, Translation


def prefetch_row(rows: "QuerySet[Shot]") -> "QuerySet[Shot]":
    """Everything that a row shows, in a constant number of queries: `cast` and `step_rows` become lists."""
    castings = Casting.objects.live().select_related("character")
    return rows.select_related("scene", "environment", "preset", "project").prefetch_related(
        Prefetch("castings", queryset=castings, to_attr="cast"),
        Prefetch("steps", queryset=ShotStep.objects.live(), to_attr="step_rows"),
    )


def shots_of(project: Project, actor: Any) -> "QuerySet[Shot]":
    """The shot list in story order, as far as the actor may see it."""
    rows: QuerySet[Shot] = Shot.objects.visible_to(actor).live().filter(project=project)
    return prefetch_row(rows).order_by("position", "id")


def shot_for(actor: Any, shot_id: int) -> Shot:
    """One live shot that the actor may see; NotFound otherwise."""
    shot: Shot | None = (
        Shot.objects.visible_to(actor)
        .live()
        .filter(pk=shot_id)
        .select_related("project", "scene__environment", "environment", "preset")
        .first()
    )
    if shot is None:
        raise NotFound(_("There is no such shot, or you are not a member of its project."))
    return shot


def shot_in(project: Project, actor: Any, shot_id: int) -> Shot:
    """One live shot of this project; NotFound otherwise."""
    shot = shot_for(actor, shot_id)
    if shot.project_id != project.pk:
        raise NotFound(_("There is no such shot in this project."))
    return shot


def castings_of(shot: Shot) -> QuerySet[Casting]:
    """Who plays in the shot, in order, with what a casting takes from its character."""
    rows = Casting.objects.live().filter(shot=shot, character__removed_at=None)
    return rows.select_related("shot", "project", "character__lora").order_by("order", "id")


def scenes_of(project: Project, actor: Any) -> QuerySet[Scene]:
    return Scene.objects.visible_to(actor).live().filter(project=project).select_related("environment")


def scenarios_of(project: Project, actor: Any) -> QuerySet[Scenario]:
    return Scenario.objects.visible_to(actor).live().filter(project=project)


def translations_of(project: Project, actor: Any) -> QuerySet[Translation]:
    return Translation.objects.visible_to(actor).live().filter(project=project)
