"""The render farm: workers, jobs, background tasks; cancel, retry, priority, drain."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_refresh, hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, number_in, project_for, project_page, tab_of
from celery_workers.models import LedgerTask
from celery_workers.services import cancel_task as cancel_task_of
from renders.models import JobState, Worker
from renders.models.job import OPEN_STATES
from renders.selectors import job_for, jobs_visible_to
from renders.services import control

PER_PAGE = 50


def _farm_context(request: HttpRequest, project: Project | None) -> dict[str, Any]:
    jobs = jobs_visible_to(request.user)
    tasks = LedgerTask.objects.select_related("project", "actor")
    if project is not None:
        jobs, tasks = jobs.filter(project=project), tasks.filter(project=project)
    else:
        tasks = tasks.filter(project__in=Project.objects.visible_to(request.user))
    counts = dict(jobs.order_by().values_list("state").annotate(n=Count("pk")))
    state = request.GET.get("state", "")
    if state in JobState.values:
        jobs = jobs.filter(state=state)
    return {
        "page": Paginator(jobs, PER_PAGE).get_page(request.GET.get("page")),
        "counts": [(value, label, counts.get(value, 0)) for value, label in JobState.choices],
        "state_filter": state,
        "tasks": tasks[:15],
        "workers": Worker.objects.annotate(done=Count("attempts")).order_by("-state", "name"),
    }


@require_GET
def farm(request: HttpRequest) -> HttpResponse:
    """The whole farm, for those who may see it; its jobs are those of one's own projects."""
    require(request.user, "farm.view")
    return render_page_or_fragment(request, "renders/farm.html", "renders/_farm.html", _farm_context(request, None))


@require_GET
@project_page("project.view")
def project_farm(request: HttpRequest, project: Project) -> HttpResponse:
    context = {**project_context(request, project), **_farm_context(request, project)}
    return render_page_or_fragment(request, "renders/farm.html", "renders/_farm.html", context)


@require_GET
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    row = job_for(request.user, job_id)
    context = {
        **project_context(request, row.project),
        "job": row,
        "attempts": row.attempts.select_related("worker").order_by("-number"),
    }
    return render_page_or_fragment(request, "renders/job.html", "renders/_job.html", context)


@require_GET
def indicator(request: HttpRequest) -> HttpResponse:
    """The count of open jobs in the top bar, of one project (`?project=CODE`) or of all that one sees."""
    jobs = jobs_visible_to(request.user).filter(state__in=OPEN_STATES)
    code = request.GET.get("project", "")
    project = project_for(request.user, code) if code else None
    if project is not None:
        jobs = jobs.filter(project=project)
    rows = list(jobs.order_by().values_list("state", "progress")[:2000])
    active = [progress for state, progress in rows if state != JobState.QUEUED]
    context = {
        "project": project,
        "active": len(active),
        "waiting": len(rows) - len(active),
        "progress": round(100 * sum(active) / len(active)) if active else 0,
        "farm_url": reverse("renders:project_farm", args=[project.code]) if project else reverse("renders:farm"),
    }
    return render(request, "renders/_indicator.html", context)


@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    row = job_for(request.user, job_id)
    require(request.user, "renders.cancel", row.project)
    control.cancel_job(job=row, actor=request.user, tab=tab_of(request))
    return _told(_("Cancelled."))


@require_POST
def retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    row = job_for(request.user, job_id)
    require(request.user, "renders.start", row.project)
    control.retry_job(job=row, actor=request.user, tab=tab_of(request))
    return _told(_("Queued again."))


@require_POST
def priority(request: HttpRequest, job_id: UUID) -> HttpResponse:
    row = job_for(request.user, job_id)
    require(request.user, "renders.manage", row.project)
    value = number_in(body_of(request), "priority") or 0
    control.set_priority(job=row, actor=request.user, priority=value, tab=tab_of(request))
    return _told(_("Priority changed."))


@require_POST
def cancel_task(request: HttpRequest, task_id: UUID) -> HttpResponse:
    task = LedgerTask.objects.filter(pk=task_id, project__in=Project.objects.visible_to(request.user)).first()
    if task is None or task.project is None:
        raise NotFound(_("There is no such task."))
    require(request.user, "renders.cancel", task.project)
    cancel_task_of(task=task, actor=request.user, tab=tab_of(request))
    return _told(_("Cancelled."))


@require_POST
def drain(request: HttpRequest, worker_id: int) -> HttpResponse:
    require(request.user, "farm.manage")
    worker = Worker.objects.filter(pk=worker_id).first()
    if worker is None:
        raise NotFound(_("There is no such worker."))
    draining = body_of(request).get("draining") in ("1", "true", True)
    control.drain_worker(worker=worker, actor=request.user, draining=draining, tab=tab_of(request))
    return _told(_("Changed."))


def _told(text: str) -> HttpResponse:
    response = HttpResponse(status=204)
    return hx_refresh(hx_toast(response, text))
