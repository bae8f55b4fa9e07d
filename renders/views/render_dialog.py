"""The render dialog: one form for every way to start renders of shots, with what keeps it from working said before."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from aipipeline.projects.errors import Invalid, PipelineError
from aipipeline.projects.models import Project
from aipipeline.ui.htmx import ToastLevel, hx_refresh, hx_toast
from aipipeline.ui.pages import body_of, number_in, project_page, tab_of
from aipipeline.ui.templatetags.ui import elapsed
from renders.farm.choices import first_choice, groups_for, named_choices
from renders.farm.fields import TYPED, fields_of
from renders.farm.roles import inputs_in, refuse_lacking, roles_of, waited_for, without_lacking
from renders.farm.ways import advice_of, estimate_of, is_chain, shots_in, ways_in
from renders.selectors import newest_by_shot
from renders.services.fits import refusals
from renders.services.jobs import start_renders
from renders.services.workflows import workflow_for
from renders.views.render_inputs import inputs_context
from shots.models import Shot, Step
from shots.models.step import KIND_OF_STEP

MOST_TOLD = 3  # warnings in one message; the jobs' own pages tell them all


@require_POST
@project_page("renders.start")
def dialog(request: HttpRequest, project: Project) -> HttpResponse:
    """The dialog's content for the shots `ids`; with `which=missing` for those that lack the step's version, or all."""
    body = body_of(request)
    step = str(body.get("step") or "")
    if step and step not in Step.values:
        raise Invalid(_("Unknown step."), fields={"step": [_("unknown")]})
    shots = shots_in(project, body)
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
        **_about(request, project, shots, {"choice": chosen}, []),
    }
    return render(request, "renders/_render_dialog.html", context)


@require_POST
@project_page("renders.start")
def choice(request: HttpRequest, project: Project) -> HttpResponse:
    """The fields, the inputs and the warnings of what is chosen now; what was typed for it stays."""
    body = body_of(request)
    compared = request.POST.getlist("compare")
    context = {"project": project, "oob": True, **_about(request, project, shots_in(project, body), body, compared)}
    return render(request, "renders/_render_dialog_params.html", context)


@require_POST
@project_page("renders.start")
def estimate(request: HttpRequest, project: Project) -> HttpResponse:
    """How long what the form says now would take; what is typed wrongly is told in its place."""
    body = body_of(request)
    context = _time(request, project, shots_in(project, body), body, request.POST.getlist("compare"))
    return render(request, "renders/_render_dialog_time.html", context)


@require_POST
@project_page("renders.start")
def start(request: HttpRequest, project: Project) -> HttpResponse:
    """Start what the form says; Invalid, with the reasons, when no worker could do it or a shot lacks an input."""
    body = body_of(request)
    compare = body.get("mode") == "compare"
    wanted: dict[str, Any] = {"chain": is_chain(body)}
    if wanted["chain"]:
        wanted["waits_for"] = body["order"]
    ways = ways_in(project, request.user, body, request.POST.getlist("compare"))
    if compare:
        if len(ways) < 2:
            raise Invalid(_("Choose at least two to compare."), fields={"compare": [_("too few")]})
        wanted["presets"] = [way.preset for way in ways if way.preset is not None]
        wanted["workflows"] = [way.workflow.key for way in ways if way.preset is None]
    elif not ways:
        raise Invalid(_("Choose a workflow or a preset."), fields={"choice": [_("required")]})
    else:
        wanted |= {"workflow": ways[0].workflow.key, "params": ways[0].params, "variants": _variants(body)}
    workflows = [way.workflow for way in ways]
    inputs = inputs_in(workflows, body)
    shots = shots_in(project, body)
    roles = roles_of(project, workflows, shots, body, chain=wanted["chain"])
    if body.get("leave_out"):
        shots = without_lacking(roles, shots) or shots
        roles = roles_of(project, workflows, shots, body, chain=wanted["chain"])
    refuse_lacking(roles, shots)
    started = start_renders(
        project=project,
        actor=request.user,
        shots=shots,
        inputs=inputs,
        after_of=waited_for(roles),
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
    link = (reverse("renders:batch", args=[started.batch.pk]), _("Show the batch"))
    level: ToastLevel = "warning" if started.warnings else "success"
    return hx_toast(response, " ".join([text, *started.warnings[:MOST_TOLD]]), level, link=link)


def _usual(project: Project, step: str, shots: Sequence[Shot]) -> str:
    """The workflow that this step would take by itself."""
    try:
        return workflow_for(project, step or Step.FIRST_IMAGE, shots[0]).key
    except PipelineError:
        return ""


def _about(
    request: HttpRequest, project: Project, shots: Sequence[Shot], body: dict[str, Any], compared: Sequence[str]
) -> dict[str, Any]:
    """Fields, inputs, refusals and the estimate of what is chosen; without a workflow when nothing is."""
    value, compare = str(body.get("choice") or ""), body.get("mode") == "compare"
    if not value:
        return {"workflow": None}
    (workflow, preset), *others = named_choices(project, request.user, [value, *(compared if compare else [])])
    params = dict(preset.params) if preset else {}
    if body.get("shown") == value:
        params |= {name.removeprefix(TYPED): text for name, text in body.items() if name.startswith(TYPED)}
    used = [row for row, _preset in others] if compare else [workflow]
    return {
        "workflow": workflow,
        "preset": preset,
        "shown": value,
        "fields": fields_of(workflow, params),
        "refusals": refusals(workflow=workflow, params=preset.params if preset else {}),
        **inputs_context(project, used, shots, body, request.user),
        **_time(request, project, shots, body, compared),
    }


def _time(
    request: HttpRequest, project: Project, shots: Sequence[Shot], body: dict[str, Any], compared: Sequence[str]
) -> dict[str, Any]:
    try:
        ways = ways_in(project, request.user, body, compared)
        variants = 1 if body.get("mode") == "compare" else _variants(body)
    except Invalid as error:
        return {"wrong": error.message, "estimate": None}
    return {
        "estimate": estimate_of(project, shots, ways, variants=variants),
        "advice": advice_of(project, shots, ways),
    }


def _variants(body: dict[str, Any]) -> int:
    return max(1, number_in(body, "variants", required=False) or 1)
