"""Bringing a workflow along: drop, paste or pick one, correct what was found, check it, save it."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.checks import check_clean, whole_number
from aipipeline.projects.errors import Invalid, NotAllowed
from aipipeline.projects.permissions import allows, require
from aipipeline.ui.htmx import hx_location, hx_toast
from aipipeline.ui.pages import project_for, tab_of
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.forms import LATTICE, candidates, changes_in, lines_of, output_choices, place_of
from comfy_adapters.own.bringing import looked_into, read_upload
from comfy_adapters.own.checking import known_schema, lacking, schema_of
from comfy_adapters.own.correcting import corrected
from comfy_adapters.own.describe import FAMILIES
from comfy_adapters.own.detect import Detected
from comfy_adapters.own.history import from_history
from comfy_adapters.own.reading import Brought, read_text
from comfy_adapters.own.titles import SLOTS
from comfy_adapters.selectors import comfy_worker, comfy_workers, projects_to_manage, workflow_for
from renders.models import VersionKind, Workflow
from renders.models.workflow import Origin
from renders.services import own_workflows
from shots.models import Step
from shots.prompts import FAMILIES as DIALECTS

_SHOWN_KINDS = ("previz", "layout", "playblast", "render", "comp", "final", "reference", "mask")


def require_bringing(actor: Any) -> None:
    """NotAllowed unless there is a place to which the person may bring a workflow."""
    if not allows(actor, own_workflows.OPERATION) and not projects_to_manage(actor).exists():
        raise NotAllowed(_("Leads of a project and staff bring workflows along."))


@require_GET
def new(request: HttpRequest) -> HttpResponse:
    """Where a workflow is dropped, pasted or picked; `?workflow=` for a new version of that one."""
    require_bringing(request.user)
    workflow = _of(request, request.GET.get("workflow", ""))
    return render(request, "comfy_adapters/new.html", {"workflow": workflow, "workers": list(comfy_workers())})


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """A file, a text or an entry of a server's history becomes the form in which it is corrected."""
    require_bringing(request.user)
    _check_clean(request)
    workflow = _of(request, request.POST.get("workflow", ""))
    brought = _brought(request)
    schema = known_schema()
    about, detected = looked_into(brought, workflow=workflow, schema=schema)
    context = edit_context(request, brought, about, detected, workflow)
    context["outputs"] = output_choices(brought.nodes, schema, about["output"]["node"])
    return render(request, "comfy_adapters/_edit.html", context)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """What the chosen worker's server lacks for the form as it stands; nothing is saved."""
    require_bringing(request.user)
    brought, about, _workflow = _form(request)
    number = whole_number(request.POST.get("worker", ""))
    worker = comfy_worker(number or 0)
    context: dict[str, Any] = {"worker": worker, "about": about}
    try:
        context["findings"] = lacking(brought.nodes, about, schema_of(worker))
    except ComfyError as error:
        context["away"] = error.message
    return render(request, "comfy_adapters/_findings.html", context)


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """A new workflow, or the next version of one; then its page."""
    brought, about, workflow = _form(request)
    if workflow is None:
        code = request.POST.get("project", "")
        project = project_for(request.user, code) if code else None
        require(request.user, own_workflows.OPERATION, project)
        workflow = own_workflows.create_workflow(
            actor=request.user, project=project, nodes=brought.nodes, about=about, source=brought.source,
            name=request.POST.get("name", "").strip()[:60], tab=tab_of(request),
        )  # fmt: skip
        told = _("%(key)s is saved.") % {"key": workflow.key}
    else:
        graph = own_workflows.add_version(
            workflow=workflow, actor=request.user, nodes=brought.nodes, about=about, source=brought.source,
            tab=tab_of(request),
        )  # fmt: skip
        told = _("%(key)s is at version %(number)d.") % {"key": workflow.key, "number": graph.number}
    return hx_toast(hx_location(reverse("workflows:detail", args=[workflow.key])), told)


def edit_context(
    request: HttpRequest, brought: Brought, about: dict[str, Any], detected: Detected, workflow: Workflow | None
) -> dict[str, Any]:
    """Everything that the correction form shows."""
    labels = dict(VersionKind.choices)
    return {
        "brought": brought,
        "about": about,
        "workflow": workflow,
        "warnings": detected.warnings,
        "nodes_json": json.dumps(brought.nodes, ensure_ascii=False, separators=(",", ":")),
        "models": [{**row, "place": place_of(row)} for row in about["models"]],
        "lines": lines_of(brought.nodes, about, detected),
        "candidates": candidates(brought.nodes),
        "slot_names": SLOTS,
        "outputs": output_choices(brought.nodes, None, about["output"]["node"]),
        "kinds": [(value, labels[value]) for value in _SHOWN_KINDS],
        "steps": [*Step.choices, ("", _("None: pictures of characters and places"))],
        "families": [(family, DIALECTS[family]) for family in FAMILIES],
        "lattice": [(name, _lattice_label(name), about["constraints"].get(name) or "") for name in LATTICE],
        "loras": bool(about["lora_chain"]),
        "loras_possible": bool(about["lora_chain"] or detected.about["lora_chain"]),
        "projects": [] if workflow is not None else list(projects_to_manage(request.user)),
        "for_all": allows(request.user, own_workflows.OPERATION),
        "workers": list(comfy_workers()),
    }


def _lattice_label(name: str) -> str:
    return {
        "size_multiple": _("Sizes are multiples of"),
        "max_pixels": _("Pixels at most"),
        "length_step": _("Frames: multiple of … plus 1"),
        "fps": _("Its frames per second"),
        "max_length": _("Frames at most"),
    }[name]


def _form(request: HttpRequest) -> tuple[Brought, dict[str, Any], Workflow | None]:
    """The graph and the corrected slot map that the form holds. Invalid by field."""
    _check_clean(request)
    post = request.POST
    workflow = _of(request, post.get("workflow", ""))
    brought = read_text(post.get("nodes", ""), source=post.get("source", "")[:300])
    about, detected = looked_into(brought, workflow=workflow)
    return brought, corrected(brought.nodes, about, changes_in(post, about, detected)), workflow


def _check_clean(request: HttpRequest) -> None:
    """Invalid for fields that a database would choke on; a name occurs often in this form."""
    check_clean({name: request.POST.getlist(name) for name in request.POST})


def _brought(request: HttpRequest) -> Brought:
    post = request.POST
    if prompt_id := post.get("prompt_id", ""):
        worker = comfy_worker(whole_number(post.get("worker", "")) or 0)
        return from_history(worker, prompt_id[:100], request.user)
    if text := post.get("text", "").strip():
        return read_text(text, source=_("pasted"))
    upload: Any = request.FILES.get("file")
    return read_upload(upload)


def _of(request: HttpRequest, key: str) -> Workflow | None:
    if not key:
        return None
    workflow = workflow_for(request.user, key)
    if workflow.origin != Origin.OWN:
        raise Invalid(_("%(key)s is built in: it changes with the program.") % {"key": workflow.key})
    require(request.user, own_workflows.OPERATION, workflow.project)
    return workflow
