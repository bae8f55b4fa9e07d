"""The list of projects, a new project, the overview of one, undo and redo."""

from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from aipipeline.history import services as history
from aipipeline.history.project_services import create_project
from aipipeline.history.wording import action_words
from aipipeline.projects.errors import PipelineError
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import allows, require
from aipipeline.studio.forms import ProjectForm
from aipipeline.studio.overview import overview_of
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_toast, render_page_or_fragment
from aipipeline.ui.pages import project_page, tab_of
from renders.models import Version

# So many cells that an undo left alone are named; the rest is counted.
MOST_TOLD = 5


@require_GET
def projects(request: HttpRequest) -> HttpResponse:
    rows = (
        Project.objects.visible_to(request.user)
        .annotate(
            shot_count=Count("shots", filter=Q(shots__removed_at=None), distinct=True),
            done_count=Count(
                "shots",
                filter=Q(shots__removed_at=None, shots__status__in=["approved", "final"]),
                distinct=True,
            ),
            cover=Subquery(
                Version.objects.live()
                .filter(project=OuterRef("pk"), kind="previz", shot__removed_at=None)
                .order_by("shot__position", "-number")
                .values("pk")[:1]
            ),
        )
        .order_by("-updated_at")
    )
    context = {"projects": rows, "may_create": allows(request.user, "project.create")}
    return render(request, "studio/projects.html", context)


@require_http_methods(["GET", "POST"])
def project_new(request: HttpRequest) -> HttpResponse:
    require(request.user, "project.create")
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = create_project(actor=request.user, **form.cleaned_data)
        except PipelineError as error:
            form.add_error(None, str(error.message))
        else:
            return HttpResponseRedirect(reverse("studio:overview", args=[project.code]))
    return render(request, "studio/project_new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@project_page("project.view")
def overview(request: HttpRequest, project: Project) -> HttpResponse:
    context = {**project_context(request, project), **overview_of(project, request.user)}
    return render_page_or_fragment(request, "studio/overview.html", "studio/_overview.html", context)


@require_http_methods(["GET", "POST"])
@project_page("project.view")
def undo(request: HttpRequest, project: Project) -> HttpResponse:
    """POST takes the newest step back; GET answers {"undo", "redo"}: what either would do, "" for nothing."""
    if request.method == "GET":
        steps = history.next_steps(project=project, actor=request.user, tab=tab_of(request))
        back, again = (action_words(step) if step else "" for step in steps)
        return JsonResponse({"undo": back, "redo": again})
    done = history.undo(project=project, actor=request.user, tab=tab_of(request))
    return _told(done, _("Undone"))


@require_POST
@project_page("project.view")
def redo(request: HttpRequest, project: Project) -> HttpResponse:
    done = history.redo(project=project, actor=request.user, tab=tab_of(request))
    return _told(done, _("Done again"))


def _told(done: history.Replayed, word: str) -> HttpResponse:
    response = HttpResponse(status=204)
    if done.skipped:
        lines = [_("%(word)s, but not all of it:") % {"word": word}]
        lines += [_skipped_words(entry) for entry in done.skipped[:MOST_TOLD]]
        if (more := len(done.skipped) - MOST_TOLD) > 0:
            lines.append(ngettext("and %(n)s more", "and %(n)s more", more) % {"n": more})
        hx_toast(response, "\n".join(lines), "warning")
    else:
        hx_toast(response, word)
    return response


def _skipped_words(entry: dict[str, Any]) -> str:
    """One row that an undo left alone: which cells, and why."""
    names = ", ".join(_field_name(entry["model"], name) for name in entry["fields"])
    where = f"{entry['label']} · {names}" if names else entry["label"]
    return f"{where}: {entry['reason']}"


def _field_name(label: str, name: str) -> str:
    try:
        return capfirst(str(getattr(apps.get_model(label)._meta.get_field(name), "verbose_name", name)))
    except (LookupError, ValueError, FieldDoesNotExist):
        return name
