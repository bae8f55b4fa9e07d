"""Scenes and shots over REST."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import MAX_ROWS, Endpoint, integer, integers, only, text
from aipipeline.projects.checks import check_types
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from shots.models import Scene, Shot, ShotState
from shots.providers import thumbnails_of
from shots.selectors import scenes_of, shot_for, shots_of
from shots.services import batch, editing, scenes, steps
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

    def fields(self, body: Any) -> dict[str, Any]:
        """Editable fields with values of their own types; Invalid by field."""
        if not isinstance(body, dict):
            raise Invalid(_("Give the fields as an object."), fields={"fields": [_("not an object")]})
        only(body, *editing.EDITABLE)
        check_types(Shot, body)
        values = dict(body)
        for name in ("scene", "environment", "preset"):
            if name in values:
                values[name] = integer(values[name], name)
        if "characters" in values:
            values["characters"] = integers(values["characters"], "characters")
        return values

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
        fields = self.fields(body)
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
        item = {"id": shot.pk, "revision": seen, "fields": self.fields(body)}
        try:
            editing.update_shots(project=shot.project, actor=request.user, items=[item], tab=self.tab)
        except Invalid as error:
            raise _of_one_row(error) from error
        return self.answer(shot.project, shot_id)

    def delete(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.delete")
        editing.remove_shots(project=shot.project, actor=request.user, ids=[shot_id], tab=self.tab)
        return Response(status=204)


def _of_one_row(error: Invalid) -> Invalid:
    """An error by row number, of a call that has one row, as one by field."""
    fields = error.fields.get("0")
    if not isinstance(fields, dict) or not fields:
        return error
    name, messages = next(iter(fields.items()))
    return Invalid(f"{name}: {messages[0]}", fields=fields)


class Batch(ShotEndpoint):
    """Many cells in one action, and shots made (`create`) and removed (`delete`): all or nothing in errors.

    Conflicts answer 409 by row, or with `on_conflict: skip` leave those rows out and list them.
    """

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.edit")
        body = self.body()
        only(body, "items", "create", "delete", "on_conflict")
        if (on_conflict := text(body, "on_conflict") or "fail") not in ("fail", "skip"):
            raise Invalid(_("on_conflict is fail or skip."), fields={"on_conflict": [_("unknown")]})
        remove = integers(body.get("delete", []), "delete")
        if remove:
            require(request.user, "shots.delete", project)
        items = self._rows(body, "items", self._item)
        create = self._rows(body, "create", self.fields)
        if not (items or create or remove):
            raise Invalid(_("items: a list of 1 to 1000 objects is needed."), fields={"items": [_("empty")]})
        done = batch.apply_batch(
            project=project,
            actor=request.user,
            items=items,
            create=create,
            remove=remove,
            on_conflict=on_conflict,
            tab=self.tab,
        )
        ids = [shot.pk for shot in (*done.changed, *done.created)]
        rows = list(shots_of(project, request.user).filter(pk__in=ids))
        return Response(
            {
                "results": shots_json(rows),
                "created": [shot.pk for shot in done.created],
                "deleted": done.removed,
                "conflicts": done.conflicts,
            }
        )

    def _rows(self, body: dict[str, Any], name: str, clean: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
        """Every row cleaned; Invalid with the errors of all rows by their number."""
        rows = body.get(name, [])
        if not isinstance(rows, list) or len(rows) > MAX_ROWS:
            raise Invalid(
                _("%(name)s: a list of at most 1000 objects is needed.") % {"name": name},
                fields={name: [_("not a list")]},
            )
        found, errors = [], {}
        for number, row in enumerate(rows):
            try:
                found.append(clean(row))
            except Invalid as error:
                errors[str(number) if name == "items" else f"{name}.{number}"] = error.fields
        if errors:
            raise Invalid(_("Nothing was saved: some rows have errors."), fields=errors)
        return found

    def _item(self, item: Any) -> dict[str, Any]:
        if not isinstance(item, dict) or integer(item.get("id"), "id") is None:
            raise Invalid(_("A row has no id."), fields={"id": [_("required")]})
        only(item, "id", "revision", "fields")
        return {
            "id": integer(item["id"], "id"),
            "revision": integer(item.get("revision"), "revision"),
            "fields": self.fields(item.get("fields", {})),
        }


class Reorder(ShotEndpoint):
    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.edit")
        body = self.body()
        only(body, "ids", "before")
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
        only(body, "step", "to", "reason")
        to = text(body, "to")
        if to in (ShotState.APPROVED, ShotState.FINAL):
            require(request.user, "shots.approve", shot.project)
        steps.move_step(
            shot=shot,
            step=text(body, "step") or shot.current_step,
            to=to,
            actor=request.user,
            tab=self.tab,
            reason=text(body, "reason", limit=300),
        )
        return self.answer(shot.project, shot_id)


class Unlock(ShotEndpoint):
    def post(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.unlock")
        unlock_shot(shot=shot, actor=request.user, reason=text(self.body(), "reason", limit=300), tab=self.tab)
        return self.answer(shot.project, shot_id)


class Confirm(ShotEndpoint):
    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "shots.confirm")
        body = self.body()
        only(body, "shots")
        wanted = body.get("shots")
        ids = integers(wanted, "shots") if wanted is not None else None
        report = confirm(project=project, actor=request.user, shots=ids, tab=self.tab)
        return Response(report.as_json())
