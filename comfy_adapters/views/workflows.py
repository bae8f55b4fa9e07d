"""The list of workflows, one of them, its switch, and its files."""

import json
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.permissions import allows, require
from aipipeline.ui.htmx import hx_location, hx_refresh, hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, tab_of
from comfy_adapters.own.bringing import looked_into
from comfy_adapters.own.reading import Brought
from comfy_adapters.own.strict import nodes_of
from comfy_adapters.selectors import graph_for, projects_to_manage, workflow_for, workflows_visible_to
from comfy_adapters.views.bring import edit_context
from renders.models import WorkerFit, Workflow
from renders.models.workflow import Origin
from renders.services import control, own_workflows
from shots.prompts import FAMILIES


@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Built-in ones and brought ones, with what they need and which workers have it."""
    fits = WorkerFit.objects.select_related("worker").order_by("worker__name")
    rows = workflows_visible_to(request.user).defer("graph__nodes", "graph__about")
    rows = rows.prefetch_related(Prefetch("fits", queryset=fits)).order_by("-origin", "key")
    managed = set(projects_to_manage(request.user).values_list("pk", flat=True))
    staff = allows(request.user, own_workflows.OPERATION)
    shown = [_row(row, staff=staff, managed=managed) for row in rows]
    context = {
        "own": [row for row in shown if row["workflow"].origin == Origin.OWN],
        "built_in": [row for row in shown if row["workflow"].origin != Origin.OWN],
        "may_bring": staff or bool(managed),
    }
    return render_page_or_fragment(request, "comfy_adapters/list.html", "comfy_adapters/_list.html", context)


def _row(row: Workflow, *, staff: bool, managed: set[int]) -> dict[str, Any]:
    fits = list(row.fits.all())
    own = row.origin == Origin.OWN
    return {
        "workflow": row,
        "dialect": FAMILIES[row.family] if row.family in FAMILIES and row.family != "none" else "",
        "fits": fits,
        "fitting": sum(fit.fits for fit in fits),
        "may_switch": staff if not own or row.project_id is None else row.project_id in managed,
    }


@require_GET
def detail(request: HttpRequest, key: str) -> HttpResponse:
    """One workflow: what it needs and where it fits; a brought one with its versions and its correction form."""
    row = workflow_for(request.user, key)
    managed = set(projects_to_manage(request.user).values_list("pk", flat=True))
    context = _row(row, staff=allows(request.user, own_workflows.OPERATION), managed=managed)
    context["versions"] = row.graphs.defer("nodes", "about").select_related("author")
    context["may_edit"] = own_workflows.may_manage(request.user, row)
    if context["may_edit"] and row.graph is not None:
        try:
            brought = Brought(nodes_of(row.graph.nodes), row.graph.source)
        except Invalid as error:  # it came back from a file of the tree that somebody edited
            context["damaged"] = error.message
        else:
            about, detected = looked_into(brought, workflow=row)
            context |= edit_context(request, brought, about, detected, row)
    return render(request, "comfy_adapters/workflow.html", context)


@require_POST
def switch(request: HttpRequest, key: str) -> HttpResponse:
    """Offer a workflow for new jobs, or do not; `page`: its own page asks, and is shown anew."""
    row, body = workflow_for(request.user, key), body_of(request)
    if body.get("enabled") not in ("0", "1"):
        raise Invalid(_("enabled: 1 or 0 is needed."), fields={"enabled": [_("not 1 or 0")]})
    enabled = body["enabled"] == "1"
    if row.origin == Origin.OWN:
        own_workflows.set_enabled(workflow=row, actor=request.user, enabled=enabled, tab=tab_of(request))
    else:
        require(request.user, "farm.manage")
        control.update_workflow(workflow=row, actor=request.user, fields={"enabled": enabled}, tab=tab_of(request))
    told = _("%(title)s is offered again.") if enabled else _("%(title)s is not offered any more.")
    shown = hx_location(reverse("workflows:detail", args=[row.key])) if "page" in body else HttpResponse(status=204)
    return hx_refresh(hx_toast(shown, told % {"title": row.title}))


@require_GET
def export(request: HttpRequest, key: str, number: int, part: str) -> HttpResponse:
    """`graph.json` or `slots.json` of one version, as the repository keeps them."""
    graph = graph_for(request.user, key, number)
    if part not in ("graph", "slots"):
        raise NotFound(_("There is nothing at this address."))
    name = key.removeprefix(own_workflows.PREFIX).replace("-", "_")
    name = f"{name}.json" if part == "graph" else f"{name}.slots.json"
    content = graph.nodes if part == "graph" else {**graph.about, "name": name.removesuffix(".slots.json")}
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
