"""Projects, undo and redo."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.history import project_services as services
from aipipeline.history import services as history
from aipipeline.projects.api.views import Endpoint, integer
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require, role_of

FIELDS = ("code", "title", "description", "fps", "width", "height", "steps", "engine", "language", "revision")


def project_json(project: Project) -> dict[str, Any]:
    facts = {name: getattr(project, name) for name in FIELDS}
    return {"id": project.pk, **facts, "confirmed_at": project.confirmed_at, "created_at": project.created_at}


class Projects(Endpoint):
    def get(self, request: Request) -> Response:
        rows = Project.objects.visible_to(request.user)
        return self.page(rows, lambda found: [project_json(p) for p in found])

    def post(self, request: Request) -> Response:
        require(request.user, "project.create")
        body = self.body()
        missing = [name for name in ("code", "title") if not str(body.get(name) or "").strip()]
        if missing:
            raise Invalid(_("A project needs a code and a title."), fields={key: [_("required")] for key in missing})
        project = services.create_project(
            actor=request.user, code=str(body.pop("code")), title=str(body.pop("title")), **body
        )
        return Response(project_json(project), status=201)


class ProjectDetail(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        return Response({**project_json(project), "role": role_of(request.user, project)})

    def patch(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.edit")
        body = self.body()
        seen = integer(body.pop("revision", None), "revision")
        row = services.update_project(project=project, actor=request.user, fields=body, seen=seen, tab=self.tab)
        return Response(project_json(row))

    def delete(self, request: Request, code: str) -> Response:
        services.remove_project(project=self.project(code, "project.delete"), actor=request.user)
        return Response(status=204)


class Undo(Endpoint):
    redo = False

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        work = history.redo if self.redo else history.undo
        done = work(project=project, actor=request.user, tab=self.tab)
        return Response(
            {"action": str(done.action.pk), "kind": done.action.kind, "rows": done.rows, "skipped": done.skipped}
        )


class Redo(Undo):
    redo = True
