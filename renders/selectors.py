"""Reads of versions and jobs for pages: in bulk, a constant number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from renders.models import RenderJob, Version, VersionStatus
from renders.models.job import OPEN_STATES
from shots.models import Shot
from shots.selectors import shots_of

PICTURE_KINDS = ("previz", "render", "comp", "final", "playblast")


def newest_by_shot(shots: Iterable[Shot], kind: str) -> dict[int, Version]:
    """By shot: the approved version of this kind, else the newest that is not rejected. One query."""
    found: dict[int, Version] = {}
    versions = (
        Version.objects.live()
        .filter(shot__in=[shot.pk for shot in shots], kind=kind)
        .exclude(status=VersionStatus.REJECTED)
        .order_by("number")
    )
    for version in versions:
        assert version.shot_id is not None  # filtered by shot
        held = found.get(version.shot_id)
        if held is None or version.status == VersionStatus.APPROVED or held.status != VersionStatus.APPROVED:
            found[version.shot_id] = version
    return found


@dataclass(frozen=True)
class Current:
    """The version of a kind that counts for a shot."""

    pk: int
    number: int
    code: str
    approved: bool


def current_by_shot(shots: Iterable[int], kinds: Iterable[str]) -> dict[tuple[int, str], Current]:
    """By shot and kind, what `newest_by_shot` would take, without its provenance. One query."""
    found: dict[tuple[int, str], Current] = {}
    rows = Version.objects.live().filter(shot__in=shots, kind__in=kinds).exclude(status=VersionStatus.REJECTED)
    names = ("shot_id", "kind", "pk", "number", "status", "shot__code")
    for shot, kind, pk, number, status, code in rows.order_by("number").values_list(*names):
        approved = status == VersionStatus.APPROVED
        held = found.get((shot, kind))
        if approved or held is None or not held.approved:
            found[shot, kind] = Current(pk, number, code, approved)
    return found


def links_of(projects: Iterable[int]) -> dict[int, int]:
    """By version, the version of whose clip a frame is its first image: the links of continuity chains. One query."""
    rows = Version.objects.live().filter(project__in=projects, follows__frames__isnull=False)
    return dict(rows.values_list("pk", "follows_id"))


@dataclass(frozen=True)
class _Source:
    """The version that another one's first image is, or is a frame of."""

    pk: int
    shot: int
    kind: str
    number: int
    code: str
    clip: bool


def _sources(projects: Iterable[int], wanted: Iterable[int]) -> dict[int, _Source]:
    """By version, what it begins with: of these, and of all links of chains, with what is at their beginnings."""
    chain = Q(follows__frames__isnull=False) | Exists(Version.objects.live().filter(follows=OuterRef("pk")))
    rows = Version.objects.live().filter(
        Q(pk__in=wanted) | chain, project__in=projects, follows__shot__isnull=False
    )  # fmt: skip
    names = ("follows__shot", "follows__kind", "follows__number", "follows__shot__code", "follows__frames")
    return {
        pk: _Source(source, shot, kind, number, code, frames is not None)
        for pk, source, shot, kind, number, code, frames in rows.values_list("pk", "follows_id", *names)
    }


def stale_reasons(versions: Iterable[Version]) -> dict[int, str]:
    """Why versions are out of date, in words, by id; those that are not are left out. At most two queries.

    A link of a chain is, when the clip that its first image was taken from is not the current one of its shot any
    more (a newer one was made, another one approved), or is out of date itself. A clip whose first image is a still
    is, when a newer one was approved: one that nobody has approved yet puts nothing out of date.
    """
    rows = list(versions)
    wanted = {row.pk for row in rows}
    sources = _sources({row.project_id for row in rows}, wanted) if rows else {}
    if not wanted & sources.keys():
        return {}
    current = current_by_shot({s.shot for s in sources.values()}, {s.kind for s in sources.values()})
    reasons: dict[int, str] = {}
    # A version is made after the one that it was made from: by number of row, the reasons of links before are there.
    for pk in sorted(sources):
        source = sources[pk]
        now = current.get((source.shot, source.kind))
        facts = {"shot": source.code, "used": f"v{source.number:03d}", "now": f"v{now.number:03d}" if now else "–"}
        if not source.clip:
            if now is not None and now.approved and now.number > source.number:
                text = _("Made from %(used)s of the first image of %(shot)s; %(now)s is approved.")
                reasons[pk] = text % facts
        elif now is None or now.pk != source.pk:
            reasons[pk] = _("Its first image is from %(used)s of %(shot)s, where %(now)s counts now.") % facts
        elif source.pk in reasons:
            reasons[pk] = _("Its first image is from %(used)s of %(shot)s, which is out of date itself.") % facts
    return {pk: reasons[pk] for pk in wanted if pk in reasons}


def thumbnails(shots: Iterable[Shot]) -> dict[int, int]:
    """By shot: the version whose picture stands for it in lists."""
    return {shot_id: version.pk for shot_id, version in newest_by_shot(shots, "previz").items()}


def open_jobs_by_shot(shots: Iterable[Shot]) -> dict[int, RenderJob]:
    jobs = RenderJob.objects.filter(shot__in=[shot.pk for shot in shots], state__in=OPEN_STATES)
    return {job.shot_id: job for job in jobs.order_by("created_at") if job.shot_id}


@dataclass(frozen=True)
class Panel:
    """One shot of the storyboard."""

    shot: Shot
    image: Version | None
    video: Version | None
    job: RenderJob | None


def storyboard_of(project: Project, actor: Any) -> list[Panel]:
    shots = list(shots_of(project, actor))
    images, videos = newest_by_shot(shots, "previz"), newest_by_shot(shots, "render")
    jobs = open_jobs_by_shot(shots)
    return [Panel(s, images.get(s.pk), videos.get(s.pk), jobs.get(s.pk)) for s in shots]


def version_for(actor: Any, version_id: int) -> Version:
    """One published version of a project that the actor may see."""
    version: Version | None = (
        Version.objects.live()
        .filter(pk=version_id)
        .visible_to(actor)
        .select_related("project", "shot__project", "shot__scene", "character", "environment")
        .first()
    )
    if version is None:
        raise NotFound(_("There is no such version, or you are not a member of its project."))
    return version


def job_for(actor: Any, job_id: UUID) -> RenderJob:
    job: RenderJob | None = (
        RenderJob.objects.visible_to(actor)
        .filter(pk=job_id)
        .select_related("project", "shot", "workflow", "requested_by", "version", "character", "environment")
        .first()
    )
    if job is None:
        raise NotFound(_("There is no such job, or you are not a member of its project."))
    return job


def jobs_visible_to(actor: Any) -> "QuerySet[RenderJob]":
    return (
        RenderJob.objects.visible_to(actor)
        .select_related("project", "shot", "character", "environment", "workflow", "requested_by", "version")
        .order_by("-created_at")
    )
