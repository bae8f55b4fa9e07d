"""The dialog in which staff say how the workstations see the folders of the server."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from aipipeline.projects.errors import NotFound
from aipipeline.projects.permissions import require
from aipipeline.ui.htmx import hx_refresh, hx_toast
from aipipeline.ui.pages import body_of, tab_of
from renders.models import PathMap
from renders.services.path_maps import EDITABLE, create_path_map, remove_path_map, update_path_map


@require_http_methods(["GET", "POST"])
def path_maps(request: HttpRequest) -> HttpResponse:
    """All maps as forms; POST makes one of `server`, `windows`, `macos`, `linux`."""
    require(request.user, "paths.manage")
    if request.method == "POST":
        create_path_map(actor=request.user, fields=_fields(request), tab=tab_of(request))
        return _shown(request, _("The path map is saved."))
    return _shown(request)


@require_http_methods(["POST", "DELETE"])
def path_map(request: HttpRequest, map_id: int) -> HttpResponse:
    """Change or remove one map."""
    require(request.user, "paths.manage")
    row = PathMap.objects.filter(pk=map_id).first()
    if row is None:
        raise NotFound(_("There is no such path map any more."))
    if request.method == "DELETE":
        remove_path_map(path_map=row, actor=request.user, tab=tab_of(request))
        return _shown(request, _("The path map is removed."))
    update_path_map(path_map=row, actor=request.user, fields=_fields(request), tab=tab_of(request))
    return _shown(request, _("The path map is saved."))


def _fields(request: HttpRequest) -> dict[str, Any]:
    body = body_of(request)
    return {name: body[name] for name in EDITABLE if name in body}


def _shown(request: HttpRequest, done: str = "") -> HttpResponse:
    context = {"path_maps": list(PathMap.objects.all()), "storage_root": settings.STORAGE_ROOT}
    response = render(request, "renders/_path_maps.html", context)
    return hx_refresh(hx_toast(response, done)) if done else response
