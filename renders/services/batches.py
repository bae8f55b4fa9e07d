"""What one action started, as one: how far it is, cancelled, tried again and ordered as a whole, compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Avg, Case, Count, F, FloatField, Q, QuerySet, Sum, When
from django.utils.translation import gettext as _

from aipipeline.events import publish_progress
from aipipeline.history.services import recording
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from renders.models import JobState, RenderBatch, RenderJob, Version, VersionState
from renders.models.job import HELD_STATES, OPEN_STATES
from renders.services import many
from renders.services.chains import Again, locked, try_again
from renders.services.making import Owner
from renders.services.nudges import first_of_moment
from shots.models import Shot

PRIORITIES = range(-100, 101)


@dataclass(frozen=True)
class Progress:
    """Jobs of a batch by what became of them. `fraction` from 0 to 1 counts what ended, and how far the rest is.

    `eta_seconds`: what is left, at the number of jobs that run now; None when nothing like it ever ran.
    """

    total: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    fraction: float = 0.0
    eta_seconds: float | None = None

    @property
    def open(self) -> bool:
        return self.queued + self.running > 0

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


def batch_progress(batch: RenderBatch) -> Progress:
    """One query."""
    return progress_of([batch]).get(batch.pk, Progress())


def progress_of(batches: Iterable[RenderBatch]) -> dict[UUID, Progress]:
    """By batch that still has jobs; one query for all."""
    return _progress_by_key([batch.pk for batch in batches])


def _progress_by_key(keys: list[UUID]) -> dict[UUID, Progress]:
    open_jobs = Q(state__in=OPEN_STATES)
    left = Case(
        When(state=JobState.QUEUED, then=F("estimate")),
        When(state__in=HELD_STATES, then=F("estimate") * (1.0 - F("progress"))),
        output_field=FloatField(),
    )
    rows = (
        RenderJob.objects.filter(batch__in=keys)
        .order_by()
        .values("batch")
        .annotate(
            total=Count("pk"),
            queued=Count("pk", filter=Q(state=JobState.QUEUED)),
            running=Count("pk", filter=Q(state__in=HELD_STATES)),
            succeeded=Count("pk", filter=Q(state=JobState.SUCCEEDED)),
            failed=Count("pk", filter=Q(state=JobState.FAILED)),
            cancelled=Count("pk", filter=Q(state=JobState.CANCELLED)),
            under_way=Sum("progress", filter=Q(state__in=HELD_STATES)),
            known=Sum(left, filter=open_jobs),
            mean=Avg("estimate"),
            unknown=Count("pk", filter=open_jobs & Q(estimate=None)),
        )
    )
    return {row["batch"]: _progress(row) for row in rows}


def announce_progress(job: RenderJob) -> None:
    """Tell pages how far the job's batch is: once a second at most, however many of its jobs run, and then one query.

    For between the changes of its jobs; the figures are those that the heartbeats of all of them have kept.
    """
    key = job.batch_id
    if key is None or not first_of_moment(f"batch-moved:{key}"):
        return
    told = _progress_by_key([key]).get(key, Progress())  # of none when the batch was deleted meanwhile
    if told.open:
        for topic in (f"project:{job.project_id}", "farm"):
            publish_progress(topic, "batch.progress", batch=str(job.batch_id), progress=round(told.fraction, 4))


def _progress(row: dict[str, Any]) -> Progress:
    names = ("total", "queued", "running", "succeeded", "failed", "cancelled")
    counts = {name: int(row[name]) for name in names}
    ended = counts["succeeded"] + counts["failed"] + counts["cancelled"]
    fraction = (ended + (row["under_way"] or 0.0)) / counts["total"] if counts["total"] else 0.0
    eta = None
    if row["mean"] is not None and counts["queued"] + counts["running"]:
        eta = ((row["known"] or 0.0) + row["unknown"] * row["mean"]) / max(1, counts["running"])
    return Progress(**counts, fraction=min(1.0, fraction), eta_seconds=eta)


def cancel_batch(*, batch: RenderBatch, actor: Any, tab: str = "") -> int:
    """End what waits and tell what runs to stop; how many jobs that were. Conflict when all have ended."""
    with _of_batch(batch, actor, "batch.cancel", tab):
        rows = many.tell_to_stop(RenderJob.objects.filter(batch=batch))
        if not rows:
            raise Conflict(_("Every job of this batch has ended."))
    many.end_cancelled([row.pk for row in rows])
    return len(rows)


def retry_failed(*, batch: RenderBatch, actor: Any, tab: str = "") -> Again:
    """Queue what failed again, with what comes back with it (`chains.try_again`).

    Conflict when nothing has failed.
    """
    with _of_batch(batch, actor, "batch.retry", tab) as recorder:
        failed = list(
            locked(RenderJob.objects.filter(batch=batch, state=JobState.FAILED)).select_related(
                "shot", "character", "environment"
            )
        )
        if not failed:
            raise Conflict(_("Nothing in this batch has failed."))
        return try_again(recorder, failed)


def set_batch_priority(*, batch: RenderBatch, actor: Any, priority: int, tab: str = "") -> int:
    """Move all that waits, -100 to 100, higher first; how many jobs that were. Conflict when none waits."""
    if priority not in PRIORITIES:
        raise Invalid(_("priority: a number from -100 to 100."), fields={"priority": [_("out of range")]})
    with _of_batch(batch, actor, "batch.priority", tab) as recorder:
        rows = many.give_place(recorder, RenderJob.objects.filter(batch=batch), priority)
        if not rows:
            raise Conflict(_("No job of this batch waits any more."))
    return len(rows)


def _of_batch(batch: RenderBatch, actor: Any, kind: str, tab: str) -> Any:
    params = {"batch": str(batch.pk), "label": batch.title}
    return recording(project=batch.project, actor=actor, kind=kind, tab=tab, undoable=False, params=params)


@dataclass(frozen=True)
class Cell:
    """What one variant made of one shot: its job, and the version once that is published."""

    variant: str
    job: RenderJob
    version: Version | None


@dataclass(frozen=True)
class Row:
    """One shot (or character, environment) with its variants, in the order in which they were chosen."""

    owner: Owner
    cells: tuple[Cell, ...]


def results(batch: RenderBatch) -> list[Row]:
    """What a batch made, by shot in story order; of a batch without variants each row has one cell. One query."""
    jobs = (
        RenderJob.objects.filter(batch=batch)
        .select_related("shot", "character", "environment", "workflow", "version__project")
        .order_by("created_at", "pk")
    )
    # The jobs were made variant after variant, so that the first shot's tell the order.
    found: dict[Owner, list[Cell]] = {}
    for job in jobs:
        version = job.version if job.version and job.version.state == VersionState.PUBLISHED else None
        found.setdefault(job.owner, []).append(Cell(job.variant, job, version))
    rows = [Row(owner, tuple(cells)) for owner, cells in found.items()]
    return sorted(rows, key=lambda row: (not isinstance(row.owner, Shot), getattr(row.owner, "position", 0)))


def batches_visible_to(actor: Any) -> "QuerySet[RenderBatch]":
    """The batches of the projects that one sees, newest first."""
    rows = RenderBatch.objects.filter(project__in=Project.objects.visible_to(actor))
    return rows.select_related("project", "actor").order_by("-created_at", "pk")


def batch_for(actor: Any, batch_id: UUID) -> RenderBatch:
    """One batch of a project that the actor may see; NotFound otherwise."""
    batch = batches_visible_to(actor).filter(pk=batch_id).first()
    if batch is None:
        raise NotFound(_("There is no such batch, or you are not a member of its project."))
    return batch
