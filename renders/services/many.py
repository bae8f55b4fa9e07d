"""Cancel, retry and order many jobs at once: one action, one answer; what cannot change any more is left out."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from aipipeline.history.recorder import one_action, recording
from aipipeline.projects.errors import Invalid
from renders.models import JobState, RenderJob
from renders.models.job import OPEN_STATES
from renders.services import control, queue
from renders.services.chains import locked
from renders.services.nudges import announce_jobs

MOST = 500
PORTION = 200  # jobs that end in one transaction: their rows are locked as long as it lasts
_AGAIN = frozenset({JobState.FAILED, JobState.CANCELLED})


def cancel_jobs(*, jobs: Sequence[RenderJob], actor: Any, tab: str = "") -> int:
    """End those that are open; returns how many."""
    _refuse_too_many(jobs)
    count = 0
    for project, mine in _by_project(jobs):
        params = {"jobs": len(mine)}
        with recording(
            project=project, actor=actor, kind="render.cancel", tab=tab, undoable=False, params=params
        ):  # fmt: skip
            count += len(tell_to_stop(RenderJob.objects.filter(pk__in=mine, cancel_requested=False)))
        end_cancelled(mine)
    return count


def tell_to_stop(jobs: "QuerySet[RenderJob]") -> list[RenderJob]:
    """Mark the open ones of these as cancelled, in the caller's short transaction; `end_cancelled` ends what waits.

    All at once and first: what falls with the one before it counts as cancelled by this person too, and no worker takes
    one of them meanwhile.
    """
    rows = list(locked(jobs.filter(state__in=OPEN_STATES)))
    RenderJob.objects.filter(pk__in=[row.pk for row in rows]).update(cancel_requested=True)
    announce_jobs([row for row in rows if row.state != JobState.QUEUED])
    return rows


def end_cancelled(jobs: Collection[Any] | None = None) -> int:
    """End the waiting jobs (of these keys, or all) that are cancelled; returns how many.

    A portion at a time, each its own transaction: whoever runs other jobs of the same batch renews their leases
    meanwhile. What a death leaves here waits for nobody and is taken by no worker; the reaper ends it.
    """
    waiting = RenderJob.objects.filter(state=JobState.QUEUED, cancel_requested=True)
    waiting = waiting if jobs is None else waiting.filter(pk__in=jobs)
    count = 0
    # The last first: else the first of a chain would take all the others with it, in one transaction.
    while last := list(waiting.order_by("-created_at", "-pk").values_list("pk", flat=True)[:PORTION]):
        with transaction.atomic():
            for row in reversed(locked(waiting.filter(pk__in=last))):
                # Ending one may have ended others of them that waited for it.
                if RenderJob.objects.filter(pk=row.pk, state=JobState.QUEUED).exists():
                    queue.end_job(row, JobState.CANCELLED)
                    count += 1
    return count


def retry_jobs(*, jobs: Sequence[RenderJob], actor: Any, tab: str = "") -> int:
    """`control.retry_job` for those that failed or were cancelled; returns how many."""
    return _each(jobs, _AGAIN, "render.retry", actor, tab, lambda job: control.retry_job(job=job, actor=actor, tab=tab))


def set_priorities(*, jobs: Sequence[RenderJob], actor: Any, priority: int, tab: str = "") -> int:
    """Give those that wait a new place, -100 to 100; returns how many. Invalid for other numbers."""
    if priority not in control.PRIORITIES:
        raise Invalid(_("priority: a number from -100 to 100."), fields={"priority": [_("out of range")]})
    return _each(
        jobs,
        frozenset({JobState.QUEUED}),
        "render.priority",
        actor,
        tab,
        lambda job: control.set_priority(job=job, actor=actor, priority=priority, tab=tab),
    )


def _each(
    jobs: Sequence[RenderJob],
    states: frozenset[JobState],
    kind: str,
    actor: Any,
    tab: str,
    work: Callable[[RenderJob], Any],
) -> int:
    _refuse_too_many(jobs)
    count = 0
    for project, mine in _by_project(jobs):
        with one_action(project=project, actor=actor, kind=kind, tab=tab, params={"jobs": len(mine)}) as recorder:
            recorder.action.undoable = False
            # Locked before anything is done: a worker that ends one meanwhile waits, and none of them can refuse.
            for row in list(locked(RenderJob.objects.filter(pk__in=mine))):
                # Trying one again may have brought back others of them that fell with it.
                state = RenderJob.objects.filter(pk=row.pk).values_list("state", flat=True).get()
                if state in states:
                    work(row)
                    count += 1
    return count


def _refuse_too_many(jobs: Sequence[RenderJob]) -> None:
    if len(jobs) > MOST:
        raise Invalid(_("At most %(most)d jobs at once.") % {"most": MOST}, fields={"ids": [_("too many")]})


def _by_project(jobs: Sequence[RenderJob]) -> list[tuple[Any, list[Any]]]:
    """Each project with the keys of its jobs."""
    projects = {job.project_id: job.project for job in jobs}
    return [(project, [job.pk for job in jobs if job.project_id == pk]) for pk, project in projects.items()]
