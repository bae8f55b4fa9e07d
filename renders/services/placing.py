"""Which waiting job a worker takes next.

What may go there: enough memory, the engine, a server that has what the workflow needs, no block, no pause, nothing
left to wait for. Of those the highest priority; within it the person who holds the fewest jobs, then who was served
longest ago, then the oldest job, so that nobody waits longer than it takes to serve each of the others once. A job
whose models the server has loaded goes before it, until the other has been passed over too often or for too long.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Now

from renders.models import JobState, Pause, PauseScope, RenderJob, Worker, WorkerBlock, WorkerFit, Workflow
from renders.models.job import HELD_STATES
from renders.services import waiting
from renders.services.locking import can_skip, of_self

ROUNDS = 3  # looks after others were quicker, or after jobs were found that wait for others
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
        never = self.served is None
        return (-self.priority, self.held, not never, self.served or self.created_at, self.created_at)


def choose(worker: Worker) -> RenderJob | None:
    """The job that this worker should run next, locked; None when there is none. Inside the caller's transaction."""
    for _round in range(ROUNDS):
        ready = ready_for(worker)
        if ready.query.is_empty():
            return None
        job = None
        for head in sorted(_heads(ready), key=lambda head: head.order):
            job = _lock(ready.filter(requested_by=head.user, priority=head.priority))
            if job is not None:
                break
        if job is None:
            return None
        if job.unmet:
            waiting.hold_all()
            continue
        return _with_loaded_models(worker, ready, job)
    return None


def ready_for(worker: Worker) -> "QuerySet[RenderJob]":
    """The waiting jobs that may go to this worker, unordered."""
    paused: dict[str, list[str]] = {}
    for scope, key in Pause.objects.values_list("scope", "key"):
        paused.setdefault(scope, []).append(key)
    workflows = Workflow.objects.filter(backend__in=worker.backends).exclude(
        Exists(WorkerFit.objects.filter(worker=worker, workflow=OuterRef("pk"), fits=False))
    )
    workflows = workflows.exclude(Exists(WorkerBlock.objects.filter(worker=worker, workflow=OuterRef("pk"))))
    stopped = paused.get(PauseScope.WORKFLOW, [])
    able = [pk for pk in workflows.order_by().values_list("pk", flat=True) if str(pk) not in stopped]
    if not able:
        return RenderJob.objects.none()
    ready = RenderJob.objects.filter(
        state=JobState.QUEUED,
        blocked_reason="",
        cancel_requested=False,
        not_before__lte=Now(),
        vram_gb__lte=worker.vram_gb,
        workflow__in=able,
    )
    if projects := paused.get(PauseScope.PROJECT):
        ready = ready.exclude(project__in=[int(key) for key in projects if key.isdecimal()])
    if classes := paused.get(PauseScope.CAPABILITY):
        ready = ready.exclude(capability__in=classes)
    return _not_refused(ready, worker).order_by()


def _not_refused(ready: "QuerySet[RenderJob]", worker: Worker) -> "QuerySet[RenderJob]":
    if connection.features.supports_json_field_contains:
        return ready.exclude(refused__contains=[worker.pk])
    refused = RenderJob.objects.filter(state=JobState.QUEUED).exclude(refused=[]).values_list("pk", "refused")
    return ready.exclude(pk__in=[pk for pk, workers in refused if worker.pk in workers])


def _heads(ready: "QuerySet[RenderJob]") -> Iterator[Head]:
    """The first job of everybody who has one; one query, whose cost grows with people, not with jobs."""
    firsts = ready.order_by("-priority", "created_at", "pk").values("pk")
    people = get_user_model().objects.order_by()
    of_people = _standing(
        RenderJob.objects.filter(pk__in=people.values(job=Subquery(firsts.filter(requested_by=OuterRef("pk"))[:1]))),
        requested_by=OuterRef("requested_by"),
    )
    of_nobody = _standing(
        RenderJob.objects.filter(pk__in=firsts.filter(requested_by=None)[:1]), requested_by__isnull=True
    )
    for row in of_people.union(of_nobody, all=True):
        yield Head(*row)


def _standing(jobs: "QuerySet[RenderJob]", **whose: Any) -> "QuerySet[Any, Any]":
    mine = RenderJob.objects.filter(**whose).order_by()
    held = mine.filter(state__in=HELD_STATES).annotate(all=Value(1)).values("all").annotate(n=Count("pk")).values("n")
    served = mine.filter(started_at__isnull=False).order_by("-started_at").values("started_at")[:1]
    return jobs.order_by().values_list(
        "requested_by", "priority", "created_at", Coalesce(Subquery(held), 0), Subquery(served)
    )


def _lock(jobs: "QuerySet[RenderJob]") -> Any:
    """The oldest of these that nobody else is about to take, with whether it waits for others (`unmet`).

    `passed_long`: it was passed over long ago for the first time.
    """
    long = ExpressionWrapper(Q(passed_since__lt=Now() - LONGEST_PASSED), output_field=BooleanField())
    rows = jobs.order_by("created_at", "pk").annotate(unmet=waiting.still_waits(), passed_long=long)
    return rows.select_for_update(skip_locked=can_skip(), of=of_self()).first()


def _with_loaded_models(worker: Worker, ready: "QuerySet[RenderJob]", first: Any) -> RenderJob:
    """`first`, or a job of the same priority for which the server need not load other models."""
    if not worker.loaded or first.model_key == worker.loaded:
        return first  # type: ignore[no-any-return]
    if first.passed_long or first.passed_over >= MOST_PASSED:
        return first  # type: ignore[no-any-return]
    other = _lock(ready.filter(model_key=worker.loaded, priority=first.priority))
    if other is None or other.unmet:
        return first  # type: ignore[no-any-return]
    RenderJob.objects.filter(pk=first.pk).update(
        passed_over=F("passed_over") + 1, passed_since=Coalesce(F("passed_since"), Now())
    )
    return other  # type: ignore[no-any-return]
