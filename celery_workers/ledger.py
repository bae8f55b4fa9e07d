"""Background work that survives any death: submitted as a row, run under a lease, reaped and run again.

A kind is registered once with `@ledger_kind("timeline.proxy", label=…)` on a function of one `TaskContext`.
The function must be safe to run again from the start (it may keep finished pieces). It returns the JSON result.
"""

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.events import publish, publish_progress
from aipipeline.projects.errors import PipelineError
from aipipeline.projects.models import Project
from celery_workers.kinds import kind_named
from celery_workers.models import OPEN_STATES, LedgerTask, TaskState

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 3


class TaskCancelled(Exception):
    """Raised inside a kind's function when the person cancelled."""


class LeaseLost(Exception):
    """Another process took the task over; this one stops without a trace."""


def submit(*, kind: str, project: Project | None, actor: Any, params: Mapping[str, Any] | None = None) -> LedgerTask:
    """Write the row and send it to a worker on commit; the row alone is enough for it to run some day."""
    if kind_named(kind) is None:
        raise KeyError(kind)
    with transaction.atomic():
        task = LedgerTask.objects.create(
            kind=kind,
            project=project,
            actor=actor if getattr(actor, "pk", None) else None,
            params=dict(params or {}),
        )
        announce(task)
        transaction.on_commit(lambda: send(task), robust=True)
    return task


def send(task: LedgerTask) -> None:
    """Put the task's id on the queue; when Redis is away the next tick of beat does it."""
    from celery_workers.tasks import run_ledger_task

    LedgerTask.objects.filter(pk=task.pk).update(sent_at=timezone.now())
    kind = kind_named(task.kind)
    try:
        run_ledger_task.apply_async(args=(str(task.pk),), queue=kind.queue if kind else "cpu", retry=False)
    except Exception:
        log.warning("ledger_not_sent", task=str(task.pk), exc_info=True)


def announce(task: LedgerTask) -> None:
    """Tell the project's pages about a change of state."""
    if task.project_id:
        publish(f"project:{task.project_id}", "task.changed", ids=[str(task.pk)], kind=task.kind, state=task.state)


@dataclass
class TaskContext:
    """What a kind's function gets: its row, and how to report and to notice a cancel."""

    task: LedgerTask
    holder: uuid.UUID
    _told: float = 0.0
    _saved: float = 0.0

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.task.params)

    def progress(self, value: float, message: str = "") -> None:
        """To the page at most ten times a second, to the database at most every two; raises when cancelled."""
        now = time.monotonic()
        self.task.progress, self.task.message = min(max(value, 0.0), 1.0), message[:300]
        if now - self._told >= 0.1 and self.task.project_id:
            self._told = now
            publish_progress(
                f"project:{self.task.project_id}",
                "task.progress",
                ids=[str(self.task.pk)],
                progress=round(self.task.progress, 4),
                message=message,
            )
        if now - self._saved >= 2.0:
            self._saved = now
            self.check()

    def check(self) -> None:
        """Renew the lease and keep the progress; raises TaskCancelled or LeaseLost."""
        mine = LedgerTask.objects.filter(pk=self.task.pk, holder=self.holder, state=TaskState.RUNNING)
        if not mine.update(progress=self.task.progress, message=self.task.message, lease_until=_lease_end()):
            raise LeaseLost
        if self.cancelled():
            raise TaskCancelled

    def cancelled(self) -> bool:
        """True once somebody asked for a cancel."""
        return LedgerTask.objects.filter(pk=self.task.pk, cancel_requested=True).exists()


def _lease_end() -> Any:
    return timezone.now() + timedelta(seconds=settings.LEDGER_LEASE_SECONDS)


def run(task_id: str) -> None:
    """Take the task if it is free, do the work, write the end. Safe to be called twice for one task."""
    context = _take(task_id)
    if context is None:
        return
    task = context.task
    kind = kind_named(task.kind)
    assert kind is not None  # _take refuses the others
    stop = threading.Event()
    keeper = threading.Thread(target=_keep_lease, args=(task.pk, context.holder, stop), daemon=True)
    keeper.start()
    try:
        result = kind.work(context)
    except LeaseLost:
        log.warning("ledger_lease_lost", task=task_id)
    except TaskCancelled:
        _finish(context, TaskState.CANCELLED)
    except PipelineError as error:
        _finish(context, TaskState.FAILED, error=str(error.message))
    except Exception as error:
        log.exception("ledger_task_failed", task=task_id, kind=task.kind)
        text = _("The work stopped with an unexpected error: %(error)s. The log of the worker has the details.")
        _finish(context, TaskState.FAILED, error=text % {"error": f"{type(error).__name__}: {error}"[:400]})
    else:
        _finish(context, TaskState.SUCCEEDED, result=result)
    finally:
        stop.set()
        keeper.join(timeout=5)


def _take(task_id: str) -> TaskContext | None:
    holder = uuid.uuid4()
    free = Q(state=TaskState.QUEUED) | Q(state=TaskState.RUNNING, lease_until__lt=timezone.now())
    taken = LedgerTask.objects.filter(free, pk=task_id, cancel_requested=False).update(
        state=TaskState.RUNNING,
        holder=holder,
        lease_until=_lease_end(),
        attempts=F("attempts") + 1,
        started_at=timezone.now(),
        error="",
    )
    if not taken:
        return None
    task = LedgerTask.objects.select_related("project", "actor").get(pk=task_id)
    announce(task)
    if kind_named(task.kind) is None:
        _finish(TaskContext(task, holder), TaskState.FAILED, error=f"Unknown kind of work: {task.kind}")
        return None
    return TaskContext(task, holder)


def _keep_lease(task_id: uuid.UUID, holder: uuid.UUID, stop: threading.Event) -> None:
    while not stop.wait(settings.LEDGER_LEASE_SECONDS / 3):
        try:
            LedgerTask.objects.filter(pk=task_id, holder=holder).update(lease_until=_lease_end())
        except Exception:
            log.warning("ledger_heartbeat_failed", task=str(task_id), exc_info=True)
        finally:
            close_old_connections()


def _finish(context: TaskContext, state: str, *, result: dict[str, Any] | None = None, error: str = "") -> None:
    with transaction.atomic():
        ended = LedgerTask.objects.filter(pk=context.task.pk, holder=context.holder, state=TaskState.RUNNING).update(
            state=state,
            result=result or {},
            error=error,
            progress=1.0 if state == TaskState.SUCCEEDED else context.task.progress,
            message="",
            finished_at=timezone.now(),
            holder=None,
            lease_until=None,
        )
        if ended:
            context.task.state = state
            announce(context.task)


def cancel(*, task: LedgerTask) -> None:
    """Stop the work: a queued task at once, a running one at its next report."""
    with transaction.atomic():
        LedgerTask.objects.filter(pk=task.pk, state__in=OPEN_STATES).update(cancel_requested=True)
        LedgerTask.objects.filter(pk=task.pk, state=TaskState.QUEUED).update(
            state=TaskState.CANCELLED, finished_at=timezone.now()
        )
        task.refresh_from_db()
        announce(task)


def recover() -> int:
    """Send again what waits without a worker; end what died too often. Returns how many were sent."""
    now = timezone.now()
    dead = LedgerTask.objects.filter(state=TaskState.RUNNING, lease_until__lt=now)
    dead.filter(cancel_requested=True).update(state=TaskState.CANCELLED, finished_at=now)
    dead.filter(attempts__gte=MAX_ATTEMPTS).update(
        state=TaskState.FAILED,
        finished_at=now,
        error=_("The worker died %(count)s times at this work. Look into its log, then start it again.")
        % {"count": MAX_ATTEMPTS},
    )
    # A message that was sent a lease ago and led to nothing is taken for lost; a doubled one is harmless.
    unheard = Q(sent_at__isnull=True) | Q(sent_at__lt=now - timedelta(seconds=settings.LEDGER_LEASE_SECONDS))
    waiting = Q(state=TaskState.QUEUED, created_at__lt=now - timedelta(seconds=2))
    dead_again = Q(state=TaskState.RUNNING, lease_until__lt=now)
    tasks = list(LedgerTask.objects.filter(unheard, waiting | dead_again)[:100])
    for task in tasks:
        send(task)
    return len(tasks)
