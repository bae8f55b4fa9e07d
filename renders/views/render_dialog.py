"""The render dialog: one form for every way to start renders of shots, with what keeps it from working said before."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid, NotFound, PipelineError
from aipipeline.projects.models import Project
from aipipeline.ui.htmx import hx_refresh, hx_toast
from aipipeline.ui.pages import body_of, number_in, project_page, tab_of
from aipipeline.ui.templatetags.ui import elapsed
from renders.farm.choices import Fitting, first_choice, groups_for, named_choice, role_name
from renders.farm.fields import fields_of, typed_params
from renders.models import WaitsFor, Workflow
from renders.selectors import newest_by_shot
from renders.services.estimates import estimate
from renders.services.fits import refusals
from renders.services.jobs import MOST_JOBS, start_renders
from renders.services.workflows import workflow_for
from shots.models import Shot, Step
from shots.models.step import KIND_OF_STEP

MOST_CHECKED = 500
ORDERS = ("all", WaitsFor.RENDERED, WaitsFor.APPROVED)


@require_POST
@project_page("renders.start")
def dialog(request: HttpRequest, project: Project) -> HttpResponse:
    """The dialog's content for the shots `ids`; with `which=missing` for those that lack the step's version, or all."""
    body = body_of(request)
    step = str(body.get("step") or "")
    if step and step not in Step.values:
        raise Invalid(_("Unknown step."), fields={"step": [_("unknown")]})
    shots = _shots(project, body)
    if body.get("which") == "missing":
        have = newest_by_shot(shots, KIND_OF_STEP[step or Step.FIRST_IMAGE])
        shots = [shot for shot in shots if shot.pk not in have] or shots
    if not shots:
        raise Invalid(_("Choose at least one shot."), fields={"ids": [_("empty")]})
    groups = groups_for(project, request.user)
    chosen = first_choice(project, request.user, step, groups, _usual(project, step, shots))
    context = {
        "project": project,
        "ids": ",".join(str(shot.pk) for shot in shots),
        "shots": shots[:12],
        "count": len(shots),
        "groups": groups,
        "chosen": chosen,
        "step": step,
        **_about(project, request.user, shots, chosen),
    }
    return render(request, "renders/_render_dialog.html", context)


@require_POST
@project_page("renders.start")
def choice(request: HttpRequest, project: Project) -> HttpResponse:
    """The fields and the warnings of what is chosen now."""
    body = body_of(request)
    context = {"project": project, **_about(project, request.user, _shots(project, body), str(body.get("choice", "")))}
    return render(request, "renders/_render_dialog_params.html", context)


@require_POST
@project_page("renders.start")
def start(request: HttpRequest, project: Project) -> HttpResponse:
    """Start what the form says; Invalid, with the reasons, when no worker could do it."""
    body = body_of(request)
    order = str(body.get("order") or "all")
    if order not in ORDERS:
        raise Invalid(_("Unknown order."), fields={"order": [_("unknown")]})
    wanted: dict[str, Any] = {"chain": order != "all"}
    if order != "all":
        wanted["waits_for"] = order
    if body.get("mode") == "compare":
        chosen = [named_choice(project, request.user, value) for value in request.POST.getlist("compare")]
        if len(chosen) < 2:
            raise Invalid(_("Choose at least two to compare."), fields={"compare": [_("too few")]})
        wanted["presets"] = [preset for _workflow, preset in chosen if preset is not None]
        wanted["workflows"] = [workflow.key for workflow, preset in chosen if preset is None]
    else:
        workflow, preset = named_choice(project, request.user, str(body.get("choice", "")))
        wanted["params"] = {**(preset.params if preset else {}), **typed_params(workflow, body)}
        wanted["workflow"] = workflow.key
        wanted["variants"] = max(1, number_in(body, "variants", required=False) or 1)
    started = start_renders(
        project=project,
        actor=request.user,
        shots=_shots(project, body),
        priority=max(-100, min(100, number_in(body, "priority", required=False) or 0)),
        tab=tab_of(request),
        **wanted,
    )
    response = hx_refresh(HttpResponse(status=204))
    if started.batch is None:
        return hx_toast(response, _("Everything chosen is being made already."), "info")
    count = len(started.jobs)
    text = ngettext("%(n)d job queued.", "%(n)d jobs queued.", count) % {"n": count}
    if started.estimate is not None:
        text += " " + _("They are done in about %(time)s.") % {"time": elapsed(started.estimate)}
    return hx_toast(response, text)


def _shots(project: Project, body: dict[str, Any]) -> list[Shot]:
    """The named shots in story order, all when `which=missing`; each must be of this project."""
    rows = Shot.objects.live().filter(project=project)
    rows = rows.select_related("project", "scene__environment", "environment", "preset").order_by("position")
    if body.get("which") == "missing":
        return list(rows[:MOST_JOBS])
    ids = {whole_number(part) for part in str(body.get("ids", "")).split(",") if part.strip()}
    if not ids or None in ids:
        raise Invalid(_("Choose at least one shot."), fields={"ids": [_("empty")]})
    if len(ids) > MOST_JOBS:
        raise Invalid(_("At most %(most)d at once; choose fewer.") % {"most": MOST_JOBS}, fields={"ids": [_("many")]})
    shots = list(rows.filter(pk__in=ids))
    if len(shots) != len(ids):
        raise NotFound(_("A shot is not in this project."))
    return shots


def _usual(project: Project, step: str, shots: Sequence[Shot]) -> str:
    """The workflow that this step would take by itself."""
    try:
        return workflow_for(project, step or Step.FIRST_IMAGE, shots[0]).key
    except PipelineError:
        return ""


def _about(project: Project, actor: Any, shots: Sequence[Shot], value: str) -> dict[str, Any]:
    """Fields, inputs that are missing, refusals and the estimate of one choice; nothing when there is none."""
    if not value:
        return {"workflow": None}
    workflow, preset = named_choice(project, actor, value)
    params = dict(preset.params) if preset else {}
    one = estimate(workflow=workflow, params={**_size(project, shots), **workflow.defaults, **params})
    return {
        "workflow": workflow,
        "preset": preset,
        "offer": Fitting().choice(workflow, preset),
        "fields": fields_of(workflow, params),
        "missing": _missing(workflow, shots),
        "refusals": refusals(workflow=workflow, params=params),
        "one": one,
        "estimate": one * len(shots) if one is not None else None,
    }


def _size(project: Project, shots: Sequence[Shot]) -> dict[str, Any]:
    """An ordinary shot of these, for the estimate."""
    frames = sorted(shot.duration_frames for shot in shots)
    return {"width": project.width, "height": project.height, "frames": frames[len(frames) // 2], "fps": project.fps}


def _missing(workflow: Workflow, shots: Sequence[Shot]) -> list[tuple[str, int]]:
    """(role in words, how many of the shots have nothing for it yet); a query for each role: two at most."""
    found = []
    for entry in workflow.inputs:
        if entry.get("required", True):
            have = newest_by_shot(shots[:MOST_CHECKED], entry["kind"])
            lacking = sum(shot.pk not in have for shot in shots[:MOST_CHECKED])
            if lacking:
                found.append((role_name(entry["role"]), lacking))
    return found
