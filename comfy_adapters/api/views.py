"""Workflows over REST: listed, brought along, corrected, given new versions."""

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.errors import TooLarge
from aipipeline.projects.api.parsers import StrictMultiPartParser
from aipipeline.projects.api.views import Endpoint, only, text
from aipipeline.projects.errors import Invalid
from aipipeline.projects.permissions import require
from comfy_adapters.own.bringing import evidence, looked_into, read_upload
from comfy_adapters.own.checking import known_schema
from comfy_adapters.own.correcting import EDITABLE, corrected
from comfy_adapters.own.reading import Brought
from comfy_adapters.own.strict import MAX_BYTES, check_values, nodes_of, parse
from comfy_adapters.selectors import graph_for, workflow_for, workflows_visible_to
from renders.models import Workflow, WorkflowGraph
from renders.models.workflow import Origin
from renders.services import control, own_workflows

_NAMES = (
    "key", "title", "backend", "version", "output_kind", "step", "vram_gb", "inputs", "defaults", "enabled", "origin",
    "family", "needs", "slots",
)  # fmt: skip
_FIRST = ("graph", "title", "name", "project", "about")


class GraphParser(BaseParser):
    """JSON that may hold a graph: seeds of 64 bits pass, everything else is as strict as elsewhere."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes] | None, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        data = stream.read(MAX_BYTES + 1) if stream is not None else b""
        if len(data) > MAX_BYTES:
            raise TooLarge
        found = parse(data or b"{}")
        # What is kept of a graph is looked at where it is read; the rest of a node may hold what ComfyUI likes.
        check_values([value for name, value in found.items() if name != "graph"] if isinstance(found, dict) else [])
        return found


class GraphEndpoint(Endpoint):
    parser_classes: Any = (GraphParser, StrictMultiPartParser)

    def brought(self, body: dict[str, Any]) -> Brought:
        """The graph of the request: a `file`, or JSON under `graph`, or the graph itself as the whole body."""
        upload = self.request.FILES.get("file")
        if upload is not None:
            return read_upload(upload)
        if "graph" in body:
            return Brought(nodes_of(body["graph"]), "API")
        if body and not set(body) & {*_FIRST, "file"}:
            found = Brought(nodes_of(dict(body)), "API")
            body.clear()
            return found
        told = _("Send a file, or the graph in API format under “graph”.")
        raise Invalid(told, fields={"graph": [told]})


class Workflows(GraphEndpoint):
    """GET: every workflow that one may see. POST a file or `{"graph", "title", "name", "project", "about"}`: a new one
    of one's own, with the slots that were detected; `about` corrects them by key. Without `project` it is for all,
    which is for staff."""

    def get(self, request: Request) -> Response:
        return self.page(workflows_visible_to(request.user), lambda rows: [workflow_json(row) for row in rows])

    def post(self, request: Request) -> Response:
        body = self.body()
        brought = self.brought(body)
        body.pop("file", None)
        only(body, *_FIRST)
        code = text(body, "project", limit=40)
        project = self.project(code, own_workflows.OPERATION) if code else None
        require(request.user, own_workflows.OPERATION, project)
        about, detected = looked_into(brought, title=text(body, "title", limit=160), schema=known_schema())
        about = corrected(brought.nodes, about, _changes(body.get("about")))
        row = own_workflows.create_workflow(
            actor=request.user, project=project, nodes=brought.nodes, about=about, source=brought.source,
            name=text(body, "name", limit=60), tab=self.tab,
        )  # fmt: skip
        told = {"evidence": evidence(detected, about), "warnings": list(detected.warnings)}
        return Response({**workflow_json(row), **_current(row), **told}, status=201)


class WorkflowDetail(GraphEndpoint):
    """GET: one workflow with its slot map, versions and where it fits. PATCH `{"enabled"}` switches it, any key of the
    slot map corrects that in a version of its own."""

    def get(self, request: Request, key: str) -> Response:
        row = workflow_for(request.user, key)
        fits = row.fits.select_related("worker").order_by("worker__name")
        told = [{"worker": fit.worker.name, "fits": fit.fits, "reasons": fit.reasons} for fit in fits]
        return Response({**workflow_json(row), **_current(row), "fits": told})

    def patch(self, request: Request, key: str) -> Response:
        row = workflow_for(request.user, key)
        body = self.body()
        only(body, "enabled", *EDITABLE)
        enabled = body.pop("enabled", None)
        if enabled is not None and not isinstance(enabled, bool):
            raise Invalid(_("enabled: true or false is needed."), fields={"enabled": [_("not true or false")]})
        if body:
            graph = _own_graph(row)
            about = corrected(graph.nodes, graph.about, body)
            own_workflows.update_about(workflow=row, actor=request.user, about=about, tab=self.tab)
        if enabled is not None and row.origin == Origin.OWN:
            own_workflows.set_enabled(workflow=row, actor=request.user, enabled=enabled, tab=self.tab)
        elif enabled is not None:
            require(request.user, "farm.manage")
            control.update_workflow(workflow=row, actor=request.user, fields={"enabled": enabled}, tab=self.tab)
        row = workflow_for(request.user, key)
        return Response({**workflow_json(row), **_current(row)})


class WorkflowGraphs(GraphEndpoint):
    """GET: the versions. POST a file or `{"graph", "about"}`: the next one; slots are carried over where they fit."""

    def get(self, request: Request, key: str) -> Response:
        rows = workflow_for(request.user, key).graphs.defer("nodes", "about").select_related("author")
        return self.page(rows, lambda found: [_version_json(graph) for graph in found], ordering=("-number",))

    def post(self, request: Request, key: str) -> Response:
        row = workflow_for(request.user, key)
        _own_graph(row)
        require(request.user, own_workflows.OPERATION, row.project)
        body = self.body()
        brought = self.brought(body)
        body.pop("file", None)
        only(body, "graph", "about")
        about, detected = looked_into(brought, workflow=row, schema=known_schema())
        about = corrected(brought.nodes, about, _changes(body.get("about")))
        graph = own_workflows.add_version(
            workflow=row, actor=request.user, nodes=brought.nodes, about=about, source=brought.source, tab=self.tab
        )
        told = {"evidence": evidence(detected, about), "warnings": list(detected.warnings)}
        return Response({**_version_json(graph), "about": graph.about, **told}, status=201)


class WorkflowGraphDetail(Endpoint):
    """One version: the graph and its slot map."""

    def get(self, request: Request, key: str, number: int) -> Response:
        graph = graph_for(request.user, key, number)
        return Response({**_version_json(graph), "nodes": graph.nodes, "about": graph.about})


def workflow_json(row: Workflow) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _NAMES},
        "project": row.project.code if row.project is not None else None,
        "graph": row.graph.number if row.graph is not None else None,
    }


def _current(row: Workflow) -> dict[str, Any]:
    return {"about": row.graph.about if row.graph is not None else None}


def _version_json(graph: WorkflowGraph) -> dict[str, Any]:
    return {
        "number": graph.number,
        "sha256": graph.sha256,
        "source": graph.source,
        "author": graph.author.get_username() if graph.author is not None else None,
        "created_at": graph.created_at,
    }


def _own_graph(row: Workflow) -> WorkflowGraph:
    if row.origin != Origin.OWN or row.graph is None:
        raise Invalid(_("%(key)s is built in: it changes with the program.") % {"key": row.key})
    return row.graph


def _changes(given: Any) -> dict[str, Any]:
    if isinstance(given, str):  # a field of a form
        given = parse(given) if given.strip() else {}
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise Invalid(_("about: an object is needed."), fields={"about": [_("not an object")]})
    return given
