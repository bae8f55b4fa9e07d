"""The cut over REST: read, change, export, proxy, deliveries."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import MAX_ROWS, Endpoint, integer, only, text
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from celery_workers.api.views import task_json
from celery_workers.models import LedgerTask
from timeline.models import Marker, MovieKind
from timeline.selectors import clips_of
from timeline.services.edits import apply_ops, ensure_edit
from timeline.services.exports import CONTENT_TYPES, export_cut
from timeline.services.movies import request_movie

DELIVERIES = {"h264": MovieKind.FILM}


def edit_json(project: Project) -> dict[str, Any]:
    edit = ensure_edit(project)
    clips = clips_of(project, edit)
    return {
        "id": edit.pk,
        "revision": edit.revision,
        "fps": project.fps,
        "frames": clips[-1].end if clips else 0,
        "clips": [
            {
                "shot": entry.shot.pk,
                "code": entry.shot.code,
                "start": entry.start,
                "duration_frames": entry.shot.duration_frames,
                "version": entry.version.pk if entry.version else None,
                "revision": entry.shot.revision,
            }
            for entry in clips
        ],
        "markers": list(Marker.objects.live().filter(edit=edit).values("id", "frame", "name", "comment", "color")),
    }


class EditDetail(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        return Response(edit_json(self.project(code, "project.view")))

    def patch(self, request: Request, code: str) -> Response:
        project = self.project(code, "timeline.edit")
        body = self.body()
        only(body, "revision", "ops")
        ops = body.get("ops")
        if not isinstance(ops, list) or len(ops) > MAX_ROWS or not all(isinstance(op, dict) for op in ops):
            raise Invalid(_("Give `ops` as a list of objects."), fields={"ops": [_("not a list")]})
        apply_ops(
            project=project,
            actor=request.user,
            ops=ops,
            revision=integer(body.get("revision"), "revision"),
            tab=self.tab,
        )
        return Response(edit_json(project))


class Proxy(Endpoint):
    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "timeline.edit")
        task = request_movie(project=project, actor=request.user, kind=MovieKind.PROXY)
        return Response({"task": str(task.pk)}, status=202)


class Export(Endpoint):
    def get(self, request: Request, code: str, suffix: str) -> HttpResponse:
        name, content = export_cut(project=self.project(code, "timeline.export"), format=suffix)
        return HttpResponse(
            content,
            content_type=CONTENT_TYPES[suffix],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


class Deliveries(Endpoint):
    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "timeline.export")
        body = self.body()
        only(body, "kind")
        kind = text(body, "kind") or "h264"
        if kind not in DELIVERIES:
            raise Invalid(_("Deliveries: h264."), fields={"kind": [_("unknown")]})
        task = request_movie(project=project, actor=request.user, kind=DELIVERIES[kind])
        return Response({"id": str(task.pk), "task": str(task.pk)}, status=202)


class DeliveryDetail(Endpoint):
    def get(self, request: Request, delivery_id: UUID) -> Response:
        visible = Project.objects.visible_to(request.user)
        rows = LedgerTask.objects.filter(pk=delivery_id, kind="timeline.film", project__in=visible)
        task = rows.select_related("project").first()
        if task is None or task.project is None:
            raise NotFound(_("There is no such delivery."))
        require(request.user, "timeline.download", task.project)
        movie = task.result.get("movie")
        url = reverse("timeline:movie", args=[task.project.code, movie]) if movie else None
        return Response({**task_json(task), "url": url})
