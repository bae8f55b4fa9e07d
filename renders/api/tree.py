"""The production tree over REST: entries of a folder, a path for each platform, search."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.media.patience import within
from aipipeline.media.rooted import Rooted, RootGone, split_path
from aipipeline.projects.api.views import Endpoint
from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import NotFound
from renders.models import Version
from renders.tree.joining import Node, branch_of
from renders.tree.listing import MOST_PAGE, PAGE, Listed, list_folder
from renders.tree.paths import Mapper, forms_json
from renders.tree.search import Hit, search


def node_json(node: Node) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": node.name,
        "path": node.path if node.entry.readable else None,
        "kind": node.entry.kind,
        "what": node.what,
        "size": node.size,
        "modified": node.modified,
        "folder": None,
        "version": None,
    }
    if node.folder is not None:
        row = node.row
        facts["folder"] = {
            "kind": node.folder.kind,
            "id": getattr(row, "pk", None),
            "name": str(row) if row is not None else "",
            "state": node.folder.state,
            "locked": bool(getattr(row, "locked", False)),
            "problem": node.folder.problem,
            "moved_to": node.moved_to,
            "versions": node.versions,
        }
    if node.version is not None:
        facts["version"] = {**version_facts(node.version), "latest": node.latest}
    return facts


def version_facts(version: Version) -> dict[str, Any]:
    return {
        "id": version.pk,
        "kind": version.kind,
        "number": version.number,
        "label": version.label,
        "state": version.state,
        "status": version.status,
        "author": str(version.created_by) if version.created_by else "",
        "published_at": version.published_at,
        "url": reverse("renders:file", args=[version.pk]),
        "thumbnail": reverse("renders:thumb", args=[version.pk, 320]),
    }


class Tree(Endpoint):
    """`?path=` (the project's folder when it is left out), by cursor; folders first, then files, by name."""

    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        parts = split_path(request.query_params.get("path", ""))
        cursor = request.query_params.get("cursor", "")
        size = whole_number(request.query_params.get("page_size")) or PAGE
        size = size if 0 < size <= MOST_PAGE else PAGE if size <= 0 else MOST_PAGE
        try:
            listed = within(
                project.root, lambda: list_folder(Rooted(project.root), parts, cursor=cursor, size=size)
            )  # fmt: skip
        except RootGone:
            if project.confirmed_at is not None:
                raise
            if parts:
                raise NotFound(_("There is no production tree yet")) from None
            listed = Listed((), [], 0, 0)  # nothing is made before the first confirm
        nodes = branch_of(project, [listed]).nodes

        def page(at: str) -> str | None:
            query = urlencode({"path": listed.path, "cursor": at, "page_size": size}, errors="replace")
            return request.build_absolute_uri(f"{request.path}?{query}") if at else None

        return Response(
            {
                "path": listed.path,
                "total": listed.total,
                "cut": listed.cut,
                "next": page(listed.after),
                "previous": page(listed.before),
                "results": [node_json(node) for node in nodes],
            }
        )


class TreePaths(Endpoint):
    """One path as each platform writes it; null with a note where no map says. The path need not exist."""

    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        parts = split_path(request.query_params.get("path", ""))
        forms = Mapper.read().forms(project.root.joinpath(*parts))
        return Response({"path": "/".join(parts), **forms_json(forms)})


def hit_json(hit: Hit) -> dict[str, Any]:
    return {
        "path": hit.path,
        "kind": hit.kind,
        "title": hit.title,
        "description": hit.words,
        "file": hit.file,
        "version": version_facts(hit.version) if hit.version is not None else None,
    }


class TreeSearch(Endpoint):
    """`?q=`: words that all must match, or a path or a file name as a whole. Best first, at most sixty."""

    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        found = search(project, request.query_params.get("q", ""))
        results = [hit_json(hit) for hit in found.hits]
        return Response({"results": results, "next": None, "previous": None, "more": found.more, "note": found.note})
