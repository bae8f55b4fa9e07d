"""The page of one character, environment or preset: its fields, its references, where it is used.

It needs versions and shots, so it lives here.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import wants_fragment
from aipipeline.ui.pages import project_page
from assets.forms import Kind, kind_named, sections_of, words
from assets.models import CinematicPreset
from assets.presets_rules import FIELDS, check
from renders.models import VersionStatus, Workflow
from renders.models.job import OPEN_STATES
from renders.selectors import jobs_visible_to, thumbnails
from shots.models import Casting, Scene, Shot

PARTS = {"references": "assets/_references.html", "used": "assets/_used.html"}
WITH_REFERENCES = ("character", "environment")


@require_GET
@project_page("project.view")
def detail(request: HttpRequest, project: Project, kind: str, asset_id: int) -> HttpResponse:
    """The whole page, or with `?part=` one of its live parts for the page's own scripts."""
    found = kind_named(kind)
    row: Any = found.model.objects.live().filter(project=project, pk=asset_id)
    row = (row.select_related("lora") if kind == "character" else row).first()
    if row is None or found.key == "lora":
        raise NotFound(_("There is no such asset in this project."))
    part = request.GET.get("part", "") if wants_fragment(request) else ""
    context = {
        **project_context(request, project),
        "kind": found,
        "asset": row,
        "api": f"/api/v1/projects/{project.code}/{found.plural}/{row.pk}/",
        "has_references": found.key in WITH_REFERENCES,
    }
    if part in ("", "references") and found.key in WITH_REFERENCES:
        context |= _references(request, found, row)
    if part in ("", "used"):
        context |= _used(project, found, row)
    if part in PARTS:
        return render(request, PARTS[part], context)
    context |= {"sections": sections_of(found, row, project)}
    if isinstance(row, CinematicPreset):
        context |= {
            "words": words(), "warnings": check({name: getattr(row, name) for name in FIELDS}),
        }  # fmt: skip
    return render(request, "assets/asset.html", context)


def _references(request: HttpRequest, kind: Kind, row: Any) -> dict[str, Any]:
    """The reference sheet (the approved one), all others newest first, and what is being made."""
    versions = list(row.versions.live().filter(kind="reference").order_by("-number").select_related("created_by"))
    jobs = jobs_visible_to(request.user).filter(**{kind.key: row}, state__in=OPEN_STATES)
    return {
        "versions": versions,
        "sheet": next((v for v in versions if v.status == VersionStatus.APPROVED), None),
        "jobs": list(jobs[:10]),
        "workflows": list(Workflow.objects.filter(output_kind="reference", enabled=True, step="").order_by("key")),
    }


def _used(project: Project, kind: Kind, row: Any) -> dict[str, Any]:
    """Shots in story order with their pictures; a character's castings, an environment's scenes."""
    shots = Shot.objects.live().filter(project=project).select_related("scene").order_by("position", "id")
    context: dict[str, Any] = {"castings": [], "scenes": [], "shots": []}
    if kind.key == "character":
        rows = Casting.objects.live().filter(character=row, shot__removed_at=None)
        castings = list(rows.select_related("shot__scene").order_by("shot__position", "shot_id"))
        for casting in castings:
            casting.character = row
        context["castings"] = castings
        listed = [casting.shot for casting in castings]
    elif kind.key == "environment":
        context["scenes"] = list(Scene.objects.live().filter(project=project, environment=row).order_by("position"))
        context["shots"] = listed = list(shots.filter(environment=row))
    else:
        context["shots"] = listed = list(shots.filter(preset=row))
    pictures = thumbnails(listed)
    return {**context, "pictures": pictures, "used": len(listed)}
