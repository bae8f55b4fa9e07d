"""Scenes and shots over REST."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, integer, integers, only, text
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from shots.api.forms import clean_cells, shots_json
from shots.models import Scene, Shot, ShotState
from shots.selectors import scenes_of, shot_for, shots_of
from shots.services import editing, moves, scenes
from shots.services.cells import of_one_row
from shots.services.locks import unlock_shot

MAX_MOVED = 10_000


class ShotEndpoint(Endpoint):
    def shot(self, shot_id: int, operation: str) -> Shot:
        shot = shot_for(self.request.user, shot_id)
        require(self.request.user, operation, shot.project)
        return shot

    def answer(self, project: Project, shot_id: int, status: int = 200) -> Response:
        row = shots_of(project, self.request.user).filter(pk=shot_id).first()
        if row is None:
            raise NotFound(_("There is no such shot in this project."))
        return Response(shots_json([row])[0], status=status)


class Scenes(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        rows = scenes_of(project, request.user)
        return self.page(rows, lambda found: [_scene_json(row) for row in found], ordering=("position", "id"))

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.edit")
        row = scenes.create_scene(project=project, actor=request.user, fields=self.body(), tab=self.tab)
        return Response(_scene_json(row), status=201)


class SceneDetail(Endpoint):
    def scene(self, code: str, scene_id: int, operation: str) -> Scene:
        project = self.project(code, operation)
        row = scenes_of(project, self.request.user).select_related("project").filter(pk=scene_id).first()
        if row is None:
            raise NotFound(_("There is no such scene in this project."))
        return row

    def get(self, request: Request, code: str, scene_id: int) -> Response:
        return Response(_scene_json(self.scene(code, scene_id, "project.view")))

    def patch(self, request: Request, code: str, scene_id: int) -> Response:
        scene = self.scene(code, scene_id, "shots.edit")
        body = self.body()
        seen = integer(body.pop("revision", None), "revision")
        row = scenes.update_scene(scene=scene, actor=request.user, fields=body, seen=seen, tab=self.tab)
        return Response(_scene_json(row))

    def delete(self, request: Request, code: str, scene_id: int) -> Response:
        scene = self.scene(code, scene_id, "shots.delete")
        scenes.remove_scene(scene=scene, actor=request.user, tab=self.tab)
        return Response(status=204)


def _scene_json(row: Scene) -> dict[str, Any]:
    names = ("code", "number", "heading", "synopsis", "position", "revision")
    return {"id": row.pk, **{name: getattr(row, name) for name in names}, "environment": row.environment_id}


class Shots(ShotEndpoint):
    def get(self, request: Request, code: str) -> Response:
        rows = shots_of(self.project(code, "project.view"), request.user)
        if request.query_params.get("status") in ShotState.values:
            rows = rows.filter(status=request.query_params["status"])
        return self.page(rows, shots_json, ordering=("position", "id"))

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.edit")
        body = self.body()
        after = integer(body.pop("after", None), "after")
        fields = clean_cells(body)
        before = shot_for(request.user, after) if after is not None else None
        if before is not None and before.project_id != project.pk:
            raise NotFound(_("There is no such shot in this project."))
        shot = editing.create_shot(project=project, actor=request.user, tab=self.tab, after=before, **fields)
        return self.answer(project, shot.pk, status=201)


class ShotDetail(ShotEndpoint):
    def get(self, request: Request, shot_id: int) -> Response:
        return self.answer(self.shot(shot_id, "project.view").project, shot_id)

    def patch(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.edit")
        body = self.body()
        seen = integer(body.pop("revision", None), "revision")
        item = {"id": shot.pk, "revision": seen, "fields": clean_cells(body)}
        try:
            editing.update_shots(project=shot.project, actor=request.user, items=[item], tab=self.tab)
        except Invalid as error:
            raise of_one_row(error) from error
        return self.answer(shot.project, shot_id)

    def delete(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.delete")
        editing.remove_shots(project=shot.project, actor=request.user, ids=[shot_id], tab=self.tab)
        return Response(status=204)


class Transition(ShotEndpoint):
    def post(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.edit")
        body = self.body()
        only(body, "step", "to", "reason")
        to = text(body, "to")
        moves.move_shots_to(
            project=shot.project,
            actor=request.user,
            ids=[shot.pk],
            to=to,
            step=text(body, "step"),
            tab=self.tab,
            reason=text(body, "reason", limit=300),
        )
        return self.answer(shot.project, shot_id)


class Transitions(ShotEndpoint):
    """Many shots to one status: all of them or none."""

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.edit")
        body = self.body()
        only(body, "ids", "step", "to", "reason")
        moved = moves.move_shots_to(
            project=project,
            actor=request.user,
            ids=integers(body.get("ids"), "ids", limit=MAX_MOVED),
            to=text(body, "to"),
            step=text(body, "step"),
            reason=text(body, "reason", limit=300),
            tab=self.tab,
        )
        return Response({"moved": moved})


class Unlock(ShotEndpoint):
    def post(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.unlock")
        unlock_shot(shot=shot, actor=request.user, reason=text(self.body(), "reason", limit=300), tab=self.tab)
        return self.answer(shot.project, shot_id)
