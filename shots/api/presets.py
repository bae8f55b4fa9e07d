"""Cinematic presets put onto shots over REST."""

from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, integers, only
from assets.presets_rules import FIELDS, check
from shots.services.presets import apply_preset

MAX_SHOTS = 10_000


class Apply(Endpoint):
    """One preset for many shots, all or none; `warnings` are those of the preset itself."""

    def post(self, request: Request, code: str, preset_id: int) -> Response:
        project = self.project(code, "shots.edit")
        body = self.body()
        only(body, "shots")
        ids = integers(body.get("shots"), "shots", limit=MAX_SHOTS)
        preset, shots = apply_preset(
            project=project, actor=request.user, preset_id=preset_id, shots=ids, tab=self.tab
        )  # fmt: skip
        warnings = check({name: getattr(preset, name) for name in FIELDS})
        return Response(
            {"changed": [shot.pk for shot in shots], "warnings": [warning.as_json() for warning in warnings]}
        )
