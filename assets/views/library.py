"""The library's lists: characters, environments and presets of a project, and its LoRAs."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_location, render_page_or_fragment
from aipipeline.ui.pages import body_of, project_page, tab_of
from assets.forms import KINDS, kind_named
from assets.models import LoRA
from assets.services import remove_asset, save_asset

TABS = ("character", "environment", "preset")


@require_GET
@project_page("project.view")
def library(request: HttpRequest, project: Project) -> HttpResponse:
    """One kind at a time: `?kind=environment`; characters when the address names none."""
    wanted = request.GET.get("kind", "")
    kind = KINDS[wanted if wanted in TABS else TABS[0]]
    counts = {
        key: KINDS[key].model.objects.live().filter(project=project).count() for key in TABS
    }  # fmt: skip
    context = {
        **project_context(request, project),
        "kind": kind,
        "tabs": [(KINDS[key], counts[key]) for key in TABS],
        "rows": _rows(kind.key, project),
    }
    return render_page_or_fragment(request, "assets/library.html", "assets/_library.html", context)


def _rows(kind: str, project: Project) -> Any:
    path = "castings__shot" if kind == "character" else "shot"
    live = Q(**{f"{path}__removed_at": None})
    if kind == "character":
        live &= Q(castings__removed_at=None)
    rows = (
        KINDS[kind].model.objects.live().filter(project=project).annotate(used=Count(path, filter=live, distinct=True))
    )
    return rows.select_related("lora") if kind == "character" else rows


@require_GET
@project_page("project.view")
def loras(request: HttpRequest, project: Project) -> HttpResponse:
    """The LoRA files that characters may name, with who uses them."""
    used = Count("character", filter=Q(character__removed_at=None), distinct=True)
    rows = LoRA.objects.live().filter(project=project).annotate(used=used)
    context = {**project_context(request, project), "rows": rows, "kind": KINDS["lora"]}
    return render_page_or_fragment(request, "assets/loras.html", "assets/_loras.html", context)


@require_POST
@project_page("assets.edit")
def add(request: HttpRequest, project: Project, kind: str) -> HttpResponse:
    """A new row by its name (a LoRA by its file too); then its own page, where the rest is written."""
    found = kind_named(kind)
    body = body_of(request)
    fields: dict[str, Any] = {n: str(body.get(n, "")).strip() for n in ("name", "path") if n in body}
    row = save_asset(model=found.model, project=project, actor=request.user, fields=fields, tab=tab_of(request))
    if found.key == "lora":
        return hx_location(reverse("assets:loras", args=[project.code]))
    return hx_location(reverse("assets:edit", args=[project.code, kind, row.pk]))


@require_POST
@project_page("assets.edit")
def remove(request: HttpRequest, project: Project, kind: str, asset_id: int) -> HttpResponse:
    found = kind_named(kind)
    remove_asset(model=found.model, project=project, actor=request.user, asset_id=asset_id, tab=tab_of(request))
    messages.success(request, _("Removed. Ctrl+Z brings it back."))
    if found.key == "lora":
        return hx_location(reverse("assets:loras", args=[project.code]))
    return hx_location(f"{reverse('assets:library', args=[project.code])}?kind={kind}")
