"""What people do on the farm's pages: cancel, retry and order jobs; drain and wake workers; pause and lift."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.ui.htmx import hx_refresh, hx_toast
from aipipeline.ui.pages import body_of, number_in, tab_of
from celery_workers.models import LedgerTask
from celery_workers.services import cancel_task as cancel_task_of
from renders.models import Pause, PauseScope, RenderJob, Worker
from renders.selectors import job_for
from renders.services import blocks, control, many, pauses
from renders.services.chains import Again
from renders.services.workers import wake_worker

NAMED = 8


def told(text: str) -> HttpResponse:
    """Nothing to swap in: a toast, and the page's live parts look again."""
    return hx_refresh(hx_toast(HttpResponse(status=204), text))


def told_again(again: Again) -> HttpResponse:
    """How many jobs were queued again, and which ones of their chains came back with them."""
    count = len(again.asked)
    text = ngettext("%(n)d job queued again.", "%(n)d jobs queued again.", count) % {"n": count}
    if more := len(again.brought):
        with_it = ngettext("With it %(n)d of its chain: %(names)s.", "With it %(n)d of its chain: %(names)s.", more)
        names = ", ".join(again.names[:NAMED]) + ("…" if len(again.names) > NAMED else "")
        text = f"{text} {with_it % {'n': more, 'names': names}}"
    return told(text)


@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    row = job_for(request.user, job_id)
    require(request.user, "renders.cancel", row.project)
    control.cancel_job(job=row, actor=request.user, tab=tab_of(request))
    return told(_("Cancelled."))


@require_POST
def retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    row = job_for(request.user, job_id)
    require(request.user, "renders.start", row.project)
    again = control.retry_job(job=row, actor=request.user, tab=tab_of(request))
    return told_again(again)


@require_POST
def priority(request: HttpRequest, job_id: UUID) -> HttpResponse:
    row = job_for(request.user, job_id)
    require(request.user, "renders.manage", row.project)
    value = number_in(body_of(request), "priority") or 0
    control.set_priority(job=row, actor=request.user, priority=value, tab=tab_of(request))
    return told(_("Priority changed."))


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """`do` (cancel, retry, priority) to the jobs `ids`, all or none: each project must allow it."""
    body = body_of(request)
    what = str(body.get("do", ""))
    operations = {"cancel": "renders.cancel", "retry": "renders.start", "priority": "renders.manage"}
    if what not in operations:
        raise Invalid(_("Unknown action."), fields={"do": [_("unknown")]})
    jobs = _jobs(request.user, body.get("ids", ""))
    for project in {job.project_id: job.project for job in jobs}.values():
        require(request.user, operations[what], project)
    facts: dict[str, Any] = {"jobs": jobs, "actor": request.user, "tab": tab_of(request)}
    if what == "cancel":
        count = many.cancel_jobs(**facts)
        return told(ngettext("%(n)d job cancelled.", "%(n)d jobs cancelled.", count) % {"n": count})
    if what == "retry":
        return told_again(many.retry_jobs(**facts))
    count = many.set_priorities(**facts, priority=number_in(body, "priority") or 0)
    return told(ngettext("Priority of %(n)d job changed.", "Priority of %(n)d jobs changed.", count) % {"n": count})


def _jobs(actor: Any, value: Any) -> list[RenderJob]:
    """The jobs of a list of ids, separated by commas, that the actor may see: all of them, or NotFound."""
    try:
        ids = {UUID(part.strip()) for part in str(value).split(",") if part.strip()}
    except ValueError:
        raise Invalid(_("ids: job ids are needed."), fields={"ids": [_("not an id")]}) from None
    if not ids:
        raise Invalid(_("Choose at least one job."), fields={"ids": [_("empty")]})
    if len(ids) > many.MOST:
        raise Invalid(_("At most %(most)d jobs at once.") % {"most": many.MOST}, fields={"ids": [_("too many")]})
    found: Iterable[RenderJob] = RenderJob.objects.visible_to(actor).filter(pk__in=ids).select_related("project")
    jobs = list(found)
    if len(jobs) != len(ids):
        raise NotFound(_("One of the jobs is not there, or you are not a member of its project."))
    return jobs


@require_POST
def cancel_task(request: HttpRequest, task_id: UUID) -> HttpResponse:
    task = LedgerTask.objects.filter(pk=task_id, project__in=Project.objects.visible_to(request.user)).first()
    if task is None or task.project is None:
        raise NotFound(_("There is no such task."))
    require(request.user, "renders.cancel", task.project)
    cancel_task_of(task=task, actor=request.user, tab=tab_of(request))
    return told(_("Cancelled."))


@require_POST
def drain(request: HttpRequest, worker_id: int) -> HttpResponse:
    require(request.user, "farm.manage")
    draining = body_of(request).get("draining") in ("1", "true", True)
    control.drain_worker(worker=_worker(worker_id), actor=request.user, draining=draining, tab=tab_of(request))
    return told(_("It ends what it has and takes nothing new.") if draining else _("It takes work again."))


@require_POST
def wake(request: HttpRequest, worker_id: int) -> HttpResponse:
    """Ask its server again now, and let it look for work."""
    require(request.user, "farm.manage")
    wake_worker(worker=_worker(worker_id), actor=request.user, tab=tab_of(request))
    return told(_("It looks for work."))


@require_POST
def lift_block(request: HttpRequest, worker_id: int, workflow_id: int) -> HttpResponse:
    require(request.user, "farm.manage")
    worker = _worker(worker_id)
    block = worker.blocks.filter(workflow=workflow_id).select_related("workflow").first()
    if block is None:
        raise NotFound(_("This worker is not blocked for it any more."))
    blocks.lift_block(worker=worker, workflow=block.workflow.key, actor=request.user, tab=tab_of(request))
    return told(_("The block is lifted."))


@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Pause each `what`: "project:<id>", "capability:<class>" or "workflow:<id>"; all or none."""
    body = body_of(request)
    named = request.POST.getlist("what") or [str(body.get("what") or "")]
    what = [(scope, key) for scope, _colon, key in (name.partition(":") for name in dict.fromkeys(named) if name)]
    if not what:
        raise Invalid(_("Choose what to pause."), fields={"what": [_("empty")]})
    if len(what) > many.MOST:
        raise Invalid(_("At most %(most)d at once.") % {"most": many.MOST}, fields={"what": [_("too many")]})
    for scope, key in what:
        _may_pause(request, scope, key)
    reason = str(body.get("reason") or "")
    until = _until(str(body.get("until") or ""))
    pauses.pause_all(what=what, reason=reason, until=until, actor=request.user, tab=tab_of(request))
    return told(_("Paused."))


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """End the pauses `ids`, separated by commas; all or none."""
    numbers = [whole_number(part) for part in str(body_of(request).get("ids") or "").split(",")[: many.MOST]]
    rows = list(Pause.objects.filter(pk__in=[number for number in numbers if number is not None]))
    if not rows:
        raise NotFound(_("Nothing is paused there."))
    for row in rows:
        _may_pause(request, row.scope, row.key)
    pauses.resume_all(rows=rows, actor=request.user, tab=tab_of(request))
    return told(_("It goes on."))


def _until(said: str) -> datetime | None:
    """When a pause ends by itself: "" (never), hours from now, or "morning": the next nine o'clock."""
    now = timezone.localtime()
    if said == "morning":
        nine = now.replace(hour=9, minute=0, second=0, microsecond=0)
        return nine if nine > now else nine + timedelta(days=1)
    hours = whole_number(said) if said else None
    if said and (hours is None or not 0 < hours <= 24 * 7):
        raise Invalid(_("until: hours, or the morning."), fields={"until": [_("unknown")]})
    return now + timedelta(hours=hours) if hours else None


def _may_pause(request: HttpRequest, scope: str, key: str) -> None:
    """A project's leads may hold back their own project, classes and workflows are everybody's."""
    if scope != PauseScope.PROJECT:
        require(request.user, "farm.manage")
        return
    number = whole_number(key)
    project = Project.objects.visible_to(request.user).filter(pk=number).first() if number is not None else None
    if project is None:
        raise NotFound(_("There is no such project, or you are not a member of it."))
    require(request.user, "renders.manage", project)


def _worker(worker_id: int) -> Worker:
    worker = Worker.objects.filter(pk=worker_id).first()
    if worker is None:
        raise NotFound(_("There is no such worker."))
    return worker
