"""Characters, environments and presets of a project, with forms to add and edit them."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import NotFound, PipelineError
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.projects.tracked import Tracked
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_location
from aipipeline.ui.pages import project_page, tab_of
from assets.models import Character, CinematicPreset, Environment
from assets.services import remove_asset, save_asset

KINDS: dict[str, tuple[type[Tracked], tuple[str, ...]]] = {
    "character": (
        Character,
        ("name", "role", "age", "description", "default_clothing", "relations", "color", "use_lora", "lora",
         "lora_strength", "trigger_words"),
    ),
    "environment": (
        Environment,
        ("name", "location", "interior", "time_of_day", "weather", "mood", "description", "prompt"),
    ),
    "preset": (
        CinematicPreset,
        ("name", "camera", "lens", "film_stock", "lighting", "filters", "description"),
    ),
}  # fmt: skip


def _form_for(kind: str, project: Project) -> type[forms.ModelForm[Any]]:
    if kind not in KINDS:
        raise NotFound(_("There is no such kind of asset."))
    model, fields = KINDS[kind]
    form: type[forms.ModelForm[Any]] = forms.modelform_factory(model, fields=fields)
    if "lora" in form.base_fields:
        form.base_fields["lora"].queryset = project.loras.filter(removed_at=None)  # type: ignore[attr-defined]
    return form


@require_GET
@project_page("project.view")
def library(request: HttpRequest, project: Project) -> HttpResponse:
    from django.db.models import Count, Q

    used = Count("castings__shot", filter=Q(castings__removed_at=None, castings__shot__removed_at=None), distinct=True)
    context = {
        **project_context(request, project),
        "characters": Character.objects.live().filter(project=project).annotate(used=used).select_related("lora"),
        "environments": Environment.objects.live()
        .filter(project=project)
        .annotate(used=Count("shot", filter=Q(shot__removed_at=None), distinct=True)),
        "presets": CinematicPreset.objects.live()
        .filter(project=project)
        .annotate(used=Count("shot", filter=Q(shot__removed_at=None), distinct=True)),
    }
    return render(request, "assets/library.html", context)


@require_http_methods(["GET", "POST"])
@project_page("project.view")
def edit(request: HttpRequest, project: Project, kind: str, asset_id: int | None = None) -> HttpResponse:
    """Add (no id) or edit one asset; the form carries the revision that the person saw."""
    form_class = _form_for(kind, project)
    model: Any = KINDS[kind][0]
    row = None
    if asset_id is not None:
        row = model.objects.live().filter(project=project, pk=asset_id).first()
        if row is None:
            raise NotFound(_("There is no such asset in this project."))
    initial = None if row else model(project=project)
    form = form_class(request.POST or None, instance=row or initial)
    if request.method == "POST":
        require(request.user, "assets.edit", project)
        if form.is_valid():
            try:
                _save(request, project, kind, form, asset_id)
            except PipelineError as error:
                form.add_error(None, str(error.message))
            else:
                return HttpResponseRedirect(reverse("assets:library", args=[project.code]))
    context = {
        **project_context(request, project),
        "form": form,
        "kind": kind,
        "asset": row,
        "shots": _shots_using(kind, row),
    }
    return render(request, "assets/edit.html", context, status=422 if form.errors else 200)


def _save(request: HttpRequest, project: Project, kind: str, form: forms.ModelForm[Any], asset_id: int | None) -> None:
    seen = request.POST.get("revision", "")
    save_asset(
        model=KINDS[kind][0],
        project=project,
        actor=request.user,
        fields=form.cleaned_data,
        asset_id=asset_id,
        seen=whole_number(seen),
        tab=tab_of(request),
    )


def _shots_using(kind: str, row: Tracked | None) -> list[Any]:
    if row is None:
        return []
    if kind == "character":
        return [c.shot for c in row.castings.filter(removed_at=None, shot__removed_at=None).select_related("shot")]  # type: ignore[attr-defined]
    return list(row.shot_set.filter(removed_at=None).order_by("position"))  # type: ignore[attr-defined]


@require_POST
@project_page("assets.edit")
def remove(request: HttpRequest, project: Project, kind: str, asset_id: int) -> HttpResponse:
    _form_for(kind, project)
    remove_asset(model=KINDS[kind][0], project=project, actor=request.user, asset_id=asset_id, tab=tab_of(request))
    messages.success(request, _("Removed. Ctrl+Z brings it back."))
    return hx_location(reverse("assets:library", args=[project.code]))
