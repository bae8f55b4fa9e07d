"""Claim, lease, end, cancel, retry, reap: the states of a job, each change a compare-and-set in the database.

Leases run on the database's clock. Nothing here calls an engine or touches a file.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Conflict
from renders.backends import JobCancelled, Stop
from renders.models import Cause, JobState, RenderAttempt, RenderJob, Worker
from renders.models.farm import WorkerState
from renders.models.job import ENDED_STATES, HELD_STATES, OPEN_STATES
from renders.services import experience, failing, placing, waiting
from renders.services.locking import of_self
from renders.services.nudges import announce_jobs, nudge
from renders.signals import job_ended

log = structlog.get_logger(__name__)
LONGEST_DELAY = 60.0  # seconds between two tries


def lease_end() -> Any:
    """Now, by the database, plus one lease."""
    return Now() + timedelta(seconds=settings.RENDER_LEASE_SECONDS)


def claim(*, worker: Worker, slots: int = 1) -> RenderAttempt | None:
    """The best job that this worker can run (`placing`), leased to it; None when there is none or no free slot."""
    take = _take_by_function if connection.vendor == "postgresql" else _take
    for _round in range(placing.ROUNDS):
        try:
            return take(worker, slots)
        except placing.Waits:
            waiting.hold_all()
    return None


def _take_by_function(worker: Worker, slots: int) -> RenderAttempt | None:
    """One call of the database (migration 0008), which does what `_take` does."""
    lease = timedelta(seconds=settings.RENDER_LEASE_SECONDS)
    told: list[Any] = [worker.pk, slots, lease, placing.MOST_PASSED, placing.LONGEST_PASSED]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM renders_claim(%s, %s, %s, %s, %s)", told)
        row = cursor.fetchone()
    if row is None:
        return None
    attempt, job, number = row
    if attempt is None:
        raise placing.Waits
    names = ("id", "job_id", "worker_id", "number", "state")
    return RenderAttempt.from_db(connection.alias, names, (attempt, job, worker.pk, number, JobState.LEASED))


def _take(worker: Worker, slots: int) -> RenderAttempt | None:
    with transaction.atomic():
        me = Worker.objects.select_for_update(of=of_self()).get(pk=worker.pk)
        held = RenderAttempt.objects.filter(worker=me, state__in=HELD_STATES).count()
        if me.state != WorkerState.ONLINE or me.error or held >= slots:
            return None
        job = placing.choose(me)
        if job is None:
            return None
        attempt = RenderAttempt(job=job, worker=me, number=job.attempts_made + 1, lease_until=lease_end())
        attempt.saved = _saved_by_earlier(job) if job.attempts_made else {}
        RenderJob.objects.filter(pk=job.pk).update(
            state=JobState.LEASED,
            attempts_made=F("attempts_made") + 1,
            started_at=Coalesce(F("started_at"), Now()),
            passed_over=0,
            passed_since=None,
            error="",
            message="",
        )
        attempt.save(force_insert=True)
        if job.model_key and job.model_key != me.loaded:
            Worker.objects.filter(pk=me.pk).update(loaded=job.model_key)
        job.state = JobState.LEASED  # told with the beginning, which follows at once
    return attempt


def has_unbegun(*, worker: str) -> bool:
    """Whether a worker (by name) has taken something that it has not begun yet: its processes are busy."""
    return RenderAttempt.objects.filter(worker__name=worker, state=JobState.LEASED).exists()


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
    """Keep what the engine needs to come back to its work.

    JobCancelled when the attempt was taken back: what it began would be known to nobody, and must not be begun.
    """
    with transaction.atomic():
        attempt = RenderAttempt.objects.select_for_update().filter(pk=attempt_id, state__in=HELD_STATES).first()
        if attempt is None:
            raise JobCancelled
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
    cause: str = "",
) -> None:
    """The attempt failed or was cancelled: requeue the job with backoff while it has tries left, else end it.

    `cause` (`Cause`) says what follows: out of memory, the job goes once to a larger card. Away: for
    RENDER_WAIT_SECONDS such attempts do not count against its tries. Lacking: it goes to another worker, without
    using up a try, until none is left. Lost: it uses up a try when it had begun. Engine: it counts against the worker
    (`blocks`).
    """
    with transaction.atomic():
        mine = RenderAttempt.objects.filter(pk=attempt.pk, state__in=HELD_STATES).update(
            state=state, error=error, cause=cause, finished_at=Now()
        )
        if not mine:
            return
        job = RenderJob.objects.select_for_update(of=of_self()).select_related("workflow").get(pk=attempt.job_id)
        follows = failing.what_follows(job, attempt, cause=cause, error=error, retryable=retryable)
        again = (
            state == JobState.FAILED
            and follows.retryable
            and not job.cancel_requested
            and job.attempts_made < follows.max_attempts
        )
        if again:
            delay = min(settings.RENDER_RETRY_DELAY_SECONDS * 2 ** min(job.attempts_made - 1, 16), LONGEST_DELAY)
            RenderJob.objects.filter(pk=job.pk).update(
                state=JobState.QUEUED,
                progress=0.0,
                error=follows.error,
                max_attempts=follows.max_attempts,
                not_before=Now() if follows.at_once else Now() + timedelta(seconds=delay),
                **follows.changes,
            )
            job.state = JobState.QUEUED
            announce_jobs([job])
            if follows.at_once:
                transaction.on_commit(lambda: nudge([job]), robust=True)
        else:
            end_job(job, JobState.CANCELLED if job.cancel_requested else state, error=follows.error)
        experience.note_end(attempt, job, state=state, cause=cause, error=error)


def end_job(job: RenderJob, state: str, *, error: str = "") -> None:
    """Write the end of a locked job, tell everybody, and end what waited for it when it did not succeed."""
    _write_end([job], state, error)
    if state == JobState.SUCCEEDED:
        transaction.on_commit(lambda: waiting.look_again(after=[job]), robust=True)
        return
    front = [job]
    # Link after link: a chain may have thousands of them.
    while front := _waiting_for(front):
        _write_end(front, JobState.CANCELLED, _("The job that this one waits for did not succeed."))


def _waiting_for(jobs: list[RenderJob]) -> list[RenderJob]:
    """The jobs in the queue that wait for any of these, locked."""
    links = RenderJob.after.through.objects.filter(to_renderjob__in=[job.pk for job in jobs])
    rows = RenderJob.objects.filter(pk__in=links.values("from_renderjob"), state=JobState.QUEUED)
    rows = rows.select_related("shot", "character", "environment").order_by("created_at", "pk")
    return list(rows.select_for_update(of=of_self()))


def _write_end(jobs: list[RenderJob], state: str, error: str) -> None:
    RenderJob.objects.filter(pk__in=[job.pk for job in jobs]).update(
        state=state,
        error=error,
        finished_at=Now(),
        message="",
        progress=1.0 if state == JobState.SUCCEEDED else F("progress"),
    )
    for job in jobs:
        job.state, job.error = state, error
    announce_jobs(jobs)
    for job in jobs:
        job_ended.send(sender=RenderJob, job=job)


def cancel(*, job: RenderJob) -> RenderJob:
    """A waiting job ends at once; a running one is told, and ends by itself. Ended jobs refuse (409)."""
    with transaction.atomic():
        row: RenderJob = RenderJob.objects.select_for_update(of=of_self()).get(pk=job.pk)
        if row.state not in OPEN_STATES:
            raise Conflict(_("This job has already ended."))
        RenderJob.objects.filter(pk=row.pk).update(cancel_requested=True)
        row.cancel_requested = True
        if row.state == JobState.QUEUED:
            end_job(row, JobState.CANCELLED)
        else:
            announce_jobs([row])
    return row


def reap() -> int:
    """Take back attempts whose lease ran out; returns how many. Safe to run anywhere, any number of times."""
    ids = list(RenderAttempt.objects.filter(state__in=HELD_STATES, lease_until__lt=Now()).values_list("pk", flat=True))
    # Each on its own: whatever is wrong with one holds up nothing for the others.
    taken = sum(on_its_own(_reap_one, pk) or 0 for pk in ids)
    on_its_own(_mark_silent_workers)
    on_its_own(waiting.look_again)
    return taken


def on_its_own(work: Callable[..., int | None], *args: Any) -> int | None:
    """What this returns; None, and a line in the log, when it fails."""
    try:
        return work(*args)
    except Exception:
        log.exception("part_failed", part=getattr(work, "__name__", ""), of=[str(arg) for arg in args])
        return None


def _reap_one(pk: uuid.UUID) -> int:
    with transaction.atomic():
        attempt = (
            RenderAttempt.objects.select_for_update(of=of_self())
            .filter(pk=pk, state__in=HELD_STATES, lease_until__lt=Now())
            .first()
        )
        if attempt is None:
            return 0
        log.warning("attempt_reaped", attempt=str(pk), job=str(attempt.job_id))
        end_attempt(
            attempt=attempt,
            state=JobState.FAILED,
            error=_("The worker stopped answering; the job goes to another try."),
            retryable=True,
            cause=Cause.LOST,
        )
    return 1


def _mark_silent_workers() -> None:
    silent = Now() - timedelta(seconds=max(settings.RENDER_LEASE_SECONDS * 2, 20))
    Worker.objects.filter(Q(heartbeat_at__lt=silent) | Q(heartbeat_at__isnull=True)).exclude(
        state=WorkerState.OFFLINE
    ).update(state=WorkerState.OFFLINE)
