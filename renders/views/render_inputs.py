"""The inputs in the render dialog: what each takes, a picker for it, and a file that is brought for it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from aipipeline.media.probe import ProbeError, probe
from aipipeline.media.uploads import kept_upload
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import allows, require
from aipipeline.ui.htmx import hx_toast
from aipipeline.ui.pages import body_of, project_page
from renders.farm.candidates import offers_for
from renders.farm.choices import named_choices
from renders.farm.roles import Role, roles_of, without_lacking
from renders.farm.ways import is_chain, shots_in
from renders.models import Workflow
from renders.services.uploading import publish_upload
from shots.models import Shot


@require_POST
@project_page("renders.start")
def inputs(request: HttpRequest, project: Project) -> HttpResponse:
    """The section of the inputs anew: something was picked, searched for, opened or closed (`toggle`)."""
    body = body_of(request)
    return _section(request, project, _workflows(request, project, body), shots_in(project, body), body)


@require_POST
@project_page("renders.start")
def upload(request: HttpRequest, project: Project) -> HttpResponse:
    """Publish the file of the input `role` with the (first) shot, as the kind that it takes, and pick it."""
    require(request.user, "versions.upload", project)
    body = body_of(request)
    workflows, shots = _workflows(request, project, body), shots_in(project, body)
    roles = roles_of(project, workflows, shots, body, chain=is_chain(body))
    role = next((role for role in roles if role.name == body.get("role")), None)
    if role is None:
        raise Invalid(_("What is chosen takes no such input."), fields={"role": [_("unknown")]})
    with kept_upload(request.FILES.get("file")) as (name, path):
        _refuse_other_medium(role, name, path)
        version = publish_upload(
            project=project, owner=shots[0], kind=role.kinds[0], name=name, path=path, actor=request.user, comment=name
        )
    picked = {**body, role.field: str(version.pk), "open": role.name}
    response = _section(request, project, workflows, shots, picked)
    return hx_toast(response, _("%(label)s is published.") % {"label": version.label})


def inputs_context(
    project: Project, workflows: Sequence[Workflow], shots: Sequence[Shot], body: Mapping[str, Any], actor: Any
) -> dict[str, Any]:
    """What the section shows: the roles, the open picker with its lists, and whether some shots lack something."""
    roles = roles_of(project, workflows, shots, body, chain=is_chain(body))
    wanted, toggled = body.get("open"), body.get("toggle")
    wanted = toggled if toggled and toggled != wanted else None if toggled else wanted
    opened = next((role for role in roles if role.name == wanted), None)
    query = str(body.get("picker_search") or "") if opened is not None and not toggled else ""
    offers = offers_for(project, opened, shots, query) if opened is not None else []
    chosen = opened.chosen if opened is not None else None
    return {
        "project": project,
        "roles": roles,
        "opened": opened,
        "offers": offers,
        "kept": chosen if all(chosen not in offer.pictures for offer in offers) else None,
        "query": query,
        "home": shots[0],
        "several": len(shots) > 1,
        "count": len(shots),
        "may_upload": allows(actor, "versions.upload", project),
        "partly": 0 < len(without_lacking(roles, shots)) < len(shots),
        "leave_out": bool(body.get("leave_out")),
    }


def _section(
    request: HttpRequest,
    project: Project,
    workflows: Sequence[Workflow],
    shots: Sequence[Shot],
    body: Mapping[str, Any],
) -> HttpResponse:
    context = inputs_context(project, workflows, shots, body, request.user)
    return render(request, "renders/_render_dialog_inputs.html", context)


def _workflows(request: HttpRequest, project: Project, body: Mapping[str, Any]) -> list[Workflow]:
    compare = body.get("mode") == "compare"
    values = request.POST.getlist("compare") if compare else [str(body.get("choice") or "")]
    return [workflow for workflow, _preset in named_choices(project, request.user, values)]


def _refuse_other_medium(role: Role, name: str, path: Path) -> None:
    try:
        kind = probe(path).kind
    except ProbeError as error:
        text = _("%(name)s cannot be read as a picture or a clip.") % {"name": name}
        raise Invalid(text, fields={"file": [_("not read")]}) from error
    if kind != ("video" if role.clip else "image"):
        text = (
            _("%(name)s is no clip; %(role)s takes one.")
            if role.clip
            else _("%(name)s is no picture; %(role)s takes one.")
        )
        raise Invalid(text % {"name": name, "role": role.title}, fields={"file": [_("of another kind")]})
