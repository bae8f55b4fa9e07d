"""The shot list and the page of one shot."""

from typing import Any

from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, project_page, tab_of
from assets.models import CinematicPreset, Environment
from shots.choices import Angle, Movement, ShotSize
from shots.models import Shot, ShotState, Step
from shots.models.step import ALLOWED
from shots.selectors import scenes_of, shot_for
from shots.services import steps
from shots.services.locks import unlock_shot


def list_context(request: HttpRequest, project: Project) -> dict[str, Any]:
    """What stands around the shot list; its rows come by the grid's own stream. One query."""
    counts = (
        Shot.objects.live()
        .filter(project=project)
        .aggregate(
            shots=Count("pk"), frames=Sum("duration_frames", default=0), unlocked=Count("pk", filter=Q(locked=False))
        )
    )
    return {**project_context(request, project), "counts": counts}


def editor_choices(request: HttpRequest, project: Project) -> dict[str, Any]:
    return {
        "scenes": list(scenes_of(project, request.user)),
        "environments": list(Environment.objects.live().filter(project=project)),
        "presets": list(CinematicPreset.objects.live().filter(project=project)),
        "sizes": ShotSize.choices,
        "angles": Angle.choices,
        "movements": Movement.choices,
        "states": ShotState.choices,
    }


@require_GET
@project_page("project.view")
def shot_list(request: HttpRequest, project: Project) -> HttpResponse:
    return render_page_or_fragment(
        request, "shots/shot_list.html", "shots/_shot_list.html", list_context(request, project)
    )


def shot_list_fragment(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "shots/_shot_list.html", list_context(request, project))


@require_POST
@project_page("shots.edit")
def transition(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    body = body_of(request)
    shot = shot_for(request.user, shot_id)
    to = str(body.get("to", ""))
    if to in (ShotState.APPROVED, ShotState.FINAL):
        require(request.user, "shots.approve", project)
    steps.move_step(
        shot=shot,
        step=str(body.get("step") or shot.current_step),
        to=to,
        actor=request.user,
        tab=tab_of(request),
        reason=str(body.get("reason", "")),
    )
    return HttpResponse(status=204)


@require_POST
@project_page("shots.unlock")
def unlock(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    reason = str(body_of(request).get("reason", ""))
    unlock_shot(shot=shot_for(request.user, shot_id), actor=request.user, reason=reason, tab=tab_of(request))
    response = HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return hx_toast(response, _("Unlocked."))


def moves_of(shot: Shot) -> list[dict[str, Any]]:
    """The steps of a shot with the states that each may go to."""
    labels = dict(ShotState.choices)
    order = list(Step.values)
    rows = sorted(shot.steps.filter(removed_at=None).select_related("assignee"), key=lambda s: order.index(s.step))
    return [
        {
            "row": row,
            "to": [(state, labels[state]) for state in ShotState.values if state in ALLOWED[row.state]],
        }
        for row in rows
    ]
