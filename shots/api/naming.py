"""Naming templates over REST: read, saved, tried without saving, and read backwards."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, integer, only, text
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from assets.naming import (
    ALLOWED,
    DEFAULTS,
    Checked,
    NameContext,
    NamingTemplates,
    NotRead,
    SeveralReadings,
    check_templates,
)
from assets.services.naming import problems_json, save_templates
from shots.services.tree.folders import contexts_of
from shots.services.tree.reading import TreeReader, owner_json

_SAID = (
    "project", "scene", "shot", "character", "environment", "kind", "version", "artist", "comment", "ext",
)  # fmt: skip


def checked_json(checked: Checked) -> dict[str, Any]:
    return {
        "errors": problems_json(checked),
        "warnings": {name: found for name, found in checked.warnings.items() if found},
        "preview": {
            name: [{"of": example.of, "text": example.text, "made_up": example.made_up} for example in found]
            for name, found in checked.preview.items()
        },
    }


def naming_json(project: Project, checked: Checked) -> dict[str, Any]:
    sources = checked.templates.sources()
    return {
        "templates": {
            name: {"template": sources[name], "default": default, "tokens": list(ALLOWED[name])}
            for name, default in DEFAULTS.items()
        },
        "revision": project.revision,
        **checked_json(checked),
    }


def context_json(names: NameContext) -> dict[str, Any]:
    """A reading, with every part; what is not said is empty."""
    return {**{name: getattr(names, name) for name in _SAID}, "date": names.date.isoformat() if names.date else None}


def templates_in(body: dict[str, Any]) -> dict[str, Any]:
    """The `templates` of a body as an object; what lies in it the check judges."""
    templates = body.get("templates")
    if not isinstance(templates, dict):
        raise Invalid(_("Give the templates as an object by name."), fields={"templates": [_("not an object")]})
    return templates


class Naming(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        return Response(
            naming_json(project, check_templates(NamingTemplates.of(project.naming).sources(), contexts_of(project)))
        )

    def put(self, request: Request, code: str) -> Response:
        """All templates of the project; one that is left out is the default again."""
        project = self.project(code, "tree.manage")
        body = self.body()
        only(body, "templates", "revision")
        checked = save_templates(
            project=project,
            actor=request.user,
            templates=templates_in(body),
            contexts=contexts_of(project),
            seen=integer(body.get("revision"), "revision"),
            tab=self.tab,
        )
        return Response(naming_json(project, checked))


class NamingPreview(Endpoint):
    def post(self, request: Request, code: str) -> Response:
        """What templates that are not saved would make of this project, and what is wrong with them."""
        project = self.project(code, "project.view")
        body = self.body()
        only(body, "templates")
        return Response(checked_json(check_templates(templates_in(body), contexts_of(project))))


class NamingRead(Endpoint):
    def post(self, request: Request, code: str) -> Response:
        """What a path or a file name is; 422 when nobody can tell, with every reading when there are several."""
        project = self.project(code, "project.view")
        body = self.body()
        only(body, "path")
        path = text(body, "path", limit=1_000_000)
        try:
            found = TreeReader(project).read(path)
        except SeveralReadings as error:
            readings = [context_json(names) for names in error.readings]
            raise Invalid(error.message, fields={"path": [error.message]}, details={"readings": readings}) from error
        except NotRead as error:
            raise Invalid(error.message, fields={"path": [error.message]}) from error
        owner = owner_json(found.owner)
        shot = owner["id"] if owner and owner["kind"] == "shot" else None
        return Response({**context_json(found.names), "owner": owner, "shot_id": shot})
