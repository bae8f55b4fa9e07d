"""A project's mirrors over REST: list, make, change, remove, run."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, only
from aipipeline.projects.errors import Invalid
from celery_workers.api.views import task_json
from mirror.models import MirrorTarget
from mirror.selectors import target_for, targets_of
from mirror.services.runs import request_run
from mirror.services.targets import EDITABLE, create_target, remove_target, update_target


def target_json(row: MirrorTarget) -> dict[str, Any]:
    """Names of variables, never what they hold. `last_result` counts files and bytes and lists the first paths."""
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in EDITABLE},
        "location": row.location,
        "next_run_at": row.next_run_at,
        "last_state": row.last_state,
        "last_at": row.last_at,
        "last_message": row.last_message,
        "last_result": row.last_result,
        "task": task_json(row.task) if row.task else None,
    }


class Mirrors(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        rows = targets_of(self.project(code, "project.view"), request.user)
        return self.page(rows, lambda found: [target_json(row) for row in found], ordering=("id",))

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "mirror.manage")
        row = create_target(project=project, actor=request.user, fields=self.body(), tab=self.tab)
        return Response(target_json(row), status=201)


class MirrorDetail(Endpoint):
    def target(self, code: str, target_id: int, operation: str) -> MirrorTarget:
        return target_for(self.project(code, operation), self.request.user, target_id)

    def get(self, request: Request, code: str, target_id: int) -> Response:
        return Response(target_json(self.target(code, target_id, "project.view")))

    def patch(self, request: Request, code: str, target_id: int) -> Response:
        target = self.target(code, target_id, "mirror.manage")
        return Response(target_json(update_target(target=target, actor=request.user, fields=self.body(), tab=self.tab)))

    def delete(self, request: Request, code: str, target_id: int) -> Response:
        target = self.target(code, target_id, "mirror.manage")
        remove_target(target=target, actor=request.user, tab=self.tab)
        return Response(status=204)


class MirrorRun(MirrorDetail):
    http_method_names = ["post", "options"]

    def post(self, request: Request, code: str, target_id: int) -> Response:
        target = self.target(code, target_id, "mirror.manage")
        body = self.body()
        only(body, "dry_run", "verify")
        flags = {name: body.get(name, False) for name in ("dry_run", "verify")}
        if wrong := [name for name, value in flags.items() if not isinstance(value, bool)]:
            raise Invalid(
                _("%(name)s: true or false is needed.") % {"name": wrong[0]},
                fields={name: [_("true or false is needed")] for name in wrong},
            )
        task = request_run(target=target, actor=request.user, **flags)
        return Response(task_json(task), status=202)
