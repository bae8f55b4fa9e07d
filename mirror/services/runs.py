"""When mirrors run: by button, by schedule, one run per target at a time; and how a run ends."""

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Conflict, NotFound, PipelineError
from aipipeline.projects.models import Project
from celery_workers import ledger
from celery_workers.models import OPEN_STATES, LedgerTask, TaskState
from mirror.models import MirrorTarget, RunState
from mirror.services.targets import announce, checked_fields

log = structlog.get_logger(__name__)

RUN, TEST = "mirror.run", "mirror.test"
LONGEST_WAIT_MINUTES = 60
# Schedules leave threads of the files worker (Procfile) to the production, whatever targets hang.
MOST_AT_ONCE = 8


def request_run(
    *, target: MirrorTarget, actor: Any, dry_run: bool = False, verify: bool = False, send: bool = True
) -> LedgerTask:
    """Start a run; the open one when it was asked for in the same way. Conflict when another one is at work.

    `send=False`: only the row, for a caller that does the work itself.
    """
    params = {"target": target.pk, "dry_run": dry_run, "verify": verify}
    with transaction.atomic():
        row = _locked(target.pk)
        if row.task is not None and row.running and not row.task.cancel_requested:
            if row.task.params == params:
                return row.task
            raise Conflict(_("This mirror is running. Cancel the run first, or wait for its end."))
        if row.running:
            raise Conflict(_("The last run of this mirror is just being cancelled. Try again in a moment."))
        if send:
            task = ledger.submit(kind=RUN, project=row.project, actor=actor, params=params)
        else:
            person = actor if getattr(actor, "pk", None) else None
            task = LedgerTask.objects.create(kind=RUN, project=row.project, actor=person, params=params)
            ledger.announce(task)
        row.task = task
        if row.enabled and row.every_minutes and not dry_run:
            row.next_run_at = timezone.now() + timedelta(minutes=row.every_minutes)
        row.save(update_fields=["task", "next_run_at"])
        announce(row)
    return task


def request_test(*, project: Project, actor: Any, fields: dict[str, Any], target: MirrorTarget | None) -> LedgerTask:
    """Let a worker look whether a mirror could go there. Refuses what saving would refuse."""
    params = checked_fields(project=project, actor=actor, fields=fields)
    cleaned = params["fields"]
    if target is not None and target.marked:
        params["marked"] = all(cleaned[n] == getattr(target, n) for n in ("kind", "path", "bucket", "prefix"))
    return ledger.submit(kind=TEST, project=project, actor=actor, params=params)


def run_due() -> int:
    """Start what its schedule says; returns how many. What cannot be started is tried again at the next tick."""
    now = timezone.now()
    due = MirrorTarget.objects.filter(
        enabled=True, every_minutes__gt=0, next_run_at__lte=now, project__removed_at__isnull=True
    )
    room = MOST_AT_ONCE - LedgerTask.objects.filter(kind=RUN, state__in=OPEN_STATES).count()
    started = 0
    for target in due.order_by("next_run_at")[:100]:
        if started >= room:
            break
        try:
            request_run(target=target, actor=None)
            started += 1
        except PipelineError as error:
            log.info("mirror_not_started", target=target.pk, reason=str(error.message))
    return started


def finish_run(*, target: MirrorTarget, task: LedgerTask, state: str, message: str, result: dict[str, Any]) -> None:
    """Write how a run ended and when the next one begins: after failures soon, then ever later, up to an hour."""
    now = timezone.now()
    with transaction.atomic():
        row = MirrorTarget.objects.select_for_update().filter(pk=target.pk, task=task).first()
        if row is None:
            return
        row.last_state, row.last_message, row.last_at, row.last_result = state, message, now, result
        row.failures = min(row.failures + 1, 1000) if state == RunState.FAILED else 0
        minutes = row.every_minutes
        if row.failures:
            minutes = min(2 ** min(row.failures - 1, 10), LONGEST_WAIT_MINUTES)
        if row.enabled and row.every_minutes:
            row.next_run_at = now + timedelta(minutes=minutes)
        row.save(update_fields=["last_state", "last_message", "last_at", "last_result", "failures", "next_run_at"])
        announce(row)


def mark_place(target: MirrorTarget) -> None:
    """Our marker lies at the target: from now on a place without it is not the place."""
    if not target.marked:
        target.marked = True
        if target.pk:
            MirrorTarget.objects.filter(pk=target.pk).update(marked=True)


def has_ended(task: LedgerTask) -> bool:
    return task.state in (TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED)


def _locked(pk: int) -> MirrorTarget:
    rows = MirrorTarget.objects.select_for_update(of=("self",)).select_related("project", "task")
    row: MirrorTarget | None = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound(_("There is no such mirror in this project."))
    return row
