"""The render farm's pages: the farm, one job, the top bar's indicator."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import allows, operations_of, require
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import render_page_or_fragment, wants_fragment
from aipipeline.ui.pages import project_for, project_page
from celery_workers.models import LedgerTask
from renders.farm import batches, classes, jobs, throughput, workers
from renders.farm.filters import SORT_LABELS, JobFilter, filter_from
from renders.farm.job_page import job_context
from renders.farm.jobs import jobs_in
from renders.models import Capability, Worker
from renders.models.job import HELD_STATES, OPEN_STATES
from renders.selectors import job_for, jobs_visible_to

TASKS_SHOWN = 12


def _state_part(request: HttpRequest, project: Project | None, _chosen: JobFilter) -> dict[str, Any]:
    """Workers, classes, throughput and batches."""
    found = jobs_in(request.user, project)
    cards = workers.worker_cards(request.user)
    pauses = classes.all_pauses()
    codes = classes.project_codes(Project.objects.visible_to(request.user))
    project_pause = next((p for p in pauses if p.scope == "project" and p.key == str(getattr(project, "pk", ""))), None)
    return {
        "cards": cards,
        "busy": sum(bool(card.current) for card in cards),
        "online": sum(not card.offline for card in cards),
        "offline": sum(card.offline for card in cards),
        "classes": classes.class_rows(found, cards, pauses),
        "pauses": classes.pause_groups(classes.pause_rows(pauses, codes)),
        "project_pause": project_pause,
        "through": throughput.throughput(found),
        "batches": batches.recent_batches(request.user, project),
    }


def _jobs_part(request: HttpRequest, project: Project | None, chosen: JobFilter) -> dict[str, Any]:
    """The list with its counts."""
    found = jobs_in(request.user, project)
    page, rows = jobs.job_page(found, chosen, request.GET.get("page"))
    return {
        "page": page,
        "rows": rows,
        "counts": jobs.state_counts(found, chosen),
        "headings": [_heading(name, label, chosen) for name, label in SORT_LABELS.items()],
        "page_query": chosen.query(),
    }


def _filters_part(request: HttpRequest, project: Project | None, chosen: JobFilter) -> dict[str, Any]:
    choices = jobs.filter_choices(jobs_in(request.user, project), project, request.user)
    return {
        **choices,
        "capabilities": Capability.choices,
        "batch": jobs.batch_named(request.user, chosen),
        "pausable": classes.pausable(),
    }


def _tasks_part(request: HttpRequest, project: Project | None, _chosen: JobFilter) -> dict[str, Any]:
    tasks = LedgerTask.objects.select_related("project", "actor")
    if project is not None:
        tasks = tasks.filter(project=project)
    else:
        tasks = tasks.filter(project__in=Project.objects.visible_to(request.user))
    return {"tasks": tasks[:TASKS_SHOWN]}


def _heading(name: str, label: Any, chosen: JobFilter) -> dict[str, Any]:
    """A column's head: where a click on it leads, and how it sorts now."""
    now = chosen.sort.removeprefix("-") == name
    down = chosen.sort.startswith("-")
    return {
        "name": name,
        "label": label,
        "query": chosen.query(sort=name if now and down else f"-{name}"),
        "sorted": ("descending" if down else "ascending") if now else "",
    }


PARTS: dict[str, tuple[str, Callable[[HttpRequest, Project | None, JobFilter], dict[str, Any]]]] = {
    "farm-state": ("renders/_farm_state.html", _state_part),
    "farm-jobs": ("renders/_farm_jobs.html", _jobs_part),
    "farm-tasks": ("renders/_farm_tasks.html", _tasks_part),
}


def _farm_page(request: HttpRequest, project: Project | None, context: dict[str, Any]) -> HttpResponse:
    """The page, or the one live part that asks for itself: the others cost nothing then."""
    chosen = filter_from(request.GET)
    context |= {
        "chosen": chosen,
        "manages_farm": allows(request.user, "farm.manage"),
        "views_farm": allows(request.user, "farm.view"),
    }
    target = str(getattr(getattr(request, "htmx", None), "target", "") or "")
    if wants_fragment(request) and target in PARTS:
        template, read = PARTS[target]
        response = render(request, template, context | read(request, project, chosen))
    else:
        for _template, read in PARTS.values():
            context |= read(request, project, chosen)
        context |= _filters_part(request, project, chosen)
        response = render_page_or_fragment(request, "renders/farm.html", "renders/_farm.html", context)
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


@require_GET
def farm(request: HttpRequest) -> HttpResponse:
    """The whole farm, for those who may see it; its jobs are those of one's own projects."""
    require(request.user, "farm.view")
    return _farm_page(request, None, {})


@require_GET
@project_page("project.view")
def project_farm(request: HttpRequest, project: Project) -> HttpResponse:
    return _farm_page(request, project, project_context(request, project))


@require_GET
def worker_fits(request: HttpRequest, worker_id: int) -> HttpResponse:
    """The workflows that a worker's server cannot do, and why."""
    require(request.user, "farm.view")
    worker = Worker.objects.filter(pk=worker_id).first()
    if worker is None:
        raise NotFound(_("There is no such worker."))
    return render(request, "renders/_farm_misfits.html", {"fits": workers.misfits_of(worker)})


@require_GET
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    row = job_for(request.user, job_id)
    context = {**project_context(request, row.project), **job_context(row, request.user)}
    return render_page_or_fragment(request, "renders/job.html", "renders/_job.html", context)


@require_GET
def indicator(request: HttpRequest) -> HttpResponse:
    """The open jobs and batches in the top bar, of one project (`?project=CODE`) or of all that one sees."""
    found = jobs_visible_to(request.user).filter(state__in=OPEN_STATES)
    code = request.GET.get("project", "")
    project = project_for(request.user, code) if code else None
    if project is not None:
        found = found.filter(project=project)
    rows = list(found.order_by().values_list("state", "progress")[:2000])
    active = [progress for state, progress in rows if state in HELD_STATES]
    context = {
        "project": project,
        "active": len(active),
        "waiting": len(rows) - len(active),
        "progress": sum(active) / len(active) if active else 0,
        "batches": batches.open_batches(request.user, project) if rows else [],
        "may": operations_of(request.user, project) if project is not None else frozenset(),
        "farm_url": reverse("renders:project_farm", args=[project.code]) if project else reverse("renders:farm"),
    }
    return render(request, "renders/_indicator.html", context)
