"""Render presets: the page that lists them, and what people do with them there and in the render dialog."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_refresh, hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, project_page, tab_of
from renders.farm.choices import groups_for, presets_for
from renders.farm.fields import told_params
from renders.farm.ways import ways_in
from renders.services import presets as services


@require_GET
@project_page("renders.start")
def presets(request: HttpRequest, project: Project) -> HttpResponse:
    context = {
        **project_context(request, project),
        "presets": [(preset, told_params(preset.params)) for preset in presets_for(project, request.user)],
    }
    return render_page_or_fragment(request, "renders/presets.html", "renders/_presets.html", context)


@require_POST
@project_page("renders.start")
def save(request: HttpRequest, project: Project) -> HttpResponse:
    """Keep what the render dialog says now under a name; answers the dialog's choices with the new one chosen."""
    body = body_of(request)
    name = str(body.get("preset_name") or "").strip()
    if not name:
        raise Invalid(_("Give the preset a name."), fields={"name": [_("required")]})
    ways = ways_in(project, request.user, {**body, "mode": "one"}, [])
    if not ways:
        raise Invalid(_("Choose a workflow or a preset."), fields={"choice": [_("required")]})
    fields = {
        "name": name,
        "workflow": ways[0].workflow,
        "params": ways[0].params,
        "shared": body.get("preset_shared") == "1",
    }
    made = services.create_preset(project=project, actor=request.user, fields=fields, tab=tab_of(request))
    context = {"groups": groups_for(project, request.user), "chosen": f"p:{made.pk}", "quiet": True, "now_shown": True}
    response = render(request, "renders/_render_dialog_choices.html", context)
    return hx_toast(response, _("“%(name)s” is saved.") % {"name": made.name})


@require_POST
@project_page("renders.start")
def change(request: HttpRequest, project: Project, render_preset_id: int) -> HttpResponse:
    """Rename a preset (`name`) or share it (`shared`: 1 or 0)."""
    body = body_of(request)
    fields: dict[str, Any] = {}
    if "name" in body:
        fields["name"] = str(body["name"]).strip()
    if "shared" in body:
        fields["shared"] = body["shared"] == "1"
    preset = services.preset_for(request.user, render_preset_id, project)
    services.update_preset(preset=preset, actor=request.user, fields=fields, tab=tab_of(request))
    return _told(_("Saved."))


@require_POST
@project_page("renders.start")
def clone(request: HttpRequest, project: Project, render_preset_id: int) -> HttpResponse:
    preset = services.preset_for(request.user, render_preset_id, project)
    made = services.clone_preset(preset=preset, actor=request.user, tab=tab_of(request))
    return _told(_("“%(name)s” is your own copy.") % {"name": made.name})


@require_POST
@project_page("renders.start")
def remove(request: HttpRequest, project: Project, render_preset_id: int) -> HttpResponse:
    preset = services.preset_for(request.user, render_preset_id, project)
    services.remove_preset(preset=preset, actor=request.user, tab=tab_of(request))
    return _told(_("“%(name)s” is removed.") % {"name": preset.name})


def _told(text: str) -> HttpResponse:
    """Each of these is one step of this tab's undo, so the message offers it."""
    told = {"message": text, "level": "success", "undo": True}
    return hx_refresh(trigger_client_event(HttpResponse(status=204), "aip:toast", told))
