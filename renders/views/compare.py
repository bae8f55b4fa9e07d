"""What becomes of a version, from its page: compared with another, made again, worked on."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_refresh, hx_toast, render_page_or_fragment
from aipipeline.ui.pages import project_page, tab_of
from renders.models import Version, Workflow
from renders.selectors import version_for
from renders.services.comparing import compare as compare_versions
from renders.services.posting import post_version, post_workflows
from renders.services.reproducing import differences
from renders.services.reproducing import reproduce as reproduce_version

# By what a workflow can be told: the choices of the page. The API takes any.
_MORE_FRAMES = ("fps=48", "fps=60", "slow=2", "slow=4")
_LARGER = ("scale=2", "scale=4")


@require_GET
@project_page("project.view")
def compare(request: HttpRequest, project: Project, version_id: int, other_id: int) -> HttpResponse:
    """Two versions side by side, and what differs between how they were made."""
    versions = [_version(request, project, pk) for pk in (version_id, other_id)]
    fields = compare_versions(*versions)
    context = {
        **project_context(request, project),
        "versions": versions,
        "different": [field for field in fields if not field.same],
        "same": [field for field in fields if field.same],
        "swapped": reverse("renders:compare", args=[project.code, other_id, version_id]),
        "back": _page_of(versions[0]),
    }
    return render_page_or_fragment(request, "renders/compare.html", "renders/_compare.html", context)


@require_http_methods(["GET", "POST"])
@project_page("project.view")
def reproduce(request: HttpRequest, project: Project, version_id: int) -> HttpResponse:
    """GET: what would differ, to be asked for. POST: make it again; `accept` when something differs."""
    version = _version(request, project, version_id)
    if request.method == "POST":
        require(request.user, "renders.start", project)
        accept = request.POST.get("accept") == "true"
        reproduce_version(version=version, actor=request.user, accept=accept, tab=tab_of(request))
        return _started(version)
    found = differences(version)
    context = {
        "project": project,
        "version": version,
        "differences": found,
        "possible": not any(entry.blocking for entry in found),
    }
    return render(request, "renders/_reproduce.html", context)


@require_http_methods(["GET", "POST"])
@project_page("project.view")
def post(request: HttpRequest, project: Project, version_id: int) -> HttpResponse:
    """GET: what can be made of this version. POST: `workflow` and `amount` ("fps=48", "slow=2", "scale=2")."""
    version = _version(request, project, version_id)
    if request.method == "POST":
        require(request.user, "renders.start", project)
        params = _amount(request.POST.get("amount", ""))
        workflow = request.POST.get("workflow", "")
        post_version(version=version, actor=request.user, workflow=workflow, params=params, tab=tab_of(request))
        return _started(version)
    choices = [(workflow, _amounts(workflow)) for workflow in post_workflows(version)]
    return render(request, "renders/_post.html", {"project": project, "version": version, "choices": choices})


def _version(request: HttpRequest, project: Project, version_id: int) -> Version:
    version = version_for(request.user, version_id)
    if version.project_id != project.pk:
        raise NotFound(_("This version belongs to another project."))
    return version


def _page_of(version: Version) -> str:
    if version.shot_id is not None:
        return f"{reverse('shots:detail', args=[version.project.code, version.shot_id])}?version={version.pk}"
    kind = "character" if version.character_id is not None else "environment"
    return reverse("assets:edit", args=[version.project.code, kind, version.character_id or version.environment_id])


def _amounts(workflow: Workflow) -> list[tuple[str, str]]:
    labels = {
        "fps=48": _("48 frames per second"),
        "fps=60": _("60 frames per second"),
        "slow=2": _("Slow motion ×2"),
        "slow=4": _("Slow motion ×4"),
        "scale=2": _("Twice as large"),
        "scale=4": _("Four times as large"),
    }
    values = _MORE_FRAMES if "slow" in workflow.slots else _LARGER if "scale" in workflow.slots else ()
    return [(value, labels[value]) for value in values]


def _amount(text: str) -> dict[str, Any]:
    if not text:
        return {}
    if text not in (*_MORE_FRAMES, *_LARGER):
        raise Invalid(_("Choose one of the amounts that are listed."), fields={"amount": [_("unknown")]})
    name, _sign, value = text.partition("=")
    return {name: value if name == "fps" else int(value)}


def _started(version: Version) -> HttpResponse:
    response = hx_refresh(HttpResponse(status=204))
    return hx_toast(response, _("%(version)s: the work is queued.") % {"version": version.label})
