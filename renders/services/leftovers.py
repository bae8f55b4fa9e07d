"""What ended attempts left on a rendering machine: nobody wants it any more, and it keeps the machine from others.

An attempt stops its own work while it lives. When its process died, or the machine did not answer at that moment, the
worker of the machine does it, from a thread of its own; where the machine has none any more, any other one.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from renders.backends import BackendError, stop_left
from renders.endpoints import public
from renders.models import JobState, RenderAttempt, Worker, WorkerState
from renders.models.job import ENDED_STATES
from renders.services.locking import of_self

log = structlog.get_logger(__name__)
STOPPED = "stopped"  # in RenderAttempt.saved: seen gone from the machine
LOOK_BACK = timedelta(days=7)  # no machine keeps its queue longer than that
MOST = 200  # at one look
MOST_PLACES = 20
ORPHAN_SECONDS = 300  # between two looks at machines that nobody drives


def look(name: str) -> None:
    """`stop_left_of` for a worker's thread: whatever happens here stays here."""
    _quietly(stop_left_of, name)


def look_around(name: str) -> None:
    """`stop_orphans` as `look`, by one worker of the farm every few minutes."""
    try:
        mine = cache.add("leftovers:orphans", name, timeout=ORPHAN_SECONDS)
    except Exception:
        return  # a cache that is away: another time
    if mine:
        _quietly(stop_orphans, name)


def _quietly(work: Callable[..., int], name: str) -> None:
    try:
        work(name=name)
    except BackendError as error:
        log.info("leftovers_not_asked", worker=name, error=error.message)
    except Exception:
        log.warning("leftovers_failed", worker=name, exc_info=True)


def stop_left_of(*, name: str) -> int:
    """Stop what ended attempts left on this worker's machine; returns how many are known to be gone now.

    Whoever drove the machine then: the worker may have had another name, or be deleted. BackendError when the machine
    does not answer: the next look asks again.
    """
    worker = Worker.objects.filter(name=name, error="").exclude(endpoint="").first()
    if worker is None or not worker.backends:
        return 0
    return _stop(worker.backends[0], worker.endpoint, _left(saved__endpoint=public(worker.endpoint)))


def stop_orphans(*, name: str) -> int:
    """As `stop_left_of`, on the machines that no worker drives now: deleted, stopped, or sent to another address.

    This worker, `name`, asks them instead. Of one that does not answer the attempts say so in their logs, once.
    """
    rows = Worker.objects.exclude(endpoint="")
    driven = {public(row.endpoint) for row in rows if row.state != WorkerState.OFFLINE}
    known = {public(row.endpoint): row.endpoint for row in rows}  # with its password, where it has one
    left = _left(saved__endpoint__isnull=False).exclude(saved__endpoint__in=sorted(driven)).order_by()
    count = 0
    for engine, place in left.values_list("job__workflow__backend", "saved__endpoint").distinct()[:MOST_PLACES]:
        if not isinstance(place, str):
            continue
        found = _left(job__workflow__backend=engine, saved__endpoint=place)
        try:
            count += _stop(engine, known.get(place, place), found)
        except BackendError as error:
            log.info("leftovers_out_of_reach", worker=name, place=place, error=error.message)
            _tell(found, place)
    return count


def _left(**where: Any) -> "QuerySet[RenderAttempt]":
    """The attempts that ended lately and badly, and whose work was not seen gone; the newest first."""
    return RenderAttempt.objects.filter(
        Q(saved__stopped__isnull=True) | Q(saved__stopped=False),
        finished_at__gt=Now() - LOOK_BACK,
        state__in=(JobState.FAILED, JobState.CANCELLED),
        **where,
    ).order_by("-finished_at")


def _stop(engine: str, endpoint: str, rows: "QuerySet[RenderAttempt]") -> int:
    found = list(rows.select_related("job").only("saved", "job__state")[:MOST])
    if not found:
        return 0
    follows = _followed({attempt.job_id for attempt in found if attempt.job.state not in ENDED_STATES})
    pairs = [(attempt.saved, follows.get(attempt.job_id, {})) for attempt in found]
    gone = stop_left(engine, endpoint, pairs)
    ids = [attempt.pk for attempt, done in zip(found, gone, strict=True) if done]
    for pk in ids:
        with transaction.atomic():
            row = RenderAttempt.objects.select_for_update(of=of_self()).get(pk=pk)
            row.saved = {**row.saved, STOPPED: True}
            row.save(update_fields=["saved"])
    return len(ids)


def _tell(rows: "QuerySet[RenderAttempt]", place: str) -> None:
    """That the work may still be there, in the logs of the attempts that do not say it yet and have no followers."""
    text = _(
        "What was sent to %(place)s may still be in its queue: no worker drives that machine now, and it does not"
        " answer. It is asked again for %(days)d days; or delete it there."
    )
    line = text % {"place": place, "days": LOOK_BACK.days}
    ended = rows.filter(job__state__in=ENDED_STATES)
    for pk, log_text in list(ended.exclude(log__contains=line).values_list("pk", "log")[:MOST]):
        RenderAttempt.objects.filter(pk=pk).update(log=f"{log_text}\n{line}".strip())


def _followed(jobs: set[Any]) -> dict[Any, Mapping[str, Any]]:
    """What the newest attempt of each of these open jobs saved: that is being followed, or will be."""
    rows = RenderAttempt.objects.filter(job__in=jobs).order_by("number").values_list("job", "saved")
    return dict(rows)
