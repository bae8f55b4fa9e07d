"""Confirm, locks and moves of the production tree over REST."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, integers, only, text
from aipipeline.projects.errors import Invalid
from shots.api.forms import listed, shots_json
from shots.selectors import shots_of
from shots.services.confirm import confirm
from shots.services.confirming import start_confirm
from shots.services.locks import unlock_shots
from shots.services.tree.moves import move_folders, plan_moves
from shots.services.tree.planning import plan_tree

MAX_SHOTS = 10_000


class Confirm(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        """What a confirm would do; `?shots=1,2,5-9` for some. Nothing is touched."""
        project = self.project(code, "project.view")
        return Response(plan_tree(project, listed(request.query_params.get("shots"), "shots")).as_json())

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.confirm")
        body = self.body()
        only(body, "shots", "background")
        wanted = body.get("shots")
        ids = integers(wanted, "shots", limit=MAX_SHOTS) if wanted is not None else None
        if flag(body, "background"):
            task = start_confirm(project=project, actor=request.user, shots=ids, tab=self.tab)
            return Response({"task": str(task.pk)}, status=202)
        report = confirm(project=project, actor=request.user, shots=ids, tab=self.tab)
        return Response(report.as_json())


class MoveFolders(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        """The folders that belong elsewhere by now, and what stands against a move."""
        project = self.project(code, "project.view")
        return Response({"moves": [move.as_json() for move in plan_moves(project)]})

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "tree.manage")
        body = self.body()
        only(body, "folders")
        wanted = body.get("folders")
        ids = integers(wanted, "folders", limit=MAX_SHOTS) if wanted is not None else None
        return Response(move_folders(project=project, actor=request.user, folders=ids, tab=self.tab).as_json())


class Unlocks(Endpoint):
    """Many shots opened for one reason: all of them or none."""

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.unlock")
        body = self.body()
        only(body, "shots", "reason")
        ids = integers(body.get("shots"), "shots", limit=MAX_SHOTS)
        reason = text(body, "reason", limit=300)
        rows = unlock_shots(project=project, actor=request.user, ids=ids, reason=reason, tab=self.tab)
        found = shots_of(project, request.user).filter(pk__in=[row.pk for row in rows])
        return Response({"unlocked": shots_json(list(found))})


def flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(_("%(name)s: true or false is needed.") % {"name": name}, fields={name: [_("not a flag")]})
    return value
