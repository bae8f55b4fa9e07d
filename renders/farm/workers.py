"""Workers as the farm page shows them: what each is, does, refuses and has done today."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from aipipeline.projects.models import Project
from renders.models import JobState, RenderAttempt, Worker, WorkerBlock, WorkerFit, WorkerState, Workflow
from renders.models.job import HELD_STATES
from renders.previews import preview_numbers


@dataclass(frozen=True)
class Current:
    """What a worker does now. `attempt` is None where it works for a project that the reader may not see."""

    attempt: RenderAttempt | None
    preview: int = 0


@dataclass(frozen=True)
class WorkerCard:
    """Memory in bytes, None where the server did not say or does not answer: nothing is invented."""

    worker: Worker
    current: Sequence[Current] = ()
    loaded: Sequence[str] = ()
    blocks: Sequence[WorkerBlock] = ()
    misfits: int = 0
    done: int = 0
    failed: int = 0
    used: int | None = None
    total: int | None = None

    @property
    def tone(self) -> str:
        """The state's colour, by the names of the chips."""
        if self.worker.state == WorkerState.OFFLINE:
            return "draft"
        if self.worker.error:
            return "failed"
        if self.worker.state == WorkerState.DRAINING:
            return "review"
        return "running" if self.current else "approved"

    @property
    def share(self) -> float | None:
        return self.used / self.total if self.used is not None and self.total else None

    @property
    def offline(self) -> bool:
        return self.worker.state == WorkerState.OFFLINE


@dataclass
class _Facts:
    """What is known of all workers, by worker id."""

    current: dict[int, list[RenderAttempt]] = field(default_factory=dict)
    blocks: dict[int, list[WorkerBlock]] = field(default_factory=dict)
    ended: Counter[tuple[int, str]] = field(default_factory=Counter)


def worker_cards(actor: Any) -> list[WorkerCard]:
    """Every worker, those in trouble first, then those that work, then by name; six queries."""
    workers = list(
        Worker.objects.defer("schema").annotate(misfits=Count("fits", filter=Q(fits__fits=False))).order_by("name")
    )
    facts = _facts()
    visible = set(Project.objects.visible_to(actor).values_list("pk", flat=True))
    previews = preview_numbers(a.job_id for attempts in facts.current.values() for a in attempts)
    titles = _titles({worker.loaded for worker in workers if worker.loaded})
    cards = [
        WorkerCard(
            worker=worker,
            current=[
                Current(attempt, previews.get(str(attempt.job_id), 0))
                if attempt.job.project_id in visible
                else Current(None)
                for attempt in facts.current.get(worker.pk, [])
            ],
            loaded=titles.get(worker.loaded, []) if worker.loaded else [],
            blocks=facts.blocks.get(worker.pk, []),
            misfits=worker.misfits,
            done=facts.ended[worker.pk, JobState.SUCCEEDED],
            failed=facts.ended[worker.pk, JobState.FAILED],
            **_memory(worker),
        )
        for worker in workers
    ]
    return sorted(cards, key=lambda card: (card.offline, not card.worker.error, not card.current, card.worker.name))


def _memory(worker: Worker) -> dict[str, int | None]:
    """Only what the server says now: an old figure of a silent server would be an invented one."""
    total, free = worker.gpu.get("vram_total"), worker.gpu.get("vram_free")
    if worker.error or worker.state == WorkerState.OFFLINE or not isinstance(total, int):
        return {"used": None, "total": None}
    return {"total": total, "used": max(0, total - free) if isinstance(free, int) else None}


def _facts() -> _Facts:
    facts = _Facts()
    held = RenderAttempt.objects.filter(state__in=HELD_STATES, worker__isnull=False).defer("log", "saved")
    related = ("job__shot", "job__character", "job__environment", "job__workflow", "job__project")
    for attempt in held.select_related(*related).order_by("created_at"):
        assert attempt.worker_id is not None  # filtered
        facts.current.setdefault(attempt.worker_id, []).append(attempt)
    for block in WorkerBlock.objects.select_related("workflow").order_by("since"):
        facts.blocks.setdefault(block.worker_id, []).append(block)
    since = RenderAttempt.objects.filter(finished_at__gte=Now() - timedelta(hours=24), worker__isnull=False)
    for worker, state, count in since.order_by().values_list("worker", "state").annotate(n=Count("pk")):
        facts.ended[worker, state] = count
    return facts


def _titles(keys: set[str]) -> dict[str, list[str]]:
    """Which workflows load these models, by the models' key."""
    found: dict[str, list[str]] = {}
    for key, title in Workflow.objects.filter(model_key__in=keys).order_by("title").values_list("model_key", "title"):
        found.setdefault(key, []).append(_(title))
    return found


def misfits_of(worker: Worker) -> list[WorkerFit]:
    """The workflows that this worker's server cannot do, with the reasons."""
    return list(worker.fits.filter(fits=False).select_related("workflow").order_by("workflow__title"))
