"""Celery's shells around the queue: a nudge claims, the attempt runs on the claimer's own queue."""

from typing import Any

from celery import Task, shared_task

from aipipeline.projects.models import Project
from renders import runner
from renders.services import nudges, queue, recovery, scans, workers


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
    queue.reap()
    nudges.nudge_waiting()


@shared_task(name="renders.recover")
def recover() -> None:
    recovery.recover_versions()


@shared_task(name="renders.sweep")
def sweep() -> None:
    recovery.sweep()


@shared_task(name="renders.adopt")
def adopt(project: str) -> None:
    """For a schedule: take in what lies in the drop folders of this project (its code)."""
    found = Project.objects.live().filter(code=project).first()
    if found is not None and scans.nothing_open(found, scans.ADOPT) and scans.waits(found):
        scans.start_adopt(project=found, actor=None)


def take_next(node: str) -> bool:
    """Claim one job for this node and put it on the node's own queue; True when there was one."""
    worker = workers.register_worker_once(node)
    taken = queue.claim(worker=worker, slots=workers.slots_here())
    if taken is None:
        return False
    attempt.apply_async(args=(str(taken.pk), str(taken.job)), task_id=str(taken.pk), queue=f"host.{node}", retry=False)
    return True
