"""Celery's shells around the queue: a nudge claims, the attempt runs on the claimer's own queue."""

from typing import Any

import structlog
from celery import Task, shared_task
from django.utils.translation import gettext as _

from aipipeline.projects.models import Project
from renders import runner
from renders.models import Cause, JobState
from renders.services import giving_up, many, nudges, pauses, queue, recovery, scans, seams, workers

log = structlog.get_logger(__name__)


@shared_task(name="renders.claim", bind=True)
def claim(self: "Task[Any, Any]") -> None:
    """Look into the database for the best job that this worker can run, and send it to our own queue."""
    take_next(str(self.request.hostname))


@shared_task(name="renders.wake", bind=True)
def wake(self: "Task[Any, Any]") -> None:
    """A person wants this worker to look anew: at its machine, at its server's list, and for work."""
    workers.look_anew(name=str(self.request.hostname))
    take_next(str(self.request.hostname))


@shared_task(name="renders.attempt", bind=True)
def attempt(self: "Task[Any, Any]", attempt_id: str, what: str = "") -> None:
    """Run one attempt (`what` is there to be read in Flower), then look for more before going to sleep."""
    runner.run_attempt(attempt_id)
    take_next(str(self.request.hostname))


@shared_task(name="renders.reap")
def reap() -> None:
    for part in (
        queue.reap,
        many.end_cancelled,
        giving_up.end_refused,
        pauses.resume_ended,
        nudges.nudge_waiting,
    ):
        queue.on_its_own(part)


@shared_task(name="renders.recover")
def recover() -> None:
    recovery.recover_versions()


@shared_task(name="renders.sweep")
def sweep() -> None:
    recovery.sweep()


@shared_task(name="renders.seams")
def measure_seams(project: int = 0) -> None:
    """Measure the seams that nobody has measured yet; 0: of every project in which something was published lately."""
    if not project:
        seams.measure_all()
        return
    found = Project.objects.live().filter(pk=project).first()
    if found is not None and seams.measure_project(project=found) >= seams.AT_ONCE:
        measure_seams.apply_async(args=(project,), expires=3600, retry=False)


@shared_task(name="renders.adopt")
def adopt(project: str) -> None:
    """For a schedule: take in what lies in the drop folders of this project (its code)."""
    found = Project.objects.live().filter(code=project).first()
    if found is not None and scans.nothing_open(found, scans.ADOPT) and scans.waits(found):
        scans.start_adopt(project=found, actor=None)


def look_for_more(node: str) -> bool:
    """Take something without having been told, unless what was taken before still waits for a free process here.

    Slots count renders only: processes that make films or copies do not show there. What is taken meanwhile would lie
    in this node's queue until its lease is over, away from everybody who could begin it.
    """
    if queue.has_unbegun(worker=node) or not nudges.anything_waits():
        return False
    return take_next(node)


def take_next(node: str) -> bool:
    """Claim one job for this node and put it on the node's own queue; True when there was one."""
    worker = workers.find_worker(name=node)
    taken = queue.claim(worker=worker, slots=workers.slots_here()) if worker else None
    if taken is None:
        return False
    args = (str(taken.pk), str(taken.job))
    try:
        attempt.apply_async(args=args, task_id=str(taken.pk), queue=f"host.{node}", retry=False)
    except Exception:
        # Nobody would ever begin it: it goes back at once, and costs the job no try.
        log.warning("attempt_not_sent", attempt=str(taken.pk), exc_info=True)
        text = _("The message broker (Redis) did not answer; the job goes to another try.")
        queue.end_attempt(attempt=taken, state=JobState.FAILED, error=text, retryable=True, cause=Cause.AWAY)
        return False
    return True
