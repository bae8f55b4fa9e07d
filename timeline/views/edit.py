"""The timeline: player, clips in order, markers; change, make movies, export."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from aipipeline.media.serving import serve_file
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_refresh, hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, number_in, project_page, tab_of
from celery_workers.models import OPEN_STATES, LedgerTask
from timeline.models import Marker, Movie
from timeline.selectors import EditClip, clips_of
from timeline.services.edits import apply_ops, ensure_edit
from timeline.services.exports import CONTENT_TYPES, export_cut
from timeline.services.movies import movie_state, request_movie


def edit_context(request: HttpRequest, project: Project) -> dict[str, Any]:
    edit = ensure_edit(project)
    clips = clips_of(project, edit)
    markers = list(Marker.objects.live().filter(edit=edit))
    tasks = LedgerTask.objects.filter(
        project=project, kind__in=["timeline.proxy", "timeline.film"], state__in=OPEN_STATES
    )
    return {
        **project_context(request, project),
        "edit": edit,
        "clips": clips,
        "markers": markers,
        "total_frames": clips[-1].end if clips else 0,
        "movies": movie_state(project),
        "tasks": list(tasks),
        "data": _data(project, edit.pk, edit.revision, edit.start_frame, clips, markers),
    }


def _data(
    project: Project,
    edit_id: int,
    revision: int,
    start: int | None,
    clips: list[EditClip],
    markers: list[Marker],
) -> dict[str, Any]:
    """What timeline.js draws: whole frames, addresses of thumbnails and shot pages."""
    rate = project.rate
    return {
        "edit": edit_id,
        "revision": revision,
        "fps": [rate.numerator, rate.denominator],
        "start_frame": start if start is not None else 3600 * round(rate),
        "clips": [
            {
                "shot": entry.shot.pk,
                "code": entry.shot.code,
                "scene": entry.shot.scene.code if entry.shot.scene else "",
                "description": entry.shot.description,
                "start": entry.start,
                "duration": entry.shot.duration_frames,
                "revision": entry.shot.revision,
                "locked": entry.shot.locked,
                "kind": entry.version.kind if entry.version else "",
                "thumb": reverse("renders:thumb", args=[entry.version.pk, 320]) if entry.version else "",
                "url": reverse("shots:detail", args=[project.code, entry.shot.pk]),
            }
            for entry in clips
        ],
        "markers": [
            {"id": m.pk, "frame": m.frame, "name": m.name, "comment": m.comment, "color": m.color} for m in markers
        ],
    }


@require_GET
@project_page("project.view")
def edit(request: HttpRequest, project: Project) -> HttpResponse:
    return render_page_or_fragment(request, "timeline/edit.html", "timeline/_edit.html", edit_context(request, project))


@require_http_methods(["PATCH", "POST"])
@project_page("timeline.edit")
def change(request: HttpRequest, project: Project) -> HttpResponse:
    """Ops from the page (move, length, remove, marker, unmark); answers with the new fragment."""
    body = body_of(request)
    ops = body.get("ops")
    if not isinstance(ops, list) or not all(isinstance(op, dict) for op in ops):
        raise Invalid(_("Give `ops` as a list of objects."), fields={"ops": [_("not a list")]})
    revision = number_in(body, "revision", required=False)
    apply_ops(project=project, actor=request.user, ops=ops, revision=revision, tab=tab_of(request))
    return render(request, "timeline/_edit.html", edit_context(request, project))


@require_POST
@project_page("timeline.edit")
def make(request: HttpRequest, project: Project, kind: str) -> HttpResponse:
    """Start a proxy or the film."""
    request_movie(project=project, actor=request.user, kind=kind)
    response = HttpResponse(status=204)
    hx_refresh(response)
    words = {"proxy": _("The preview is being made."), "film": _("The film is being assembled.")}
    return hx_toast(response, words[kind])


@require_GET
@project_page("timeline.export")
def export(request: HttpRequest, project: Project, format: str) -> HttpResponse:
    name, content = export_cut(project=project, format=format)
    return HttpResponse(
        content,
        content_type=CONTENT_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
@project_page("timeline.download")
def movie(request: HttpRequest, project: Project, movie_id: int) -> HttpResponseBase:
    """A proxy or film, with Range; `?download=1` under its own name."""
    row = Movie.objects.filter(project=project, pk=movie_id).first()
    if row is None:
        raise NotFound(_("There is no such movie."))
    path = project.root / row.path
    return serve_file(request, path, download_name=path.name if "download" in request.GET else "", immutable=True)
