"""Which waiting job a worker takes next.

What may go there: enough memory, the engine, a server that has what the workflow needs, no block, no pause, nothing
left to wait for. Of those the highest priority; within it the person who holds the fewest jobs, then who was served
longest ago, then the oldest job, so that nobody waits longer than it takes to serve each of the others once. A job
whose models the server has loaded goes before it, until the other has been passed over too often or for too long.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    prefetch_related_objects,
)
from django.db.models.functions import Cast, Coalesce, JSONObject, Now

from renders.models import JobState, Pause, PauseScope, RenderJob, Worker, WorkerBlock, WorkerFit, Workflow
from renders.models.job import HELD_STATES
from renders.services import experience, waiting
from renders.services.compiled import Compiled
from renders.services.locking import can_skip, of_self

ROUNDS = 3  # looks after others were quicker, or after jobs were found that wait for others
MOST_PASSED = 4
LONGEST_PASSED = timedelta(minutes=10)


@dataclass(frozen=True)
class Head:
    """The first job of one person (None: of nobody), and how they stand. Times only tell earlier from later."""

    user: int | None
    priority: int
    created_at: str
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


def choose(worker: Worker) -> RenderJob | None:
    """The job that this worker should run next, locked; None when there is none. Inside the caller's transaction."""
    may = _may_take(worker)
    if not may["able"]:
        return None
    for _round in range(ROUNDS):
        job = None
        for head in sorted(_read_heads(may), key=lambda head: head.order):
            whose = {} if head.user is None else {"user": head.user}
            job = _first_of.first(RenderJob, priority=head.priority, **whose, **may)
            if job is not None:
                break
        if job is None:
            return None
        if _waits(job):
            waiting.hold_all()
            continue
        return _with_loaded_models(worker, job, may)
    return None


def _may_take(worker: Worker) -> dict[str, Any]:
    """What `ready_for` asks for: the worker, and the ids of what it can do and of what is paused; two lists have a
    value that there is not, so that none is empty."""
    found: dict[str, list[str]] = {"able": [], **{scope: [] for scope in PauseScope.values}}
    for what, key in _facts.rows(worker=worker.pk, engines=sorted(worker.backends) or [""]):
        found[what].append(key)
    stopped = set(found[PauseScope.WORKFLOW])
    return {
        "worker": worker.pk,
        "vram": worker.vram_gb,
        "able": [int(key) for key in found["able"] if key not in stopped],
        "projects": [-1, *(int(key) for key in found[PauseScope.PROJECT] if key.isdecimal())],
        "classes": ["", *found[PauseScope.CAPABILITY]],
    }


def _build_facts(*, worker: int, engines: list[str]) -> "QuerySet[Any, Any]":
    no_fit = WorkerFit.objects.filter(worker=worker, workflow=OuterRef("pk"), fits=False)
    blocked = WorkerBlock.objects.filter(worker=worker, workflow=OuterRef("pk"))
    able = Workflow.objects.filter(~Exists(no_fit), ~Exists(blocked), backend__in=engines).order_by()
    rows = able.values_list(Value("able", CharField()), Cast("pk", CharField()))
    return rows.union(Pause.objects.values_list("scope", "key"), all=True)


def ready_for(
    *, worker: int, vram: int, able: list[int], projects: list[int], classes: list[str]
) -> "QuerySet[RenderJob]":
    """The waiting jobs that may go to a worker, unordered: what `_may_take` tells of it, and its memory."""
    ready = RenderJob.objects.filter(
        state=JobState.QUEUED,
        blocked_reason="",
        cancel_requested=False,
        not_before__lte=Now(),
        vram_gb__lte=vram,
        workflow__in=able,
    )
    return _not_refused(ready.exclude(project__in=projects).exclude(capability__in=classes), worker).order_by()


def _not_refused(ready: "QuerySet[RenderJob]", worker: int) -> "QuerySet[RenderJob]":
    if connection.features.supports_json_field_contains:
        return ready.exclude(refused__contains=[worker])
    refused = RenderJob.objects.filter(state=JobState.QUEUED).exclude(refused=[]).values_list("pk", "refused")
    return ready.exclude(pk__in=[pk for pk, workers in refused if worker in workers])


def _read_heads(may: dict[str, Any]) -> Iterator[Head]:
    for user, first, held, served in _heads.rows(**may):
        if first is not None:
            facts = json.loads(first) if isinstance(first, str) else first
            yield Head(user, facts["priority"], facts["created_at"], held, served)


def _build_heads(**may: Any) -> "QuerySet[Any, Any]":
    """The first job of everybody who has one; its cost grows with people, not with jobs."""
    facts = JSONObject(priority="priority", created_at="created_at")
    firsts = ready_for(**may).order_by("requested_by_id", "-priority", "created_at").values(facts=facts)

    def standing(row: Any, key: Any, **whose: Any) -> Any:
        mine = RenderJob.objects.filter(**whose).order_by()
        held = mine.filter(state__in=HELD_STATES).annotate(all=Value(1)).values("all").annotate(n=Count("pk"))
        served = mine.filter(started_at__isnull=False).order_by("requested_by_id", "-started_at").values("started_at")
        return row.order_by().values_list(
            key, Subquery(firsts.filter(**whose)[:1]), Coalesce(Subquery(held.values("n")), 0), Subquery(served[:1])
        )

    people = get_user_model().objects.all()
    of_people = standing(people, F("pk"), requested_by=OuterRef("pk"))
    # A single row to hang what nobody asked for on.
    me = Worker.objects.filter(pk=may["worker"])
    return of_people.union(  # type: ignore[no-any-return]
        standing(me, Value(None, BigIntegerField()), requested_by__isnull=True), all=True
    )


def _locked(jobs: "QuerySet[RenderJob]") -> "QuerySet[RenderJob]":
    """The first of these that nobody else is about to take.

    `passed_long`: it was passed over long ago for the first time. Whether it waits for others is asked afterwards:
    beside the lock the database may ask that of every row before it sorts them.
    """
    long = ExpressionWrapper(Q(passed_since__lt=Now() - LONGEST_PASSED), output_field=BooleanField())
    rows = jobs.annotate(passed_long=long)
    return rows.select_for_update(skip_locked=can_skip(), of=of_self())[:1]


def _waits(job: RenderJob) -> bool:
    return bool(_unmet.rows(job=job.pk))


def _build_unmet(*, job: Any) -> "QuerySet[Any, Any]":
    return waiting.unmet(job).values_list("pk")[:1]


def _build_first_of(*, priority: int, user: int | None = None, **may: Any) -> "QuerySet[RenderJob]":
    """The oldest job of one person (None: of nobody) with this priority."""
    ready = ready_for(**may).filter(requested_by=user, priority=priority)
    return _locked(ready.order_by("requested_by_id", "-priority", "created_at"))


def _build_loaded(*, models: list[str], priority: int, **may: Any) -> "QuerySet[RenderJob]":
    """The oldest job with this priority for which these models are needed."""
    ready = ready_for(**may).filter(model_key__in=models, priority=priority)
    return _locked(ready.order_by("model_key", "-priority", "created_at"))


_facts = Compiled(_build_facts)
_heads = Compiled(_build_heads)
_first_of = Compiled(_build_first_of)
_loaded = Compiled(_build_loaded)
_unmet = Compiled(_build_unmet)


def _with_loaded_models(worker: Worker, first: Any, may: dict[str, Any]) -> RenderJob:
    """`first`, or a job of the same priority for which the server need not load other models."""
    enough = first.passed_long or first.passed_over >= MOST_PASSED
    if not worker.loaded or first.model_key == worker.loaded or enough:
        return first  # type: ignore[no-any-return]
    other = _loaded.first(RenderJob, models=[worker.loaded], priority=first.priority, **may)
    if other is None or _waits(other):
        return first  # type: ignore[no-any-return]
    RenderJob.objects.filter(pk=first.pk).update(
        passed_over=F("passed_over") + 1, passed_since=Coalesce(F("passed_since"), Now())
    )
    return other  # type: ignore[no-any-return]
