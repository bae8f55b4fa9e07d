"""Scenes and shots over REST."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import MAX_ROWS, Endpoint, integer, integers
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from shots.models import Scene, Shot, ShotState
from shots.providers import thumbnails_of
from shots.selectors import scenes_of, shot_for, shots_of
from shots.services import editing, steps
from shots.services.confirm import confirm
from shots.services.locks import unlock_shot

PLAIN = (
    "code", "description", "action", "dialogue", "emotion", "size", "angle", "movement", "duration_frames", "status",
    "current_step", "locked", "prompt", "negative_prompt", "seed", "workflow", "handles", "cut_in", "cut_out",
    "revision", "position",
)  # fmt: skip


def shots_json(rows: list[Any]) -> list[dict[str, Any]]:
    thumbs = thumbnails_of(rows)
    return [
        {
            "id": shot.pk,
            **{name: getattr(shot, name) for name in PLAIN},
            "scene": shot.scene_id,
            "scene_code": shot.scene.code if shot.scene else None,
            "environment": shot.environment_id,
            "preset": shot.preset_id,
            "characters": [row.character_id for row in shot.cast],
            "thumbnail": f"/versions/{thumbs[shot.pk]}/thumb/320/" if shot.pk in thumbs else None,
        }
        for shot in rows
    ]


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
        return self.page(scenes_of(project, request.user), lambda rows: [_scene_json(row) for row in rows])


def _scene_json(row: Scene) -> dict[str, Any]:
    names = ("code", "number", "heading", "synopsis", "position", "revision")
    return {"id": row.pk, **{name: getattr(row, name) for name in names}, "environment": row.environment_id}


class Shots(ShotEndpoint):
    def get(self, request: Request, code: str) -> Response:
        rows = shots_of(self.project(code, "project.view"), request.user)
        if request.query_params.get("status") in ShotState.values:
            rows = rows.filter(status=request.query_params["status"])
        return self.page(rows, shots_json, ordering="position")

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.edit")
        body = self.body()
        after = integer(body.pop("after", None), "after")
        before = shot_for(request.user, after) if after else None
        if before is not None and before.project_id != project.pk:
            raise NotFound(_("There is no such shot in this project."))
        shot = editing.create_shot(project=project, actor=request.user, tab=self.tab, after=before, **body)
        return self.answer(project, shot.pk, status=201)


class ShotDetail(ShotEndpoint):
    def get(self, request: Request, shot_id: int) -> Response:
        return self.answer(self.shot(shot_id, "project.view").project, shot_id)

    def patch(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.edit")
        body = self.body()
        seen = integer(body.pop("revision", None), "revision")
        item = {"id": shot.pk, "revision": seen, "fields": body}
        editing.update_shots(project=shot.project, actor=request.user, items=[item], tab=self.tab)
        return self.answer(shot.project, shot_id)

    def delete(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.delete")
        editing.remove_shots(project=shot.project, actor=request.user, ids=[shot_id], tab=self.tab)
        return Response(status=204)


class Batch(ShotEndpoint):
    """Many cells in one action: all or nothing in errors; conflicts by row."""

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.edit")
        body = self.body()
        items = body.get("items")
        if not isinstance(items, list) or not items or len(items) > MAX_ROWS:
            raise Invalid(_("items: a list of 1 to 1000 objects is needed."), fields={"items": [_("not a list")]})
        clean = [self._item(item, number) for number, item in enumerate(items)]
        done, conflicts = editing.update_shots(
            project=project,
            actor=request.user,
            items=clean,
            tab=self.tab,
            on_conflict="skip" if body.get("on_conflict") == "skip" else "fail",
        )
        rows = list(shots_of(project, request.user).filter(pk__in=[shot.pk for shot in done]))
        return Response({"results": shots_json(rows), "conflicts": conflicts})

    def _item(self, item: Any, number: int) -> dict[str, Any]:
        if not isinstance(item, dict) or integer(item.get("id"), "id") is None:
            raise Invalid(_("Row %(number)s has no id.") % {"number": number}, fields={str(number): [_("no id")]})
        return {
            "id": integer(item["id"], "id"),
            "revision": integer(item.get("revision"), "revision"),
            "fields": item.get("fields", {}),
        }


class Reorder(ShotEndpoint):
    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.edit")
        body = self.body()
        editing.reorder_shots(
            project=project,
            actor=request.user,
            ids=integers(body.get("ids"), "ids"),
            before=integer(body.get("before"), "before"),
            tab=self.tab,
        )
        order = shots_of(project, request.user).values_list("pk", flat=True)
        return Response({"order": list(order)})


class Transition(ShotEndpoint):
    def post(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.edit")
        body = self.body()
        to = str(body.get("to", ""))
        if to in (ShotState.APPROVED, ShotState.FINAL):
            require(request.user, "shots.approve", shot.project)
        steps.move_step(
            shot=shot,
            step=str(body.get("step") or shot.current_step),
            to=to,
            actor=request.user,
            tab=self.tab,
            reason=str(body.get("reason") or ""),
        )
        return self.answer(shot.project, shot_id)


class Unlock(ShotEndpoint):
    def post(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.unlock")
        unlock_shot(shot=shot, actor=request.user, reason=str(self.body().get("reason") or ""), tab=self.tab)
        return self.answer(shot.project, shot_id)


class Confirm(ShotEndpoint):
    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.confirm")
        wanted = self.body().get("shots")
        ids = integers(wanted, "shots") if wanted is not None else None
        report = confirm(project=project, actor=request.user, shots=ids, tab=self.tab)
        return Response(report.as_json())
