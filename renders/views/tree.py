"""The production tree: folders as they lie on the disk, with what the database knows of them."""

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from aipipeline.media.patience import within
from aipipeline.media.rooted import Rooted, RootGone, split_path
from aipipeline.media.serving import pieces_for, serve_file
from aipipeline.media.storage import StorageError
from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import allows
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.pages import project_page
from renders.tree.archive import pack, zip_pieces
from renders.tree.details import IMAGES, MOVIES, details_of, download_name, totals_of
from renders.tree.joining import branch_of
from renders.tree.listing import list_chain, list_folder, on_disk
from renders.tree.search import search as search_tree
from shots.models import Folder, FolderState

MOST_RETIRED = 50


@require_GET
@project_page("project.view")
def tree(request: HttpRequest, project: Project) -> HttpResponse:
    """The page, open down to `?path=`. A storage that is away, or a path that is gone, is said on the page."""
    wanted = split_path(request.GET.get("path", ""))
    context: dict[str, Any] = {
        **project_context(request, project),
        "manages_paths": allows(request.user, "paths.manage"),
    }
    status = 200
    try:
        parts = _nearest(project, wanted)
        levels = within(project.root, lambda: list_chain(Rooted(project.root), parts))
        context |= {"branch": branch_of(project, levels), "details": details_of(project, parts)}
        if parts != wanted:
            context["gone"] = "/".join(wanted)
        context |= _attention(project)
    except StorageError as error:
        # Before the first confirm there is no folder, and nothing is wrong with that.
        context["unmade"] = project.confirmed_at is None and isinstance(error, RootGone)
        context["error"] = None if context["unmade"] else error
        status = 200 if context["unmade"] else error.status
    return render(request, "renders/tree.html", context, status=status)


def _nearest(project: Project, parts: tuple[str, ...]) -> tuple[str, ...]:
    """The path, or the nearest folder above it that is there."""

    def look() -> tuple[str, ...]:
        rooted = Rooted(project.root)
        for depth in range(len(parts), 0, -1):
            try:
                rooted.entry(parts[:depth])
                return parts[:depth]
            except NotFound:
                continue
        return ()

    return within(project.root, look)


def _attention(project: Project) -> dict[str, Any]:
    """What a person should look at: metadata that could not be written, and folders whose row is gone."""
    rows = Folder.objects.filter(project=project)
    troubled = rows.exclude(problem="").order_by("path")
    retired = rows.filter(state=FolderState.RETIRED).order_by("path")
    return {"troubled": list(troubled[:MOST_RETIRED]), "retired": list(retired[:MOST_RETIRED])}


@require_GET
@project_page("project.view")
def folder(request: HttpRequest, project: Project) -> HttpResponse:
    """The entries of one folder, a page of them, for the tree to put into its place."""
    parts = split_path(request.GET.get("path", ""))
    cursor = request.GET.get("cursor", "")
    listed = on_disk(project, lambda: list_folder(Rooted(project.root), parts, cursor=cursor))
    context = {"project": project, "branch": branch_of(project, [listed])}
    return render(request, "renders/_tree_items.html", context)


@require_GET
@project_page("project.view")
def details(request: HttpRequest, project: Project) -> HttpResponse:
    """The pane of one folder, version or file."""
    found = details_of(project, split_path(request.GET.get("path", "")))
    context = {
        **project_context(request, project),
        "details": found,
        "manages_paths": allows(request.user, "paths.manage"),
    }
    return render(request, "renders/_tree_details.html", context)


@require_GET
@project_page("project.view")
def totals(request: HttpRequest, project: Project) -> HttpResponse:
    """How much is in a folder: counted apart from the pane, which does not wait for it."""
    found = totals_of(project, split_path(request.GET.get("path", "")))
    return render(request, "renders/_tree_totals.html", {"totals": found})


@require_GET
@project_page("project.view")
def search(request: HttpRequest, project: Project) -> HttpResponse:
    """Results in place of the tree."""
    query = request.GET.get("q", "").strip()
    context = {"project": project, "query": query, "found": search_tree(project, query)}
    return render(request, "renders/_tree_results.html", context)


@require_safe
@project_page("project.view")
def file(request: HttpRequest, project: Project) -> HttpResponseBase:
    """One file with Range. Only pictures and movies are shown; all else is a download, whatever it claims to be."""
    parts = split_path(request.GET.get("path", ""))
    opened = on_disk(project, lambda: Rooted(project.root).open(parts))
    shown = parts[-1].lower().endswith((*IMAGES, *MOVIES)) and "download" not in request.GET
    name = "" if shown else parts[-1]
    return serve_file(request, project.root.joinpath(*parts), download_name=name, file=opened)


@require_GET
@project_page("project.view")
def archive(request: HttpRequest, project: Project) -> HttpResponseBase:
    """A folder or a version as a zip, written while it is sent."""
    parts = split_path(request.GET.get("path", ""))
    rooted = Rooted(project.root)
    name = download_name(project, parts)
    packed = on_disk(project, lambda: pack(rooted, parts, name), 30.0)
    pieces = zip_pieces(packed)
    response = StreamingHttpResponse(pieces_for(request, pieces, pieces.close), content_type="application/zip")
    if packed.length is not None:
        response["Content-Length"] = str(packed.length)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}.zip"
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
