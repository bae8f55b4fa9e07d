"""Nudges tell workers to look into the database; losing one costs nothing but a moment."""

from collections import Counter
from collections.abc import Iterable

import structlog
from django.core.cache import cache
from django.db import transaction
from django.db.models.functions import Now

from aipipeline.events import publish
from renders.models import JobState, RenderJob, Worker
from renders.models.job import ENDED_STATES
from renders.services.owners import touch_owners

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 8
BATCH_SECONDS = 1


def nudge(jobs: Iterable[RenderJob]) -> None:
    """Wake workers for these jobs, by capability; at most eight messages each."""
    send_nudges(Counter(job.capability for job in jobs if job.state == JobState.QUEUED))


def send_nudges(wanted: Counter[str]) -> None:
    from renders.tasks import claim

    for capability, count in wanted.items():
        for _ in range(min(count, MOST_AT_ONCE)):
            try:
                claim.apply_async(queue=capability, expires=20, retry=False)
            except Exception:
                log.warning("nudge_not_sent", capability=capability, exc_info=True)
                return


def nudge_worker(worker: Worker) -> None:
    """Let just this worker look for work, once what was written is committed."""
    from renders.tasks import claim

    transaction.on_commit(lambda: claim.apply_async(queue=worker.queue, expires=20, retry=False), robust=True)


def wake(worker: Worker) -> None:
    """Let this worker ask its machine anew and then look for work, on commit; a busy one when it is free."""
    from renders.tasks import wake as task

    transaction.on_commit(lambda: task.apply_async(queue=worker.queue, expires=600, retry=False), robust=True)


def nudge_waiting() -> int:
    """Wake workers for everything that waits: what beat does, in case nudges were lost."""
    waiting = RenderJob.objects.filter(state=JobState.QUEUED, blocked_reason="", not_before__lte=Now())
    wanted = Counter(waiting.values_list("capability", flat=True)[:500])
    send_nudges(wanted)
    return wanted.total()


def anything_waits() -> bool:
    """Whether a job could be claimed now, by whatever worker."""
    return RenderJob.objects.filter(state=JobState.QUEUED, blocked_reason="", not_before__lte=Now()).exists()


def announce_jobs(jobs: Iterable[RenderJob]) -> None:
    """Tell the project's pages, the farm page and each job's own watchers what state the jobs are in."""
    rows = list(jobs)
    for project_id in {job.project_id for job in rows}:
        mine = [job for job in rows if job.project_id == project_id]
        # From claim to publishing the owner shows the same: its job, and how far it is.
        touch_owners(job for job in mine if job.state == JobState.QUEUED or job.state in ENDED_STATES)
        publish(
            f"project:{project_id}",
            "job.changed",
            ids=[str(job.pk) for job in mine][:500],
            shots=sorted({job.shot_id for job in mine if job.shot_id})[:500],
            state=mine[0].state if len({job.state for job in mine}) == 1 else "",
        )
    _announce_batches(rows)
    if rows:
        publish("farm", "job.changed", ids=[str(job.pk) for job in rows][:500])
    for job in rows[:50]:
        publish(f"job:{job.pk}", "job.changed", ids=[str(job.pk)], state=job.state)


def _announce_batches(rows: list[RenderJob]) -> None:
    """Tell once that a batch moved, however many of its jobs did; between claim and end not more often than needed."""
    for project_id in {job.project_id for job in rows}:
        moved: dict[str, bool] = {}
        for job in rows:
            if job.project_id == project_id and job.batch_id:
                ended = job.state == JobState.QUEUED or job.state in ENDED_STATES
                moved[str(job.batch_id)] = ended or moved.get(str(job.batch_id), False)
        # What nobody would miss is left out: the next one tells it too. An end may be the last.
        told = [pk for pk, ended in moved.items() if ended or first_of_moment(f"batch-told:{pk}")]
        if told:
            publish(f"project:{project_id}", "batch.changed", ids=told[:500])


def first_of_moment(what: str) -> bool:
    """Whether nobody, in any process, asked for the same within the last second."""
    try:
        return bool(cache.add(what, 1, timeout=BATCH_SECONDS))
    except Exception:
        return True  # a cache that is away throttles nothing
