"""The queue by class of card: how much waits, how much runs, who could do it, what is paused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _

from aipipeline.projects.models import Project
from renders.farm.workers import WorkerCard
from renders.models import Capability, JobState, Pause, PauseScope, RenderJob, WorkerState, Workflow
from renders.models.job import VRAM_OF
from shots.prompts import FAMILIES

ONE_GO = timedelta(seconds=10)


@dataclass(frozen=True)
class ClassRow:
    """`seconds`: how long what waits and runs will take on the workers there are; None while nobody knows."""

    key: str
    label: str
    waiting: int
    running: int
    workers: int
    seconds: float | None
    pause: Pause | None

    @property
    def stuck(self) -> bool:
        return bool(self.waiting and not self.workers and self.pause is None)


@dataclass(frozen=True)
class PauseRow:
    """A pause with the name of what it holds."""

    pause: Pause
    name: str


@dataclass(frozen=True)
class PauseGroup:
    """Pauses that somebody set in one go."""

    rows: list[PauseRow]

    @property
    def pause(self) -> Pause:
        return self.rows[0].pause

    @property
    def ids(self) -> str:
        return ",".join(str(row.pause.pk) for row in self.rows)


def pause_groups(rows: Sequence[PauseRow]) -> list[PauseGroup]:
    """The rows, which come by time, with those together that the same person set in the same moment, for the same."""
    found: list[PauseGroup] = []
    for row in rows:
        of = _said(row.pause)
        near = (group for group in reversed(found) if _said(group.pause) == of)
        group = next(near, None)
        if group is not None and row.pause.since - group.rows[-1].pause.since < ONE_GO:
            group.rows.append(row)
        else:
            found.append(PauseGroup([row]))
    return found


def _said(pause: Pause) -> tuple[object, ...]:
    return pause.scope, pause.reason, pause.actor_id, pause.until


def pausable() -> list[tuple[str, list[Workflow]]]:
    """Workflows that are offered, by the family of models that they load; one query."""
    found: dict[str, list[Workflow]] = {family: [] for family in (*FAMILIES, "") if family != "none"}
    for row in Workflow.objects.filter(enabled=True).only("id", "title", "family").order_by("title"):
        found[row.family if row.family in found else ""].append(row)
    names = {"edit": _("picture editing"), "": _("others")}
    return [(names.get(family, family.upper()), rows) for family, rows in found.items() if rows]


def class_rows(jobs: "QuerySet[RenderJob]", cards: Sequence[WorkerCard], pauses: Sequence[Pause]) -> list[ClassRow]:
    """A row for each class that has workers, jobs or a pause; one query."""
    found = (
        jobs.order_by()
        .filter(state__in=[JobState.QUEUED, JobState.LEASED, JobState.RUNNING, JobState.PUBLISHING])
        .values_list("capability", "state")
        .annotate(n=Count("pk"), known=Count("estimate"), total=Sum("estimate"))
    )
    waiting: dict[str, int] = {}
    running: dict[str, int] = {}
    known: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for capability, state, count, estimated, total in found:
        bucket = waiting if state == JobState.QUEUED else running
        bucket[capability] = bucket.get(capability, 0) + count
        known[capability] = known.get(capability, 0) + estimated
        seconds[capability] = seconds.get(capability, 0.0) + (total or 0.0)
    held = {pause.key: pause for pause in pauses if pause.scope == PauseScope.CAPABILITY}
    rows = []
    for key, label in Capability.choices:
        able = sum(_can_serve(card, key) for card in cards)
        count = waiting.get(key, 0) + running.get(key, 0)
        # Half of the jobs without an estimate would make the sum a guess about nothing.
        told = count and known[key] * 2 >= count
        whole = seconds[key] / known[key] * count / max(1, able) if told else None
        row = ClassRow(key, str(label), waiting.get(key, 0), running.get(key, 0), able, whole, held.get(key))
        if count or able or row.pause:
            rows.append(row)
    return rows


def _can_serve(card: WorkerCard, capability: str) -> bool:
    worker = card.worker
    if worker.state != WorkerState.ONLINE or worker.error:
        return False
    engine = "local" if capability == Capability.CPU else "comfyui"
    return engine in worker.backends and worker.vram_gb >= VRAM_OF[capability]


def pause_rows(pauses: Sequence[Pause], projects: dict[str, str]) -> list[PauseRow]:
    """Pauses that concern the reader, named; `projects`: their codes by id, as text. One query."""
    names = dict(Capability.choices)
    titles = {
        str(pk): title
        for pk, title in Workflow.objects.filter(
            pk__in=[int(p.key) for p in pauses if p.scope == PauseScope.WORKFLOW and p.key.isdecimal()]
        ).values_list("pk", "title")
    }
    rows = []
    for pause in pauses:
        if pause.scope == PauseScope.PROJECT:
            if pause.key not in projects:
                continue  # another project's business
            rows.append(PauseRow(pause, projects[pause.key]))
        elif pause.scope == PauseScope.WORKFLOW:
            rows.append(PauseRow(pause, _(titles.get(pause.key, pause.key))))
        else:
            rows.append(PauseRow(pause, str(names.get(Capability(pause.key), pause.key))))
    return rows


def all_pauses() -> list[Pause]:
    return list(Pause.objects.select_related("actor").order_by("since"))


def project_codes(projects: "QuerySet[Project]") -> dict[str, str]:
    return {str(pk): code for pk, code in projects.values_list("pk", "code")}
