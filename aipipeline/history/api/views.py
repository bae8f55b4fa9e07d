"""Projects, undo and redo."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.history import project_services as services
from aipipeline.history import services as history
from aipipeline.projects.api.views import Endpoint, integer, only, text
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Membership, Project, User
from aipipeline.projects.permissions import operations_of, require, role_of

FIELDS = ("code", "title", "description", "fps", "width", "height", "steps", "engine", "language", "revision")


def project_json(project: Project) -> dict[str, Any]:
    facts = {name: getattr(project, name) for name in FIELDS}
    return {"id": project.pk, **facts, "confirmed_at": project.confirmed_at, "created_at": project.created_at}


class Projects(Endpoint):
    def get(self, request: Request) -> Response:
        rows = Project.objects.visible_to(request.user)
        return self.page(rows, lambda found: [project_json(p) for p in found], ordering=("-created_at", "-id"))

    def post(self, request: Request) -> Response:
        require(request.user, "project.create")
        body = self.body()
        only(body, "code", "title", *services.EDITABLE)
        if missing := [name for name in ("code", "title") if not text(body, name).strip()]:
            raise Invalid(_("A project needs a code and a title."), fields={key: [_("required")] for key in missing})
        project = services.create_project(actor=request.user, tab=self.tab, **body)
        return Response(project_json(project), status=201)


class ProjectDetail(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        allowed = sorted(operations_of(request.user, project))
        return Response({**project_json(project), "role": role_of(request.user, project), "operations": allowed})

    def patch(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.edit")
        body = self.body()
        seen = integer(body.pop("revision", None), "revision")
        row = services.update_project(project=project, actor=request.user, fields=body, seen=seen, tab=self.tab)
        return Response(project_json(row))

    def delete(self, request: Request, code: str) -> Response:
        services.remove_project(project=self.project(code, "project.delete"), actor=request.user, tab=self.tab)
        return Response(status=204)


class Members(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        rows = Membership.objects.filter(project=self.project(code, "project.view")).select_related("user")
        return self.page(rows, lambda found: [member_json(row) for row in found])

    def post(self, request: Request, code: str) -> Response:
        """Make a person a member, or change a member's role."""
        project = self.project(code, "project.members")
        body = self.body()
        only(body, "username", "role")
        user = User.objects.filter(username=text(body, "username"), is_active=True).first()
        if user is None:
            raise Invalid(_("There is no such person."), fields={"username": [_("unknown")]})
        member = services.set_member(
            project=project, actor=request.user, user=user, role=text(body, "role"), tab=self.tab
        )
        return Response(member_json(member), status=201)


def member_json(row: Membership) -> dict[str, Any]:
    return {"username": row.user.username, "display_name": str(row.user), "role": row.role}


class OneMember(Endpoint):
    def delete(self, request: Request, code: str, username: str) -> Response:
        project = self.project(code, "project.members")
        member = Membership.objects.filter(project=project, user__username=username).select_related("user").first()
        if member is None:
            raise NotFound(_("This person is not a member of the project."))
        services.remove_member(project=project, actor=request.user, user=member.user, tab=self.tab)
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
