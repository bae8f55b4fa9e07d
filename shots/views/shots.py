"""The shot list and the page of one shot."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.tables.durations import frames_from
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, number_in, project_page, tab_of
from assets.models import CinematicPreset, Environment
from shots.choices import Angle, Movement, ShotSize
from shots.models import Shot, ShotState, Step
from shots.models.step import ALLOWED
from shots.providers import thumbnails_of
from shots.selectors import scenes_of, shot_for, shots_of
from shots.services import editing, steps
from shots.services.confirm import confirm as confirm_tree
from shots.services.locks import unlock_shot


def list_context(request: HttpRequest, project: Project) -> dict[str, Any]:
    """What the shot list shows; the choices of its editors are read once, not per row."""
    shots = shots_of(project, request.user)
    scene = request.GET.get("scene", "")
    status = request.GET.get("status", "")
    words = request.GET.get("q", "").strip()
    if (number := whole_number(scene)) is not None:
        shots = shots.filter(scene_id=number)
    if status in ShotState.values:
        shots = shots.filter(status=status)
    if words:
        from django.db.models import Q

        shots = shots.filter(
            Q(code__icontains=words)
            | Q(description__icontains=words)
            | Q(action__icontains=words)
            | Q(dialogue__icontains=words)
        )
    rows = list(shots)
    return {
        **project_context(request, project),
        "shots": rows,
        "thumbs": thumbnails_of(rows),
        "total_frames": sum(shot.duration_frames for shot in rows),
        "unlocked": sum(not shot.locked for shot in rows),
        "filtered": bool(scene or status or words),
        "q": words,
        "scene_filter": scene,
        "status_filter": status,
        **editor_choices(request, project),
    }


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


def _row(request: HttpRequest, project: Project, shot_id: int, status: int = 200) -> HttpResponse:
    shot = shots_of(project, request.user).filter(pk=shot_id).first()
    if shot is None:
        raise NotFound(_("There is no such shot in this project."))
    context = {**project_context(request, project), "shot": shot, "thumbs": thumbnails_of([shot])}
    return render(request, "shots/_row.html", context, status=status)


@require_http_methods(["GET", "PATCH"])
@project_page("project.view")
def cell(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    """Save one cell: field, value, revision. Answers with the row; 409 shows both values. GET: the row as it is."""
    if request.method == "GET":
        return _row(request, project, shot_for(request.user, shot_id).pk)
    require(request.user, "shots.edit", project)
    body = body_of(request)
    field = str(body.get("field", ""))
    value: Any = body.get("value", "")
    if field == "duration_frames":
        value = frames_from(str(value), project.rate)
    elif field == "characters" and isinstance(value, str):
        value = [part for part in value.split(",") if part.strip()]
    editing.update_shots(
        project=project,
        actor=request.user,
        tab=tab_of(request),
        items=[
            {
                "id": shot_id,
                "revision": number_in(body, "revision", required=False),
                "fields": {field: value},
            }
        ],
    )
    return _row(request, project, shot_id)


@require_POST
@project_page("shots.edit")
def add(request: HttpRequest, project: Project) -> HttpResponse:
    body = body_of(request)
    after = number_in(body, "after", required=False)
    shot = editing.create_shot(
        project=project,
        actor=request.user,
        tab=tab_of(request),
        after=shot_for(request.user, after) if after else None,
        description=str(body.get("description", "")),
    )
    response = shot_list_fragment(request, project)
    return hx_toast(response, _("%(code)s added.") % {"code": shot.code})


def shot_list_fragment(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "shots/_shot_list.html", list_context(request, project))


@require_POST
@project_page("shots.delete")
def remove(request: HttpRequest, project: Project) -> HttpResponse:
    ids = _ids(request)
    gone = editing.remove_shots(project=project, actor=request.user, ids=ids, tab=tab_of(request))
    response = shot_list_fragment(request, project)
    return hx_toast(response, _("%(n)s shots removed. Ctrl+Z brings them back.") % {"n": len(gone)})


@require_POST
@project_page("shots.edit")
def reorder(request: HttpRequest, project: Project) -> HttpResponse:
    body = body_of(request)
    editing.reorder_shots(
        project=project,
        actor=request.user,
        ids=_ids(request),
        before=number_in(body, "before", required=False),
        tab=tab_of(request),
    )
    return shot_list_fragment(request, project)


def _ids(request: HttpRequest) -> list[int]:
    """Shot ids: a JSON list, or form fields `ids` (several, or one with commas)."""
    body = body_of(request)
    raw = body.get("ids", [])
    parts = raw if isinstance(raw, list) else request.POST.getlist("ids") or str(raw).split(",")
    flat = [piece for part in parts for piece in str(part).split(",") if piece.strip()]
    ids = [number for piece in flat if (number := whole_number(piece)) is not None]
    if not flat or len(ids) != len(flat):
        raise Invalid(_("Choose at least one shot."), fields={"ids": [_("empty")]})
    return ids


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
    return _row(request, project, shot_id)


@require_POST
@project_page("shots.confirm")
def confirm(request: HttpRequest, project: Project) -> HttpResponse:
    report = confirm_tree(project=project, actor=request.user, tab=tab_of(request))
    response = shot_list_fragment(request, project)
    text = _("Production tree ready: %(folders)s folders, %(files)s files written, %(locked)s shots locked.")
    return hx_toast(
        response,
        text % {"folders": report.folders_made, "files": report.files_written, "locked": len(report.locked)},
    )


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
