"""Claim, lease, end, cancel, retry, reap: the states of a job, each change a compare-and-set in the database.

Leases run on the database's clock. Nothing here calls an engine or touches a file.
"""

import uuid
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Conflict
from renders.backends import Stop
from renders.models import JobState, RenderAttempt, RenderJob, Worker
from renders.models.farm import WorkerState
from renders.models.job import ENDED_STATES, HELD_STATES, OPEN_STATES, VRAM_OF
from renders.services.nudges import announce_jobs, nudge
from renders.signals import job_ended

log = structlog.get_logger(__name__)
LONGEST_DELAY = 60.0  # seconds between two tries


def lease_end() -> Any:
    """Now, by the database, plus one lease."""
    return Now() + timedelta(seconds=settings.RENDER_LEASE_SECONDS)


def claim(*, worker: Worker, slots: int = 1) -> RenderAttempt | None:
    """The best job that this worker can run, leased to it; None when there is none or its slots are taken.

    Order: priority, then who has the fewest jobs running, then age. Dependencies must have succeeded.
    """
    with transaction.atomic():
        me = Worker.objects.select_for_update().get(pk=worker.pk)
        held = RenderAttempt.objects.filter(worker=me, state__in=HELD_STATES).count()
        if me.state != WorkerState.ONLINE or me.error or held >= slots:
            return None
        job = _best_job(me)
        if job is None:
            return None
        attempt = RenderAttempt(job=job, worker=me, number=job.attempts_made + 1, lease_until=lease_end())
        attempt.saved = _saved_by_earlier(job)
        RenderJob.objects.filter(pk=job.pk).update(
            state=JobState.LEASED,
            attempts_made=F("attempts_made") + 1,
            started_at=Coalesce(F("started_at"), Now()),
            error="",
            message="",
        )
        attempt.save(force_insert=True)
        job.state = JobState.LEASED
        announce_jobs([job])
    return attempt


def _best_job(worker: Worker) -> RenderJob | None:
    unfinished = RenderJob.after.through.objects.filter(from_renderjob_id=OuterRef("pk")).exclude(
        to_renderjob__state=JobState.SUCCEEDED
    )
    busy = (
        RenderJob.objects.filter(requested_by=OuterRef("requested_by"), state__in=HELD_STATES)
        .values("requested_by")
        .annotate(n=Count("pk"))
        .values("n")
    )
    waiting = (
        RenderJob.objects.select_for_update(skip_locked=_can_skip(), of=_of_self())
        .filter(
            state=JobState.QUEUED,
            not_before__lte=Now(),
            blocked_reason="",
            cancel_requested=False,
            vram_gb__lte=worker.vram_gb,
            workflow__backend__in=worker.backends,
        )
        .filter(~Exists(unfinished))
        .order_by("-priority", Coalesce(Subquery(busy), 0), "created_at", "pk")
    )
    return waiting.first()


def _can_skip() -> bool:
    from django.db import connection

    return bool(connection.features.has_select_for_update_skip_locked)


def _of_self() -> tuple[str, ...]:
    from django.db import connection

    return ("self",) if connection.features.has_select_for_update_of else ()


def _saved_by_earlier(job: RenderJob) -> dict[str, Any]:
    earlier = RenderAttempt.objects.filter(job=job).order_by("-number").first()
    return dict(earlier.saved) if earlier else {}


def begin(*, attempt_id: uuid.UUID | str) -> RenderAttempt | None:
    """leased -> running; None when the attempt was reaped, cancelled or begun before (a message came twice)."""
    with transaction.atomic():
        mine = RenderAttempt.objects.filter(pk=attempt_id, state=JobState.LEASED).update(
            state=JobState.RUNNING, started_at=Now(), heartbeat_at=Now(), lease_until=lease_end()
        )
        if not mine:
            return None
        attempt = RenderAttempt.objects.select_related(
            "worker",
            "job__project",
            "job__workflow",
            "job__graph",
            "job__shot__scene",
            "job__character",
            "job__environment",
        ).get(pk=attempt_id)
        RenderJob.objects.filter(pk=attempt.job_id, state=JobState.LEASED).update(state=JobState.RUNNING)
        attempt.job.state = JobState.RUNNING
        announce_jobs([attempt.job])
    return attempt


def heartbeat(*, attempt_id: uuid.UUID, progress: float, message: str) -> Stop | None:
    """Renew the lease and keep the progress. Returns why the attempt shall stop, None while it shall go on."""
    mine = RenderAttempt.objects.filter(pk=attempt_id, state__in=HELD_STATES).update(
        heartbeat_at=Now(), lease_until=lease_end()
    )
    if not mine:
        # Taken back. While the job lives another attempt follows the same work; after its end nobody does.
        ended = RenderJob.objects.filter(attempts__pk=attempt_id, state__in=ENDED_STATES).exists()
        return Stop.CANCELLED if ended else Stop.LOST
    RenderJob.objects.filter(attempts__pk=attempt_id, state__in=HELD_STATES).update(
        progress=progress, message=message[:300]
    )
    cancelled = RenderJob.objects.filter(attempts__pk=attempt_id, cancel_requested=True).exists()
    return Stop.CANCELLED if cancelled else None


def save_state(*, attempt_id: uuid.UUID, state: dict[str, Any]) -> None:
    """Keep what the engine needs to come back to its work."""
    with transaction.atomic():
        attempt = RenderAttempt.objects.select_for_update().get(pk=attempt_id)
        attempt.saved = {**attempt.saved, **state}
        attempt.save(update_fields=["saved"])


def to_publishing(*, attempt_id: uuid.UUID) -> bool:
    """running -> publishing; False when the attempt was reaped meanwhile."""
    with transaction.atomic():
        mine = RenderAttempt.objects.filter(pk=attempt_id, state=JobState.RUNNING).update(
            state=JobState.PUBLISHING, lease_until=lease_end()
        )
        if mine:
            RenderJob.objects.filter(attempts__pk=attempt_id).update(state=JobState.PUBLISHING)
    return bool(mine)


def end_attempt(
    *,
    attempt: RenderAttempt,
    state: str,
    error: str = "",
    retryable: bool = False,
    larger: bool = False,
    later: bool = False,
) -> None:
    """The attempt failed or was cancelled: requeue the job with backoff while it has tries left, else end it.

    `larger`: it ran out of memory, so the job goes once to the next larger class of card. `later`: the cause lies
    outside the job; for RENDER_WAIT_SECONDS such attempts do not count against its tries.
    """
    with transaction.atomic():
        mine = RenderAttempt.objects.filter(pk=attempt.pk, state__in=HELD_STATES).update(
            state=state, error=error, finished_at=Now()
        )
        if not mine:
            return
        job = RenderJob.objects.select_for_update(of=_of_self()).get(pk=attempt.job_id)
        if larger and not _to_larger_card(job):
            retryable = False
        if later and _still_waiting(job, attempt, error):
            job.max_attempts += 1
        again = (
            state == JobState.FAILED and retryable and not job.cancel_requested and job.attempts_made < job.max_attempts
        )
        if again:
            delay = min(settings.RENDER_RETRY_DELAY_SECONDS * 2 ** min(job.attempts_made - 1, 16), LONGEST_DELAY)
            RenderJob.objects.filter(pk=job.pk).update(
                state=JobState.QUEUED,
                progress=0.0,
                error=error,
                max_attempts=job.max_attempts,
                not_before=Now() + timedelta(seconds=delay),
            )
            job.state = JobState.QUEUED
            announce_jobs([job])
        else:
            end_job(job, JobState.CANCELLED if job.cancel_requested else state, error=error)


def _still_waiting(job: RenderJob, attempt: RenderAttempt, error: str) -> bool:
    """False once the very same trouble has ended attempts of this job for RENDER_WAIT_SECONDS."""
    long_ago = Now() - timedelta(seconds=settings.RENDER_WAIT_SECONDS)
    same = RenderAttempt.objects.filter(job=job, error=error, finished_at__lt=long_ago).exclude(pk=attempt.pk)
    return not same.filter(finished_at__gte=job.started_at).exists()


def _to_larger_card(job: RenderJob) -> bool:
    """Raise the job's class by one, once; False when it was raised before or there is no larger one."""
    bigger = [(name, vram) for name, vram in VRAM_OF.items() if vram > job.vram_gb]
    if job.params.get("after_out_of_memory") or not bigger:
        return False
    name, vram = bigger[0]
    RenderJob.objects.filter(pk=job.pk).update(
        capability=name, vram_gb=vram, params={**job.params, "after_out_of_memory": True}
    )
    return True


def end_job(job: RenderJob, state: str, *, error: str = "") -> None:
    """Write the end of a locked job, tell everybody, and end what waited for it when it did not succeed."""
    RenderJob.objects.filter(pk=job.pk).update(
        state=state,
        error=error,
        finished_at=Now(),
        message="",
        progress=1.0 if state == JobState.SUCCEEDED else F("progress"),
    )
    job.state, job.error = state, error
    announce_jobs([job])
    job_ended.send(sender=RenderJob, job=job)
    if state != JobState.SUCCEEDED:
        for later in RenderJob.objects.select_for_update(of=_of_self()).filter(after=job, state=JobState.QUEUED):
            end_job(later, JobState.CANCELLED, error=_("The job that this one waits for did not succeed."))
    else:
        followers = list(RenderJob.objects.filter(after=job, state=JobState.QUEUED))
        transaction.on_commit(lambda: nudge(followers), robust=True)


def cancel(*, job: RenderJob) -> RenderJob:
    """A waiting job ends at once; a running one is told, and ends by itself. Ended jobs refuse (409)."""
    with transaction.atomic():
        row: RenderJob = RenderJob.objects.select_for_update(of=_of_self()).get(pk=job.pk)
        if row.state not in OPEN_STATES:
            raise Conflict(_("This job has already ended."))
        RenderJob.objects.filter(pk=row.pk).update(cancel_requested=True)
        row.cancel_requested = True
        if row.state == JobState.QUEUED:
            end_job(row, JobState.CANCELLED)
        else:
            announce_jobs([row])
    return row


def retry(*, job: RenderJob, actor: Any = None, tab: str = "") -> RenderJob:
    """Queue a failed or cancelled job again, with all its tries; open and succeeded jobs refuse (409)."""
    from aipipeline.history.services import recording
    from shots.services.steps import start_steps

    params = {"job": str(job.pk), "label": str(job.owner)}
    with recording(
        project=job.project, actor=actor, kind="render.retry", tab=tab, undoable=False, params=params
    ) as recorder:
        row: RenderJob = RenderJob.objects.select_for_update(of=_of_self()).get(pk=job.pk)
        if row.state not in (JobState.FAILED, JobState.CANCELLED):
            raise Conflict(_("Only a failed or cancelled job can be tried again."))
        RenderJob.objects.filter(pk=row.pk).update(
            state=JobState.QUEUED,
            cancel_requested=False,
            error="",
            message="",
            progress=0.0,
            started_at=None,
            finished_at=None,
            not_before=Now(),
            max_attempts=row.attempts_made + settings.RENDER_MAX_ATTEMPTS,
        )
        row.state = JobState.QUEUED
        if row.shot:
            start_steps(recorder, [row.shot], row.step)
        announce_jobs([row])
        transaction.on_commit(lambda: nudge([row]), robust=True)
    return row


def reap() -> int:
    """Take back attempts whose lease ran out; returns how many. Safe to run anywhere, any number of times."""
    ids = list(RenderAttempt.objects.filter(state__in=HELD_STATES, lease_until__lt=Now()).values_list("pk", flat=True))
    for pk in ids:
        with transaction.atomic():
            attempt = (
                RenderAttempt.objects.select_for_update(of=_of_self())
                .filter(pk=pk, state__in=HELD_STATES, lease_until__lt=Now())
                .first()
            )
            if attempt is not None:
                log.warning("attempt_reaped", attempt=str(pk), job=str(attempt.job_id))
                end_attempt(
                    attempt=attempt,
                    state=JobState.FAILED,
                    error=_("The worker stopped answering; the job goes to another try."),
                    retryable=True,
                )
    _mark_silent_workers()
    return len(ids)


def _mark_silent_workers() -> None:
    silent = Now() - timedelta(seconds=max(settings.RENDER_LEASE_SECONDS * 2, 20))
    Worker.objects.filter(Q(heartbeat_at__lt=silent) | Q(heartbeat_at__isnull=True)).exclude(
        state=WorkerState.OFFLINE
    ).update(state=WorkerState.OFFLINE)
