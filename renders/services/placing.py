"""Which waiting job a worker takes next.

What may go there: enough memory, the engine, a server that has what the workflow needs, no block, no pause, nothing
left to wait for. Of those the highest priority; within it the person who holds the fewest jobs, then who was served
longest ago, then the oldest job, so that nobody waits longer than it takes to serve each of the others once. A job
whose models the server has loaded goes before it, until the other has been passed over too often or for too long.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Count,
    ExpressionWrapper,
    F,
    Max,
    Min,
    Q,
    QuerySet,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce, Now

from renders.models import JobState, Pause, PauseScope, RenderJob, Worker, WorkerBlock, WorkerFit, Workflow
from renders.models.job import HELD_STATES
from renders.services import experience, waiting
from renders.services.locking import can_skip, of_self

ROUNDS = 3  # looks, when jobs were found that wait for others
MOST_PASSED = 4
LONGEST_PASSED = timedelta(minutes=10)


@dataclass(frozen=True)
class Head:
    """The first job of one person (None: of nobody), and how they stand."""

    user: int | None
    priority: int
    created_at: datetime
    held: int
    served: datetime | None

    @property
    def order(self) -> tuple[Any, ...]:
        return (-self.priority, self.held, self.served is not None, self.served or 0, self.created_at)


def place_anew(jobs: Sequence[RenderJob]) -> None:
    """Place jobs that are tried again (locked) by what is known today: a larger card is theirs to earn once more."""
    prefetch_related_objects(jobs, "workflow")
    for job in jobs:
        job.params = {name: value for name, value in job.params.items() if name != "after_out_of_memory"}
    experience.place(jobs)
    RenderJob.objects.bulk_update(jobs, ["params", "vram_gb", "capability", "estimate"], batch_size=500)


class Waits(Exception):
    """The best job turned out to wait for others: hold back what waits (`waiting`), then look again."""


def choose(worker: Worker) -> RenderJob | None:
    """The job that this worker should run next, locked; None when there is none. Inside the caller's transaction.

    On PostgreSQL the function `renders_claim` chooses, by the same rule (test_claim_function.py).
    """
    may = ready_for(worker)
    for head in sorted(_read_heads(may), key=lambda head: head.order):
        mine = may.filter(requested_by=head.user, priority=head.priority)
        first = _locked(mine.order_by("-priority", "created_at"))
        if first is None:
            continue
        if waiting.unmet(first.pk).exists():
            raise Waits
        return _with_loaded_models(worker, first, may)
    return None


def ready_for(worker: Worker) -> "QuerySet[RenderJob]":
    """The waiting jobs that may go to a worker, unordered."""
    paused: dict[str, list[str]] = {scope: [] for scope in PauseScope.values}
    for scope, key in Pause.objects.values_list("scope", "key"):
        paused[scope].append(key)
    unfit = WorkerFit.objects.filter(worker=worker, fits=False).values("workflow")
    blocked = WorkerBlock.objects.filter(worker=worker).values("workflow")
    able = Workflow.objects.filter(backend__in=worker.backends).exclude(pk__in=unfit).exclude(pk__in=blocked)
    able = able.exclude(pk__in=_numbers(paused[PauseScope.WORKFLOW])).order_by()
    ready = RenderJob.objects.filter(
        state=JobState.QUEUED,
        blocked_reason="",
        cancel_requested=False,
        not_before__lte=Now(),
        vram_gb__lte=worker.vram_gb,
        workflow__in=able,
    )
    ready = ready.exclude(project__in=_numbers(paused[PauseScope.PROJECT]))
    return _not_refused(ready.exclude(capability__in=paused[PauseScope.CAPABILITY]), worker).order_by()


def _numbers(keys: list[str]) -> list[int]:
    return [int(key) for key in keys if key.isdecimal()]


def _not_refused(ready: "QuerySet[RenderJob]", worker: Worker) -> "QuerySet[RenderJob]":
    if connection.features.supports_json_field_contains:
        return ready.exclude(refused__contains=[worker.pk])
    refused = RenderJob.objects.filter(state=JobState.QUEUED).exclude(refused=[]).values_list("pk", "refused")
    return ready.exclude(pk__in=[pk for pk, workers in refused if worker.pk in workers])


def _read_heads(ready: "QuerySet[RenderJob]") -> Iterator[Head]:
    """The first job of everybody who has one."""
    people = RenderJob.objects.order_by().values_list("requested_by")
    held = dict(people.filter(state__in=HELD_STATES).annotate(Count("pk")))
    served = dict(people.filter(started_at__isnull=False).annotate(Max("started_at")))
    tops: dict[int | None, tuple[int, datetime]] = {}
    rows = ready.values_list("requested_by", "priority").annotate(first=Min("created_at"))
    for user, priority, created_at in rows.order_by("priority"):
        tops[user] = (priority, created_at)
    for user, (priority, created_at) in tops.items():
        yield Head(user, priority, created_at, held.get(user, 0), served.get(user))


def _locked(jobs: "QuerySet[RenderJob]") -> RenderJob | None:
    """The first of these that nobody else is about to take.

    `passed_long`: it was passed over long ago for the first time.
    """
    long = ExpressionWrapper(Q(passed_since__lt=Now() - LONGEST_PASSED), output_field=BooleanField())
    rows = jobs.annotate(passed_long=long)
    return rows.select_for_update(skip_locked=can_skip(), of=of_self()).first()


def _with_loaded_models(worker: Worker, first: Any, ready: "QuerySet[RenderJob]") -> RenderJob:
    """`first`, or a job of the same priority for which the server need not load other models."""
    enough = first.passed_long or first.passed_over >= MOST_PASSED
    if not worker.loaded or first.model_key == worker.loaded or enough:
        return first  # type: ignore[no-any-return]
    same = ready.filter(model_key=worker.loaded, priority=first.priority)
    other = _locked(same.order_by("created_at"))
    if other is None or waiting.unmet(other.pk).exists():
        return first  # type: ignore[no-any-return]
    RenderJob.objects.filter(pk=first.pk).update(
        passed_over=F("passed_over") + 1, passed_since=Coalesce(F("passed_since"), Now())
    )
    return other
