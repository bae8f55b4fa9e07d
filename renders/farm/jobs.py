"""The job list: one page of jobs, each with its worker, its preview and why it waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Prefetch, QuerySet
from django.utils.translation import gettext as _

from aipipeline.projects.models import Project, User
from renders.farm.filters import OPEN, JobFilter
from renders.farm.waiting import Why, why_waiting
from renders.models import JobState, RenderAttempt, RenderBatch, RenderJob, Worker, Workflow
from renders.models.job import HELD_STATES, OPEN_STATES
from renders.previews import preview_numbers
from renders.selectors import jobs_visible_to

PER_PAGE = 50


@dataclass(frozen=True)
class JobRow:
    """`attempt`: the newest try, None before the first. `preview`: the number of its picture, 0 without one."""

    job: RenderJob
    attempt: RenderAttempt | None
    preview: int
    why: Why | None

    @property
    def worker(self) -> Worker | None:
        return self.attempt.worker if self.attempt else None

    @property
    def open(self) -> bool:
        return self.job.state in OPEN_STATES

    @property
    def held(self) -> bool:
        return self.job.state in HELD_STATES


def job_rows(jobs: Sequence[RenderJob]) -> list[JobRow]:
    """Rows for these jobs; they come with `attempts_seen` (see `with_attempts`) and their relations."""
    previews = preview_numbers(job.pk for job in jobs if job.state in HELD_STATES)
    why = why_waiting(jobs)
    return [
        JobRow(
            job=job,
            attempt=next(iter(job.attempts_seen), None),  # type: ignore[attr-defined]
            preview=previews.get(str(job.pk), 0),
            why=why.get(job.pk),
        )
        for job in jobs
    ]


def with_attempts(jobs: "QuerySet[RenderJob]") -> "QuerySet[RenderJob]":
    """The jobs with their tries, newest first, in one more query; logs stay in the database."""
    tries = RenderAttempt.objects.select_related("worker").defer("log", "saved").order_by("-number")
    return jobs.prefetch_related(Prefetch("attempts", queryset=tries, to_attr="attempts_seen"))


def jobs_in(actor: Any, project: Project | None) -> "QuerySet[RenderJob]":
    """The jobs that a farm page is about: of one project, or of all that the actor sees."""
    jobs = jobs_visible_to(actor)
    return jobs.filter(project=project) if project is not None else jobs


def job_page(jobs: "QuerySet[RenderJob]", chosen: JobFilter, number: str | None) -> tuple[Page[Any], list[JobRow]]:
    found = chosen.ordered(chosen.applied(jobs))
    page = Paginator(found, PER_PAGE).get_page(number)
    page.object_list = with_attempts(page.object_list)  # type: ignore[arg-type]
    rows = list(page.object_list)
    return page, job_rows(rows)


def state_counts(jobs: "QuerySet[RenderJob]", chosen: JobFilter) -> list[tuple[str, Any, int]]:
    """(state, its name, how many) with "open" first: what the other filters leave."""
    found = chosen.applied(jobs, states=False).order_by().values_list("state").annotate(n=Count("pk"))
    counts: dict[str, int] = dict(found)
    return [
        (OPEN, _("Open"), sum(counts.get(state, 0) for state in OPEN_STATES)),
        *((value, label, counts.get(value, 0)) for value, label in JobState.choices),
    ]


def filter_choices(jobs: "QuerySet[RenderJob]", project: Project | None, actor: Any) -> dict[str, list[Any]]:
    """What the filters offer: only what has jobs. Four queries."""
    plain = jobs.order_by()
    people = User.objects.filter(pk__in=plain.values("requested_by")).order_by("display_name", "username")
    workflows = Workflow.objects.filter(pk__in=plain.values("workflow")).order_by("title")
    projects = Project.objects.visible_to(actor).only("id", "code") if project is None else []
    return {
        "people": list(people),
        "workflows": list(workflows.only("key", "title")),
        "projects": list(projects),
        "machines": list(Worker.objects.only("id", "name").order_by("name")),
    }


def batch_named(actor: Any, chosen: JobFilter) -> RenderBatch | None:
    """The batch that the list is narrowed to, when the actor may see it."""
    if chosen.batch is None:
        return None
    visible = Project.objects.visible_to(actor)
    return RenderBatch.objects.filter(pk=chosen.batch, project__in=visible).first()
