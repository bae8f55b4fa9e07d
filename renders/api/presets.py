"""Render presets over REST: shared ones of one's projects, and one's own."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, integer, only, text
from aipipeline.projects.errors import Invalid
from aipipeline.projects.permissions import require
from renders.models import RenderPreset
from renders.services import presets
from renders.services.presets import preset_for, presets_visible_to
from renders.services.workflows import workflow_named


def preset_json(row: RenderPreset) -> dict[str, Any]:
    facts = {"id": row.pk, "name": row.name, "params": row.params, "shared": row.shared, "revision": row.revision}
    author = row.author.get_username() if row.author else None
    return {**facts, "project": row.project.code, "workflow": row.workflow.key, "author": author}


def _name(body: dict[str, Any]) -> str:
    name = text(body, "name").strip()
    if not name or len(name) > presets.LONGEST:
        raise Invalid(
            _("name: a text of 1 to %(limit)d characters is needed.") % {"limit": presets.LONGEST},
            fields={"name": [_("required")]},
        )
    return name


class Presets(Endpoint):
    """`?project=CODE` lists one project's."""

    def get(self, request: Request) -> Response:
        rows = presets_visible_to(request.user)
        if code := request.query_params.get("project"):
            rows = rows.filter(project=self.project(code, "project.view"))
        return self.page(rows, lambda found: [preset_json(row) for row in found])

    def post(self, request: Request) -> Response:
        body = self.body()
        only(body, "project", "name", "workflow", "params", "shared")
        project = self.project(text(body, "project"), "renders.start")
        fields = {
            "name": _name(body),
            "workflow": workflow_named(text(body, "workflow"), project),
            "params": body.get("params"),
            "shared": body.get("shared", True),
        }
        row = presets.create_preset(project=project, actor=request.user, fields=fields, tab=self.tab)
        return Response(preset_json(row), status=201)


class PresetDetail(Endpoint):
    def get(self, request: Request, render_preset_id: int) -> Response:
        return Response(preset_json(preset_for(request.user, render_preset_id)))

    def patch(self, request: Request, render_preset_id: int) -> Response:
        preset = preset_for(request.user, render_preset_id)
        require(request.user, "renders.start", preset.project)
        fields = self.body()
        only(fields, *presets.EDITABLE, "revision")
        seen = integer(fields.pop("revision", None), "revision")
        if "name" in fields:
            fields["name"] = _name(fields)
        if "workflow" in fields:
            fields["workflow"] = workflow_named(text(fields, "workflow"), preset.project)
        presets.update_preset(preset=preset, actor=request.user, fields=fields, seen=seen, tab=self.tab)
        return Response(preset_json(preset_for(request.user, render_preset_id)))

    def delete(self, request: Request, render_preset_id: int) -> Response:
        preset = preset_for(request.user, render_preset_id)
        require(request.user, "renders.start", preset.project)
        presets.remove_preset(preset=preset, actor=request.user, tab=self.tab)
        return Response(status=204)


class PresetClone(Endpoint):
    def post(self, request: Request, render_preset_id: int) -> Response:
        preset = preset_for(request.user, render_preset_id)
        require(request.user, "renders.start", preset.project)
        body = self.body()
        only(body, "name")
        name = _name(body) if body.get("name") is not None else ""
        row = presets.clone_preset(preset=preset, actor=request.user, name=name, tab=self.tab)
        return Response(preset_json(row), status=201)
