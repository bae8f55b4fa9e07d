"""The pipeline at a glance: stages with counts, and the next thing to do."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from aipipeline.history.models import Action
from aipipeline.projects.models import Project
from assets.models import Character, Environment
from celery_workers.models import OPEN_STATES, LedgerTask
from renders.models import Version, VersionStatus
from renders.models.job import OPEN_STATES as OPEN_JOBS
from renders.models.job import RenderJob
from shots.models import Scenario, Scene, Shot
from timeline.services.movies import MovieState, movie_state


@dataclass(frozen=True)
class Stage:
    """One stage: `done` of `total`; `state` is todo, doing or done."""

    key: str
    label: str
    done: int
    total: int
    detail: str
    url: str

    @property
    def state(self) -> str:
        if self.total and self.done >= self.total:
            return "done"
        return "doing" if self.done else "todo"

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.total) if self.total else 0


@dataclass(frozen=True)
class NextStep:
    text: str
    label: str
    url: str


def overview_of(project: Project, actor: Any) -> dict[str, Any]:
    """Everything that the overview page shows, in a constant number of queries."""
    shots = Shot.objects.live().filter(project=project)
    totals = shots.aggregate(
        total=Count("pk"),
        locked=Count("pk", filter=Q(locked=True)),
        unseen=Count("pk", filter=Q(seen_by_person=False)),
    )
    total = totals["total"]
    versions = Version.objects.live().filter(project=project, shot__removed_at=None, shot__isnull=False)
    images = versions.filter(kind="previz").values("shot").distinct().count()
    approved = versions.filter(kind="previz", status=VersionStatus.APPROVED).values("shot").distinct().count()
    videos = versions.filter(kind="render").values("shot").distinct().count()
    movies = movie_state(project)
    scenario = Scenario.objects.live().filter(project=project).order_by("-created_at").first()
    counts = {
        "characters": Character.objects.live().filter(project=project).count(),
        "environments": Environment.objects.live().filter(project=project).count(),
        "scenes": Scene.objects.live().filter(project=project).count(),
        "shots": total,
        "unseen": totals["unseen"],
    }

    def url(name: str) -> str:
        return reverse(name, args=[project.code])

    stages = [
        Stage(
            "scenario",
            _("Scenario"),
            int(scenario is not None),
            1,
            scenario.title if scenario else "",
            url("shots:scenario"),
        ),
        Stage("breakdown", _("Shots"), total, total, _("%(n)s scenes") % {"n": counts["scenes"]}, url("shots:list")),
        Stage("confirm", _("Confirm"), totals["locked"], total, _("production tree"), url("shots:list")),
        Stage(
            "images",
            _("First images"),
            images,
            total,
            _("%(n)s approved") % {"n": approved},
            url("renders:storyboard"),
        ),
        Stage(
            "proxy",
            _("Proxy edit"),
            int(movies.preview_current),
            1,
            _("stale") if movies.proxy and not movies.preview_current else "",
            url("timeline:edit"),
        ),
        Stage("videos", _("Shot videos"), videos, total, "", url("renders:storyboard")),
        Stage(
            "film",
            _("Film"),
            int(movies.film_current),
            1,
            _("stale") if movies.film and not movies.film_current else "",
            url("timeline:edit"),
        ),
    ]
    return {
        "stages": stages,
        "counts": counts,
        "next": _next_step(project, scenario, totals, images, approved, videos, movies),
        "movies": movies,
        "open_jobs": RenderJob.objects.filter(project=project, state__in=OPEN_JOBS).count(),
        "open_tasks": list(LedgerTask.objects.filter(project=project, state__in=OPEN_STATES)[:5]),
        "actions": list(Action.objects.filter(project=project).select_related("actor").order_by("-sequence")[:8]),
        "unseen_shots": list(shots.filter(seen_by_person=False).order_by("position")[:12]),
    }


def _next_step(
    project: Project,
    scenario: Any,
    totals: dict[str, int],
    images: int,
    approved: int,
    videos: int,
    movies: MovieState,
) -> NextStep:
    def url(name: str) -> str:
        return reverse(name, args=[project.code])

    total = totals["total"]
    if not total and scenario is None:
        return NextStep(_("Paste a scenario to begin."), _("To the scenario"), url("shots:scenario"))
    if not total:
        return NextStep(_("The breakdown waits as a draft."), _("Check and apply it"), url("shots:scenario"))
    if totals["locked"] < total:
        return NextStep(
            _("Confirm the shot list to build the production tree."), _("To the shot list"), url("shots:list")
        )
    if images < total:
        return NextStep(
            _("%(n)s shots have no first image yet.") % {"n": total - images},
            _("Generate first images"),
            url("renders:storyboard"),
        )
    if approved < total:
        return NextStep(
            _("%(n)s first images wait for a review.") % {"n": total - approved},
            _("Review"),
            url("renders:storyboard"),
        )
    if not movies.preview_current:
        return NextStep(_("Make the proxy and look at the rhythm."), _("To the timeline"), url("timeline:edit"))
    if videos < total:
        return NextStep(
            _("%(n)s shots have no video yet.") % {"n": total - videos},
            _("Render shot videos"),
            url("renders:storyboard"),
        )
    if not movies.film_current:
        return NextStep(_("Assemble the film."), _("To the timeline"), url("timeline:edit"))
    return NextStep(_("The film is ready."), _("Watch and download"), url("timeline:edit"))
