"""Batches with their progress, for the farm page, the top bar and the page of one batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from aipipeline.projects.models import Project
from renders.farm.jobs import JobRow, job_rows, with_attempts
from renders.models import BatchKind, JobState, RenderBatch, RenderJob, Seam
from renders.models.job import OPEN_STATES
from renders.selectors import jobs_visible_to, stale_reasons
from renders.services.batches import Progress, batch_progress, batches_visible_to, progress_of
from shots.models import Shot

SHOWN = 8
MOST_JOBS = 1000
JUMP = 0.2  # of 1 for black against white; what moves on by a frame stays far below


@dataclass(frozen=True)
class Segment:
    """A piece of a bar that is 100 wide. `moves`: what is under way, the last one; it grows between two reads."""

    state: str
    x: float
    width: float
    moves: bool = False


@dataclass(frozen=True)
class BatchRow:
    """One batch and how far it is."""

    batch: RenderBatch
    progress: Progress

    def __getattr__(self, name: str) -> Any:
        """The counts of its progress: templates read `row.failed`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.progress, name)

    @property
    def tone(self) -> str:
        """The state that colours its bar."""
        if self.progress.running:
            return "running"
        if self.progress.queued:
            return "queued"
        return "failed" if self.progress.failed else "succeeded" if self.progress.succeeded else "cancelled"

    @property
    def ended(self) -> int:
        return self.progress.succeeded + self.progress.failed + self.progress.cancelled

    @property
    def parts(self) -> list[tuple[str, Any, int]]:
        """(state, its name, how many) for those that there are, in the order in which people look for them."""
        states = (JobState.RUNNING, JobState.QUEUED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
        return [(s.value, s.label, count) for s in states if (count := getattr(self.progress, s.value))]

    @property
    def segments(self) -> list[Segment]:
        """Its bar: what succeeded, failed, was cancelled, and how far the rest is."""
        told, total = self.progress, max(1, self.progress.total)
        counts = {"succeeded": told.succeeded, "failed": told.failed, "cancelled": told.cancelled}
        found, x = [], 0.0
        for state, count in counts.items():
            if count:
                width = round(100 * count / total, 2)
                found.append(Segment(state, round(x, 2), width))
                x += width
        under_way = max(0.0, told.fraction * total - self.ended)
        return [*found, Segment("running", round(x, 2), round(100 * under_way / total, 2), moves=True)]


def batch_rows(found: Sequence[RenderBatch]) -> list[BatchRow]:
    """Those of the batches that have jobs; one query."""
    progress = progress_of(found)
    return [BatchRow(batch, progress[batch.pk]) for batch in found if batch.pk in progress]


def batch_row(batch: RenderBatch) -> BatchRow:
    return BatchRow(batch, batch_progress(batch))


def recent_batches(actor: Any, project: Project | None) -> list[BatchRow]:
    """Batches at work, then those of the last day: of more than one job, at most eight. Two queries."""
    lately = Q(created_at__gte=Now() - timedelta(hours=24))
    found = _of(actor, project).filter(lately | Exists(_open_jobs()))[: SHOWN * 4]
    rows = [row for row in batch_rows(list(found)) if row.progress.total > 1]
    return sorted(rows, key=lambda row: not row.progress.open)[:SHOWN]


def open_batches(actor: Any, project: Project | None, most: int = 5) -> list[BatchRow]:
    """Batches with jobs that wait or run, newest first. Two queries."""
    return batch_rows(list(_of(actor, project).filter(Exists(_open_jobs()))[:most]))


def _of(actor: Any, project: Project | None) -> "QuerySet[RenderBatch]":
    rows = batches_visible_to(actor)
    return rows.filter(project=project) if project is not None else rows


def _open_jobs() -> "QuerySet[RenderJob]":
    return RenderJob.objects.filter(batch=OuterRef("pk"), state__in=OPEN_STATES)


@dataclass
class ShotGroup:
    """The jobs of one shot (or asset) in a batch: one, or its variants side by side."""

    owner: Any
    shot: bool = False
    rows: list[JobRow] = field(default_factory=list)
    seam: Seam | None = None
    stale: str = ""

    @property
    def failed(self) -> bool:
        return any(row.job.state == JobState.FAILED for row in self.rows)

    @property
    def jumps(self) -> bool:
        return self.seam is not None and self.seam.score >= JUMP


def batch_groups(batch: RenderBatch, actor: Any) -> list[ShotGroup]:
    """The batch's jobs by owner; in story order for a chain, with the seam into each shot."""
    jobs = jobs_visible_to(actor).filter(batch=batch).order_by("shot__position", "created_at", "pk")
    rows = job_rows(list(with_attempts(jobs)[:MOST_JOBS]))
    groups: dict[tuple[str, Any], ShotGroup] = {}
    for row in rows:
        owner = row.job.owner
        key = (type(owner).__name__, owner.pk)
        groups.setdefault(key, ShotGroup(owner, isinstance(owner, Shot))).rows.append(row)
    found = list(groups.values())
    if batch.kind == BatchKind.CHAIN:
        _add_seams(found)
    return found


def _add_seams(groups: Sequence[ShotGroup]) -> None:
    """The jump from the version before into each shot's version, and what makes that out of date."""
    versions = {row.job.version_id: row.job.version for g in groups for row in g.rows if row.job.version is not None}
    found = Seam.objects.filter(before__in=versions, after__in=versions)
    seams = {(seam.before_id, seam.after_id): seam for seam in found}
    reasons = stale_reasons(version for version in versions.values() if version is not None)
    before: list[int | None] = []
    for group in groups:
        mine = [row.job.version_id for row in group.rows]
        pairs = ((first, second) for first in before for second in mine if first and second)
        group.seam = next((seams[pair] for pair in pairs if pair in seams), None)
        group.stale = next((reasons[pk] for pk in mine if pk in reasons), "")
        before = mine
