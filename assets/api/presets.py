"""What belongs to cinematic presets alone: the rules for values that are not saved, words, starters."""

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, only, text
from assets.api.views import asset_json
from assets.presets_rules import FIELDS, check
from assets.presets_vocabulary import suggestions
from assets.services import add_starter_presets


class Check(Endpoint):
    """The warnings of these values; nothing is saved."""

    def post(self, request: Request, code: str) -> Response:
        self.project(code, "project.view")
        body = self.body()
        only(body, *FIELDS)
        values = {name: text(body, name, limit=400) for name in FIELDS}
        return Response({"warnings": [warning.as_json() for warning in check(values)]})


class Vocabulary(Endpoint):
    """By field, the names that the rules know."""

    def get(self, request: Request, code: str) -> Response:
        self.project(code, "project.view")
        return Response(suggestions())


class Starters(Endpoint):
    """Add the dozen that a library begins with, in the project's language."""

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "assets.edit")
        only(self.body())
        rows = add_starter_presets(project=project, actor=request.user, tab=self.tab)
        return Response(
            {"results": [asset_json(row) for row in rows], "message": _("Starter presets added.")}, status=201
        )
