"""Characters, environments, cinematic presets and LoRAs over REST."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, integer, only
from aipipeline.projects.errors import NotFound
from aipipeline.projects.tracked import Tracked
from assets.models import Character, CinematicPreset, Environment, LoRA
from assets.presets_rules import check
from assets.services import FIELDS, clone_asset, remove_asset, save_asset

KINDS: dict[str, type[Tracked]] = {
    "characters": Character,
    "environments": Environment,
    "presets": CinematicPreset,
    "loras": LoRA,
}


def asset_json(row: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": row.pk, "revision": row.revision}
    for name in FIELDS[type(row)]:
        facts[name] = getattr(row, f"{name}_id") if name == "lora" else getattr(row, name)
    if isinstance(row, CinematicPreset):
        facts["warnings"] = [warning.as_json() for warning in check(facts)]
    return facts


class Assets(Endpoint):
    def get(self, request: Request, code: str, kind: str) -> Response:
        project = self.project(code, "project.view")
        rows = KINDS[kind].objects.visible_to(request.user).live().filter(project=project)
        return self.page(rows, lambda found: [asset_json(row) for row in found])

    def post(self, request: Request, code: str, kind: str) -> Response:
        project = self.project(code, "assets.edit")
        row = save_asset(model=KINDS[kind], project=project, actor=request.user, fields=self.body(), tab=self.tab)
        return Response(asset_json(row), status=201)


class AssetDetail(Endpoint):
    def get(self, request: Request, code: str, kind: str, asset_id: int) -> Response:
        project = self.project(code, "project.view")
        row = KINDS[kind].objects.live().filter(project=project, pk=asset_id).first()
        if row is None:
            raise NotFound(_("There is no such row in this project."))
        return Response(asset_json(row))

    def patch(self, request: Request, code: str, kind: str, asset_id: int) -> Response:
        project = self.project(code, "assets.edit")
        body = self.body()
        seen = integer(body.pop("revision", None), "revision")
        row = save_asset(
            model=KINDS[kind],
            project=project,
            actor=request.user,
            fields=body,
            asset_id=asset_id,
            seen=seen,
            tab=self.tab,
        )
        return Response(asset_json(row))

    def delete(self, request: Request, code: str, kind: str, asset_id: int) -> Response:
        project = self.project(code, "assets.edit")
        remove_asset(model=KINDS[kind], project=project, actor=request.user, asset_id=asset_id, tab=self.tab)
        return Response(status=204)


class AssetClone(Endpoint):
    """A copy under the next free name."""

    def post(self, request: Request, code: str, kind: str, asset_id: int) -> Response:
        project = self.project(code, "assets.edit")
        only(self.body())
        row = clone_asset(model=KINDS[kind], project=project, actor=request.user, asset_id=asset_id, tab=self.tab)
        return Response(asset_json(row), status=201)
