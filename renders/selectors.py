"""Reads of versions and jobs for pages: in bulk, a constant number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from renders.models import JobState, RenderJob, Version, VersionStatus, Worker, WorkerState
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


def unserved(jobs: "QuerySet[RenderJob]") -> str:
    """Why waiting jobs cannot start with the workers that there are, with the remedy; "" when each can."""
    needs = jobs.filter(state=JobState.QUEUED).order_by().values_list("workflow__backend", "vram_gb").distinct()
    workers = list(Worker.objects.filter(state=WorkerState.ONLINE))
    for backend, vram in needs:
        able = [worker for worker in workers if backend in worker.backends]
        if not able and backend == "comfyui":
            return _(
                "No worker drives a ComfyUI server. Set COMFYUI_URLS, or start ./aip worker --comfy URL --vram GB."
            )
        if not able:
            return _("No worker for the engine %(engine)s is online.") % {"engine": backend}
        if all(worker.error for worker in able):
            return able[0].error
        largest = max(worker.vram_gb for worker in able if not worker.error)
        if largest < vram:
            text = _("The work needs a GPU with %(need)d GB; the largest one online has %(largest)d GB.")
            return text % {"need": vram, "largest": largest}
    return ""
