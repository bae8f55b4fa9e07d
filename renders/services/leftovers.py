"""What ended attempts left on a rendering machine: nobody wants it any more, and it keeps the machine from others.

An attempt stops its own work while it lives. When its process died, or the machine did not answer at that moment, the
worker of the machine does it, from a thread of its own.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from renders.backends import BackendError, stop_left
from renders.models import JobState, RenderAttempt, Worker
from renders.models.job import ENDED_STATES
from renders.services.locking import of_self

log = structlog.get_logger(__name__)
STOPPED = "stopped"  # in RenderAttempt.saved: seen gone from the machine
LOOK_BACK = timedelta(days=7)  # no machine keeps its queue longer than that
MOST = 200  # at one look


def look(name: str) -> None:
    """`stop_left_of` for a worker's thread: whatever happens here stays here."""
    try:
        stop_left_of(name=name)
    except BackendError as error:
        log.info("leftovers_not_asked", worker=name, error=error.message)
    except Exception:
        log.warning("leftovers_failed", worker=name, exc_info=True)


def stop_left_of(*, name: str) -> int:
    """Stop what ended attempts left on this worker's machine; returns how many are known to be gone now.

    BackendError when the machine does not answer: the next look asks again.
    """
    worker = Worker.objects.filter(name=name, error="").exclude(endpoint="").first()
    if worker is None or not worker.backends:
        return 0
    found = list(
        # The same machine may have had a worker of another name.
        RenderAttempt.objects.filter(
            Q(saved__stopped__isnull=True) | Q(saved__stopped=False),
            worker__in=Worker.objects.filter(endpoint=worker.endpoint),
            finished_at__gt=Now() - LOOK_BACK,
            state__in=(JobState.FAILED, JobState.CANCELLED),
        )
        .exclude(saved={})
        .select_related("job")
        .only("saved", "job__state")
        .order_by("-finished_at")[:MOST]
    )
    if not found:
        return 0
    follows = _followed({attempt.job_id for attempt in found if attempt.job.state not in ENDED_STATES})
    pairs = [(attempt.saved, follows.get(attempt.job_id, {})) for attempt in found]
    gone = stop_left(worker.backends[0], worker.endpoint, pairs)
    ids = [attempt.pk for attempt, done in zip(found, gone, strict=True) if done]
    for pk in ids:
        with transaction.atomic():
            row = RenderAttempt.objects.select_for_update(of=of_self()).get(pk=pk)
            row.saved = {**row.saved, STOPPED: True}
            row.save(update_fields=["saved"])
    return len(ids)


def _followed(jobs: set[Any]) -> dict[Any, Mapping[str, Any]]:
    """What the newest attempt of each of these open jobs saved: that is being followed, or will be."""
    rows = RenderAttempt.objects.filter(job__in=jobs).order_by("number").values_list("job", "saved")
    return dict(rows)
