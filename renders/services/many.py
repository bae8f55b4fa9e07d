"""Cancel, retry and order many jobs at once: one action, one answer; what cannot change any more is left out."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from aipipeline.history.recorder import Recorder, recording
from aipipeline.projects.errors import Invalid
from renders.models import JobState, RenderJob
from renders.models.job import OPEN_STATES
from renders.services import control, queue
from renders.services.chains import NOT_DONE, Again, dead_before, locked, try_again
from renders.services.nudges import announce_jobs

MOST = 500
PORTION = 200  # jobs that end in one transaction: their rows are locked as long as it lasts
TOLD = 200  # rows of which the history keeps what they were


def cancel_jobs(*, jobs: Sequence[RenderJob], actor: Any, tab: str = "") -> int:
    """End those that are open; returns how many."""
    _refuse_too_many(jobs)
    count = 0
    for project, mine in _by_project(jobs):
        with _of_many(project, mine, actor, "render.cancel", tab):
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


def retry_jobs(*, jobs: Sequence[RenderJob], actor: Any, tab: str = "") -> Again:
    """Queue those again that failed or were cancelled, with what comes back with them (`chains.try_again`)."""
    _refuse_too_many(jobs)
    asked: list[RenderJob] = []
    brought: list[RenderJob] = []
    for project, mine in _by_project(jobs):
        with _of_many(project, mine, actor, "render.retry", tab) as recorder:
            wanted = RenderJob.objects.filter(pk__in=mine)
            dead_before(wanted)
            # Locked by now, with those that they wait for: a worker that ends one meanwhile waits.
            rows = list(locked(wanted.filter(state__in=NOT_DONE)).select_related(*control.OWNERS))
            if rows:
                again = try_again(recorder, rows)
                asked += again.asked
                brought += again.brought
    return Again(tuple(asked), tuple(brought))


def set_priorities(*, jobs: Sequence[RenderJob], actor: Any, priority: int, tab: str = "") -> int:
    """Give those that wait a new place, -100 to 100; returns how many. Invalid for other numbers."""
    if priority not in control.PRIORITIES:
        raise Invalid(_("priority: a number from -100 to 100."), fields={"priority": [_("out of range")]})
    _refuse_too_many(jobs)
    count = 0
    for project, mine in _by_project(jobs):
        with _of_many(project, mine, actor, "render.priority", tab) as recorder:
            count += len(give_place(recorder, RenderJob.objects.filter(pk__in=mine), priority))
    return count


def give_place(recorder: Recorder, jobs: "QuerySet[RenderJob]", priority: int) -> list[RenderJob]:
    """Move those of these jobs that wait, inside a running recording; returns them. Five queries at most."""
    rows = list(locked(jobs.filter(state=JobState.QUEUED)).select_related(*control.OWNERS, "workflow"))
    RenderJob.objects.filter(pk__in=[row.pk for row in rows]).update(priority=priority)
    for row in rows[:TOLD]:
        if row.priority != priority:
            recorder.note(row, {"priority": [row.priority, priority]})
    announce_jobs(rows)
    return rows


def _of_many(project: Any, jobs: Collection[Any], actor: Any, kind: str, tab: str) -> AbstractContextManager[Recorder]:
    params = {"jobs": len(jobs)}
    return recording(project=project, actor=actor, kind=kind, tab=tab, undoable=False, params=params)


def _refuse_too_many(jobs: Sequence[RenderJob]) -> None:
    if len(jobs) > MOST:
        raise Invalid(_("At most %(most)d jobs at once.") % {"most": MOST}, fields={"ids": [_("too many")]})


def _by_project(jobs: Sequence[RenderJob]) -> list[tuple[Any, list[Any]]]:
    """Each project with the keys of its jobs."""
    projects = {job.project_id: job.project for job in jobs}
    return [(project, [job.pk for job in jobs if job.project_id == pk]) for pk, project in projects.items()]
