"""What becomes of a job whose attempt failed: another try, a larger card, another worker, or its end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from renders.models import Cause, RenderAttempt, RenderJob, Worker, WorkerBlock, WorkerFit, WorkerState
from renders.services.experience import class_for


@dataclass(frozen=True)
class Follows:
    """`changes` are further fields of the job when it is tried again; `at_once`: without backoff."""

    retryable: bool
    error: str
    max_attempts: int
    at_once: bool = False
    changes: dict[str, Any] = field(default_factory=dict)


def what_follows(job: RenderJob, attempt: RenderAttempt, *, cause: str, error: str, retryable: bool) -> Follows:
    """For a locked job and the attempt that just ended with this trouble."""
    if cause == Cause.MEMORY:
        return _larger_card(job, attempt, error, retryable)
    if cause == Cause.LACKING:
        return _elsewhere(job, attempt, error)
    if cause == Cause.LOST and attempt.started_at is None:
        # Its message was lost, or waited behind other work of its worker: nobody has tried the job.
        return Follows(retryable, error, job.max_attempts + 1, at_once=True)
    more = 1 if cause == Cause.AWAY and _still_waiting(job, attempt, error) else 0
    return Follows(retryable, error, job.max_attempts + more)


def _still_waiting(job: RenderJob, attempt: RenderAttempt, error: str) -> bool:
    """False once the very same trouble has ended attempts of this job for RENDER_WAIT_SECONDS."""
    long_ago = Now() - timedelta(seconds=settings.RENDER_WAIT_SECONDS)
    same = RenderAttempt.objects.filter(job=job, error=error, finished_at__lt=long_ago).exclude(pk=attempt.pk)
    return not same.filter(finished_at__gte=job.started_at).exists()


def _larger_card(job: RenderJob, attempt: RenderAttempt, error: str, retryable: bool) -> Follows:
    """Once, to the smallest larger card that can take it now."""
    had = max(attempt.worker.vram_gb if attempt.worker else 0, job.vram_gb)
    if job.params.get("after_out_of_memory"):
        return Follows(False, error, job.max_attempts)
    workers = [worker for worker in online_workers(job.workflow.backend) if worker.vram_gb > had]
    hindered = _hindered(job, workers)
    larger = [w.vram_gb for w in workers if w.pk not in hindered and w.pk not in job.refused]
    if workers and not larger:
        reasons = {**_refusals(job, attempt, error), **{str(w): hindered[w.pk] for w in workers if w.pk in hindered}}
        text = _("%(error)s No larger card can take it: %(reasons)s")
        told = text % {"error": error, "reasons": "\n".join(f"{w}: {reasons.get(str(w), '')}" for w in workers)}
        return Follows(False, told, job.max_attempts)
    if not larger:
        told = _("%(error)s No larger card than one with %(had)d GB is online.") % {"error": error, "had": had}
        return Follows(False, told, job.max_attempts)
    params = {**job.params, "after_out_of_memory": True}
    changes = {"vram_gb": min(larger), "capability": class_for(min(larger)), "params": params}
    return Follows(retryable, error, job.max_attempts, at_once=True, changes=changes)


def _elsewhere(job: RenderJob, attempt: RenderAttempt, error: str) -> Follows:
    """To a worker that has not refused it; no try is used up. None is left: the reasons of all.

    One that is away for a moment may come back: the job waits for it (`giving_up` ends that).
    """
    job.refused = sorted({*job.refused, *([attempt.worker_id] if attempt.worker_id else [])})
    changes = {"refused": job.refused}
    able = can_take(job)
    if able or may_return(job):
        return Follows(True, error, job.max_attempts + 1, at_once=bool(able), changes=changes)
    return Follows(False, all_refusals(job, attempt, error), job.max_attempts)


def can_take(job: RenderJob) -> list[Worker]:
    """The workers that would take this job as things stand."""
    workers = [worker for worker in online_workers(job.workflow.backend) if worker.vram_gb >= job.vram_gb]
    hindered = _hindered(job, workers)
    return [worker for worker in workers if worker.pk not in job.refused and worker.pk not in hindered]


def may_return(job: RenderJob) -> list[Worker]:
    """Those that would take it, were they not away: stopped a short while ago, or with a server that is silent."""
    lately = Q(state=WorkerState.OFFLINE, heartbeat_at__gt=Now() - timedelta(seconds=settings.RENDER_WAIT_SECONDS))
    rows = Worker.objects.filter(lately | Q(state=WorkerState.ONLINE) & ~Q(error=""), vram_gb__gte=job.vram_gb)
    workers = [row for row in rows.exclude(pk__in=job.refused) if job.workflow.backend in row.backends]
    lasting = _lasting(job, workers)
    return [worker for worker in workers if worker.pk not in lasting]


def all_refusals(job: RenderJob, attempt: RenderAttempt, error: str) -> str:
    """Why no worker takes it, each with its own reason."""
    said = _refusals(job, attempt, error)
    workers = [worker for worker in online_workers(job.workflow.backend) if worker.vram_gb >= job.vram_gb]
    for pk, reason in _hindered(job, workers).items():
        said.setdefault(next(str(worker) for worker in workers if worker.pk == pk), reason)
    for worker in may_return(job):
        said.setdefault(str(worker), _("It has not come back."))
    return _all(said)


def _hindered(job: RenderJob, workers: Sequence[Worker]) -> dict[int, str]:
    """Which of these would not take the job as things stand, by id, and why: nobody may be left waiting for them."""
    return {**{worker.pk: worker.error for worker in workers if worker.error}, **_lasting(job, workers)}


def _lasting(job: RenderJob, workers: Sequence[Worker]) -> dict[int, str]:
    """As `_hindered`, what is not over by itself when a server answers again."""
    found: dict[int, str] = {}
    for block in WorkerBlock.objects.filter(workflow=job.workflow_id, worker__in=workers):
        found[block.worker_id] = block.reason
    for fit in WorkerFit.objects.filter(workflow=job.workflow_id, fits=False, worker__in=workers):
        found[fit.worker_id] = "; ".join(fit.reasons)
    return found


def _refusals(job: RenderJob, attempt: RenderAttempt, error: str) -> dict[str, str]:
    rows = RenderAttempt.objects.filter(job=job, cause=Cause.LACKING).select_related("worker").order_by("number")
    said = {str(row.worker): row.error for row in rows if row.worker}
    return said or {str(attempt.worker or ""): error}


def _all(said: dict[str, str]) -> str:
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return "\n".join(f"{name}: {reason}" for name, reason in said.items())


def online_workers(backend: str) -> Sequence[Worker]:
    """Those that take work for this engine, by name; whether their machine answers just now is left out."""
    rows = Worker.objects.filter(state=WorkerState.ONLINE)
    return [worker for worker in rows if backend in worker.backends]
