"""What follows when jobs end and versions appear: the shots' steps, approvals made by the machine, live pages."""

from typing import Any

from django.dispatch import receiver

from aipipeline.events import publish
from aipipeline.projects.errors import Conflict
from renders.models import JobState, RenderJob, Verdict, Version
from renders.models.job import OPEN_STATES
from renders.services.owners import touch_owners
from renders.services.pointers import mark_owners_stale
from renders.services.reviews import review_version
from renders.signals import job_ended, version_published
from shots.models.step import KIND_OF_STEP
from shots.services.steps import finish_step


@receiver(version_published, dispatch_uid="renders.tell_pages")
def tell_pages(version: Version, job: RenderJob | None, **_kwargs: Any) -> None:
    touch_owners([version])
    publish(
        f"project:{version.project_id}",
        "version.changed",
        ids=[version.pk],
        shots=[version.shot_id] if version.shot_id else [],
    )


@receiver(version_published, dispatch_uid="renders.refresh_metadata")
def refresh_metadata(version: Version, **_kwargs: Any) -> None:
    """The owner's metadata file lists its versions, and its pointers name the latest."""
    mark_owners_stale([version])


@receiver(job_ended, dispatch_uid="renders.move_step")
def move_step(job: RenderJob, **_kwargs: Any) -> None:
    """Only the last running job of a step moves it; succeeded when any job of the step made a version."""
    if job.shot is None:
        return
    others = RenderJob.objects.filter(shot=job.shot, step=job.step, state__in=OPEN_STATES).exclude(pk=job.pk)
    if others.exists():
        return
    made = Version.objects.live().filter(shot=job.shot, kind=KIND_OF_STEP.get(job.step, job.kind)).exists()
    finish_step(shot=job.shot, step=job.step, succeeded=job.state == JobState.SUCCEEDED or made)


@receiver(job_ended, dispatch_uid="renders.auto_approve")
def auto_approve(job: RenderJob, **_kwargs: Any) -> None:
    """Jobs of the automatic run approve what they made, marked as such, unless a person decided before."""
    if job.auto_approve and job.state == JobState.SUCCEEDED and job.version is not None:
        try:
            review_version(version=job.version, actor=None, verdict=Verdict.APPROVE, auto=True)
        except Conflict:
            return
