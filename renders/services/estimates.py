"""How long work takes, by what the farm has shown: one job, and everything that is open."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from renders.models import Experience, JobState, RenderJob, Worker, WorkerFit, WorkerState, Workflow
from renders.models.job import OPEN_STATES
from renders.services.experience import Size, known_of, load_of, size_of

MOST_JOBS = 5000


def seconds_of(size: Size, rows: Sequence[Experience], *, gpu: str = "", load: float = 1.0) -> float | None:
    """Seconds of one job of this size by what its workflow's `rows` show; None when nothing is known.

    Of the same size where there is some, else of the nearest, scaled by pixels and frames; of the same card where
    there is some, else of all cards together. `load`: of `renders.services.experience.load_of`.
    """
    known = [row for row in rows if row.succeeded and row.seconds > 0]
    same_card = [row for row in known if gpu and row.gpu == gpu]
    known = same_card or known
    if not known:
        return None
    nearest = min(_distance(size, row) for row in known)
    used = [row for row in known if _distance(size, row) == nearest]
    times = sum(row.seconds * _work(size) / _work(_size(row)) for row in used)
    return round(load * times / sum(row.succeeded for row in used), 3)


def estimate(*, workflow: Workflow, params: Any, gpu: str = "") -> float | None:
    """`seconds_of` for one job that is not made yet."""
    rows = list(Experience.objects.filter(workflow=workflow))
    return seconds_of(size_of(workflow, params), rows, gpu=gpu, load=load_of(workflow, params))


def finish_estimate(jobs: Iterable[RenderJob] | None = None) -> float | None:
    """Seconds until the last of these open jobs (None: of all) ends, over the workers that are online.

    The queue is dealt out in its order to the worker that is free first and may take the job. None when no worker may
    take one of them, or when nothing is known of one; at most the first 5000 open jobs are looked at.
    """
    wanted = None if jobs is None else {job.pk for job in jobs}
    queue = list(
        RenderJob.objects.filter(state__in=OPEN_STATES)
        .select_related("workflow")
        .only("state", "progress", "params", "vram_gb", "estimate", "workflow", "refused", "priority", "created_at")
        .order_by("-priority", "created_at")[:MOST_JOBS]
    )
    if wanted is not None and not wanted <= {job.pk for job in queue}:
        wanted &= set(RenderJob.objects.filter(pk__in=wanted, state__in=OPEN_STATES).values_list("pk", flat=True))
        if not wanted <= {job.pk for job in queue}:
            return None
    known = known_of({job.workflow_id for job in queue})
    workers = list(Worker.objects.filter(state=WorkerState.ONLINE, error=""))
    unfit = set(WorkerFit.objects.filter(fits=False).values_list("worker", "workflow"))
    free = {worker.pk: 0.0 for worker in workers}
    last = 0.0
    for job in sorted(queue, key=lambda job: job.state == JobState.QUEUED):
        able = [w for w in workers if _may(w, job, unfit)]
        counts = wanted is None or job.pk in wanted
        rows, load = known.get(job.workflow_id, []), load_of(job.workflow, job.params)
        seconds = seconds_of(size_of(job.workflow, job.params), rows, load=load)
        seconds = job.estimate if seconds is None else seconds
        if not able or seconds is None:
            if counts:
                return None
            continue
        worker = min(able, key=lambda w: (free[w.pk], w.vram_gb))
        free[worker.pk] += seconds * (1 - min(job.progress, 1.0) if job.state != JobState.QUEUED else 1)
        if counts:
            last = max(last, free[worker.pk])
    return round(last, 1)


def _may(worker: Worker, job: RenderJob, unfit: set[tuple[int, int]]) -> bool:
    return (
        worker.vram_gb >= job.vram_gb
        and job.workflow.backend in worker.backends
        and worker.pk not in job.refused
        and (worker.pk, job.workflow_id) not in unfit
    )


def _size(row: Experience) -> Size:
    return Size(row.width, row.height, row.frames)


def _work(size: Size) -> float:
    return max(size.pixels, 1) * max(size.frames, 1)


def _distance(size: Size, row: Experience) -> float:
    """0 for the same size; how many times larger or smaller in its logarithm."""
    other = _size(row)
    if other == size:
        return 0.0
    pixels = abs(math.log(max(size.pixels, 1) / max(other.pixels, 1)))
    return 1e-6 + pixels + abs(math.log(max(size.frames, 1) / max(other.frames, 1)))
