"""What was learned from attempts: where work of this kind and size fits, and how long it takes (`estimates`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.history.services import recording
from aipipeline.projects.errors import NotFound
from renders.models import Capability, Cause, Experience, JobState, RenderAttempt, RenderJob, Worker, Workflow
from renders.models.job import VRAM_OF
from renders.services import blocks
from renders.services.locking import can_skip, of_self

log = structlog.get_logger(__name__)
AT_ONCE = 500


@dataclass(frozen=True)
class Size:
    """Of a result: pixels and frames; a still has one frame. 0 where the job does not say."""

    width: int
    height: int
    frames: int

    @property
    def pixels(self) -> int:
        return self.width * self.height

    def holds(self, other: "Size") -> bool:
        """Whether work of this size needs at least the memory of the other."""
        return self.pixels >= other.pixels and self.frames >= other.frames


def size_of(workflow: Workflow, params: Any) -> Size:
    """Of what a job with these params makes. Frames count where the workflow makes something that moves."""
    frames = _whole(params.get("frames")) if workflow.step not in STILL_STEPS else 1
    return Size(_whole(params.get("width")), _whole(params.get("height")), max(frames, 1))


STILL_STEPS = ("", "first_image")


def load_of(workflow: Workflow, params: Any) -> float:
    """How many times the workflow's own number of steps a job samples; 1 where either is not said.

    What is learned is kept as if every job had that number, so that an estimate follows what a job asks for.
    """
    usual, asked = usual_of(workflow, "steps"), params.get("steps")
    if not (_counts(usual) and _counts(asked)):
        return 1.0
    return min(max(float(asked) / float(usual), 0.01), 100.0)


def usual_of(workflow: Workflow, name: str) -> Any:
    """What holds for a parameter that a job does not say; "" where that is not known."""
    return workflow.defaults.get(name, (workflow.needs.get("usual") or {}).get(name, ""))


def _counts(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _whole(value: Any) -> int:
    try:
        return min(max(int(value or 0), 0), 2**31 - 1)
    except (TypeError, ValueError, OverflowError):
        return 0


def class_for(vram_gb: int) -> str:
    """The smallest class of card that has this much VRAM."""
    for capability, has in VRAM_OF.items():
        if has >= vram_gb:
            return capability
    return str(Capability.VRAM48)


def need_of(workflow: Workflow, size: Size, rows: Sequence[Experience]) -> int:
    """The GB that a card must have: what the workflow declares, corrected by what this workflow's `rows` show.

    Less than declared only where work at least as large has succeeded on a smaller card; more where work no larger has
    run out of memory, unless work at least as large has succeeded there since.
    """
    if not workflow.vram_gb:
        return 0
    held = [row for row in rows if row.succeeded and _size(row).holds(size)]
    enough = min((row.vram_gb for row in held if row.vram_gb), default=workflow.vram_gb)
    burst = [row.vram_gb for row in rows if row.out_of_memory and size.holds(_size(row))]
    too_small = max((vram for vram in burst if not any(row.vram_gb <= vram for row in held)), default=0)
    return max(min(enough, workflow.vram_gb), too_small + 1 if too_small else 0)


class Cards:
    """The largest registered card of each engine: no need grows above it because of one job that ran out of memory.

    One job may have burst there because something else filled the card; where several jobs did, it is too small.
    """

    def __init__(self) -> None:
        self._known: dict[int, list[Size]] = {}

    @cached_property
    def largest(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for engines, vram in Worker.objects.values_list("backends", "vram_gb"):
            for engine in engines:
                found[engine] = max(found.get(engine, 0), vram)
        return found

    def bounded(self, need: int, workflow: Workflow, size: Size) -> int:
        """The need in GB, of work that must be done somewhere. Asks the database only when it has grown."""
        largest = self.largest.get(workflow.backend, 0) if need > workflow.vram_gb else 0
        if not largest or need <= largest or self._burst(workflow, size, largest) > 1:
            return need
        return max(largest, workflow.vram_gb)

    def _burst(self, workflow: Workflow, size: Size, vram: int) -> int:
        """How many jobs, no larger than this, ran out of memory on cards this large."""
        return sum(size.holds(burst) for burst in self._sizes(workflow, vram))

    def _sizes(self, workflow: Workflow, vram: int) -> list[Size]:
        if workflow.pk not in self._known:
            rows = RenderAttempt.objects.filter(cause=Cause.MEMORY, worker__vram_gb__gte=vram, job__workflow=workflow)
            jobs = dict(rows.order_by("-finished_at").values_list("job", "job__params")[:AT_ONCE])
            self._known[workflow.pk] = [size_of(workflow, params) for params in jobs.values()]
        return self._known[workflow.pk]


def _size(row: Experience) -> Size:
    return Size(row.width, row.height, row.frames)


def known_of(workflows: Iterable[int]) -> dict[int, list[Experience]]:
    """By workflow, in one query."""
    found: dict[int, list[Experience]] = {}
    for row in Experience.objects.filter(workflow__in=set(workflows)).order_by("pk"):
        found.setdefault(row.workflow_id, []).append(row)
    return found


def place(jobs: Sequence[RenderJob]) -> None:
    """Set what these jobs need (`vram_gb`, `capability`) and their estimate, by what is known; nothing is saved.

    One query; two more, and one for each workflow, where work ran out of memory.
    """
    from renders.services.estimates import seconds_of

    known, cards = known_of(job.workflow_id for job in jobs), Cards()
    for job in jobs:
        rows = known.get(job.workflow_id, [])
        size = size_of(job.workflow, job.params)
        job.vram_gb = cards.bounded(need_of(job.workflow, size, rows), job.workflow, size)
        job.capability = class_for(job.vram_gb)
        job.estimate = seconds_of(size, rows, load=load_of(job.workflow, job.params))


def note_end(attempt: RenderAttempt, job: RenderJob, *, state: str, cause: str, error: str = "") -> None:
    """Learn from an attempt that ended, in the caller's transaction; what it says of waiting jobs follows on commit."""
    worker = attempt.worker
    if worker is None:
        return
    counted = {JobState.SUCCEEDED: "succeeded"}.get(JobState(state), "")
    if state == JobState.FAILED:
        counted = {str(Cause.MEMORY): "out_of_memory", str(Cause.ENGINE): "failed"}.get(str(cause), "")
    if not counted:
        return
    seconds = _seconds(attempt, job) / load_of(job.workflow, job.params) if counted == "succeeded" else 0.0
    new = _count(attempt, job, counted, seconds)
    if cause == Cause.ENGINE:
        blocks.count_failure(worker=worker, workflow=job.workflow, error=error)
    news = counted == "out_of_memory" or (counted == "succeeded" and new and worker.vram_gb < job.workflow.vram_gb)
    if news:
        transaction.on_commit(lambda: place_waiting(workflow=job.workflow), robust=True)


def _count(attempt: RenderAttempt, job: RenderJob, counted: str, seconds: float) -> bool:
    """Add one to what is known; True when this is the first of its kind."""
    worker = attempt.worker
    assert worker is not None  # the caller looked
    size = size_of(job.workflow, job.params)
    row, _new = Experience.objects.get_or_create(
        workflow=job.workflow,
        width=size.width,
        height=size.height,
        frames=size.frames,
        gpu=str(worker.gpu.get("gpu", ""))[:160],
        vram_gb=worker.vram_gb,
    )
    Experience.objects.filter(pk=row.pk).update(
        **{counted: F(counted) + 1}, seconds=F("seconds") + seconds, updated_at=timezone.now()
    )
    return not getattr(row, counted)


def _seconds(attempt: RenderAttempt, job: RenderJob) -> float:
    """On the server, as it says itself; else from the attempt's start to its end."""
    said = (job.version.provenance if job.version else {}).get("server_seconds")
    if isinstance(said, int | float) and said > 0:
        return float(said)
    times = RenderAttempt.objects.values_list("started_at", "finished_at").get(pk=attempt.pk)
    return (times[1] - times[0]).total_seconds() if times[0] and times[1] else 0.0


def place_waiting(*, workflow: Workflow) -> int:
    """Correct what the waiting jobs of this workflow need after something was learned; returns how many changed.

    A job that went to a larger card after it ran out of memory stays there.
    """
    rows, cards = list(Experience.objects.filter(workflow=workflow)), Cards()
    changed, last = 0, None
    while True:
        with transaction.atomic():
            waiting = RenderJob.objects.filter(Q(pk__gt=last) if last else Q(), workflow=workflow)
            waiting = waiting.filter(state=JobState.QUEUED).order_by("pk")
            jobs = list(waiting.select_for_update(skip_locked=can_skip(), of=of_self())[:AT_ONCE])
            moved = []
            for job in jobs:
                size = size_of(workflow, job.params)
                need = cards.bounded(need_of(workflow, size, rows), workflow, size)
                if need != job.vram_gb and not job.params.get("after_out_of_memory"):
                    job.vram_gb, job.capability = need, class_for(need)
                    moved.append(job)
            RenderJob.objects.bulk_update(moved, ["vram_gb", "capability"])
        changed += len(moved)
        if len(jobs) < AT_ONCE:
            return changed
        last = jobs[-1].pk


def forget(*, workflow: Workflow, actor: Any, tab: str = "") -> int:
    """Forget what was learned of a workflow: its jobs are placed by what it declares until more is known.

    Returns how many kinds of work were known; NotFound when none was. What waits is placed anew on commit.
    """
    params = {"label": workflow.key, "workflow": workflow.key}
    with recording(project=None, actor=actor, kind="workflow.forget", tab=tab, undoable=False, params=params):
        # Its lacks of memory stop counting too: `Cards` would take the next one for the second.
        RenderAttempt.objects.filter(job__workflow=workflow, cause=Cause.MEMORY).update(cause="")
        count, _of_each = Experience.objects.filter(workflow=workflow).delete()
        if not count:
            raise NotFound(_("Nothing was learned of %(workflow)s yet.") % {"workflow": workflow.key})
        transaction.on_commit(lambda: place_waiting(workflow=workflow), robust=True)
    return count
