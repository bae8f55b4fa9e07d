"""Cancel, retry and order many jobs at once: one action, one answer; what cannot change any more is left out."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.recorder import one_action
from aipipeline.projects.errors import Invalid
from renders.models import JobState, RenderJob
from renders.models.job import OPEN_STATES
from renders.services import control, queue
from renders.services.chains import locked

MOST = 500
_AGAIN = frozenset({JobState.FAILED, JobState.CANCELLED})


def cancel_jobs(*, jobs: Sequence[RenderJob], actor: Any, tab: str = "") -> int:
    """End those that are open; returns how many."""
    return _each(jobs, OPEN_STATES, "render.cancel", actor, tab, lambda job: queue.cancel(job=job))


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
    if len(jobs) > MOST:
        raise Invalid(_("At most %(most)d jobs at once.") % {"most": MOST}, fields={"ids": [_("too many")]})
    count = 0
    for project in {job.project_id: job.project for job in jobs}.values():
        mine = [job.pk for job in jobs if job.project_id == project.pk]
        with one_action(project=project, actor=actor, kind=kind, tab=tab, params={"jobs": len(mine)}) as recorder:
            recorder.action.undoable = False
            # Locked before anything is done: a worker that ends one meanwhile waits, and none of them can refuse.
            for row in list(locked(RenderJob.objects.filter(pk__in=mine))):
                # Ending one may have ended others of them that waited for it.
                state = RenderJob.objects.filter(pk=row.pk).values_list("state", flat=True).get()
                if state in states and not (kind == "render.cancel" and row.cancel_requested):
                    work(row)
                    count += 1
    return count
