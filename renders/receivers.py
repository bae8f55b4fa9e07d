"""What follows when jobs end and versions appear: the shots' steps, approvals made by the machine, live pages."""

import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.signals import changed
from aipipeline.notes.models import Note
from aipipeline.projects.errors import Conflict
from aipipeline.projects.models import Project
from assets.naming import path_key
from renders.models import JobState, RenderJob, RenderPreset, Verdict, Version, VersionKind, VersionState
from renders.models.job import OPEN_STATES
from renders.services.owners import touch_owners
from renders.services.pointers import mark_owners_stale
from renders.services.reviews import review_version
from renders.services.waiting import look_again
from renders.signals import job_ended, version_published, version_reviewed
from shots.models import Folder
from shots.models.step import KIND_OF_STEP
from shots.services.steps import finish_step
from shots.services.tree.metadata import mark_stale
from shots.signals import folder_moved, folders_moving

SEAM_SECONDS = 5


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
    """The owner's metadata file lists its versions, and its pointers name the latest. Publishing gives the owner its
    folder: until then the project's own file told of it."""
    mark_owners_stale([version])
    mark_stale(version.project_id, "config", [version.project_id])


@receiver(version_published, dispatch_uid="renders.measure_seams")
def measure_seams(version: Version, **_kwargs: Any) -> None:
    """A new clip has new seams. Told to a worker once it is committed; one that is lost, the schedule makes up for."""
    if version.shot_id is not None and version.kind == VersionKind.RENDER:
        transaction.on_commit(partial(_send_seams, version.project_id), robust=True)


def _send_seams(project_id: int) -> None:
    from renders.tasks import measure_seams as task

    # Clips of a batch come one after another: of those within seconds one measures for all.
    if cache.add(f"seams-sent:{project_id}", 1, timeout=SEAM_SECONDS):
        task.apply_async(args=(project_id,), countdown=SEAM_SECONDS, expires=600, retry=False)


@receiver(version_reviewed, dispatch_uid="renders.refresh_reviews")
def refresh_reviews(version: Version, **_kwargs: Any) -> None:
    """What people say of a version stands with it in the owner's file, and a pointer names the approved one."""
    mark_owners_stale([version])


@receiver(version_reviewed, dispatch_uid="renders.let_go_waiting")
def let_go_waiting(version: Version, **_kwargs: Any) -> None:
    """Jobs may wait for what another made to be approved."""
    # Those that made other versions too: a newer one that is approved does for an older one.
    same = Q(kind=version.kind, **{name: getattr(version, f"{name}_id") for name in _OWNERS}) | Q(version=version)
    look_again(after=RenderJob.objects.filter(same, before__state=JobState.QUEUED).distinct())


@receiver(changed, sender=Note, dispatch_uid="renders.mark_noted")
def mark_noted(instances: list[Note], **_kwargs: Any) -> None:
    """Notes on versions stand in the file of the version's owner."""
    label = Version._meta.label_lower
    ids = [int(note.target_id) for note in instances if note.target_model == label]
    mark_owners_stale(Version.objects.filter(pk__in=ids))


@receiver(changed, sender=RenderPreset, dispatch_uid="renders.mark_presets")
def mark_presets(instances: list[RenderPreset], **_kwargs: Any) -> None:
    """Render presets stand in the project's file."""
    for project_id in {preset.project_id for preset in instances}:
        mark_stale(project_id, "config", [project_id])


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


# What somebody began to publish and has not ended by then was left by a death.
PUBLISHING_MINUTES = 60
PORTION = 500
_OWNERS = ("shot", "character", "environment")


@receiver(folders_moving, dispatch_uid="renders.refuse_busy_folders")
def refuse_busy_folders(project: Project, folders: list[Folder], **_kwargs: Any) -> None:
    """Nothing moves under a job or a publisher."""
    whose = Q()
    for kind in _OWNERS:
        whose |= Q(**{f"{kind}__in": [getattr(row, f"{kind}_id") for row in folders if row.kind == kind]})
    begun = timezone.now() - timedelta(minutes=PUBLISHING_MINUTES)
    reserved = Version.objects.filter(whose, project=project, state=VersionState.RESERVED, created_at__gt=begun)
    busy: set[str] = set()
    for rows in (RenderJob.objects.open().filter(whose, project=project), reserved):
        busy.update(str(row.owner) for row in rows.select_related(*_OWNERS))
    for row in folders:
        if row.kind in _OWNERS and _staged(project, row):
            busy.add(str(getattr(row, row.kind)))
    if busy:
        names = ", ".join(sorted(busy)[:5]) + ("…" if len(busy) > 5 else "")
        text = _(
            "Nothing was moved: jobs run, or versions are being published, for %(names)s. Wait for them or cancel."
        )
        raise Conflict(text % {"names": names}, details={"busy": sorted(busy)})


def _staged(project: Project, folder: Folder) -> bool:
    """True while somebody writes a version aside in this folder."""
    oldest = time.time() - PUBLISHING_MINUTES * 60
    base = project.root / folder.path
    found = (path for depth in ("", "*/", "*/*/") for path in base.glob(f"{depth}.tmp-*"))
    return any(_there(path) > oldest for path in found)


@receiver(folder_moved, dispatch_uid="renders.follow_folder")
def follow_folder(folder: Folder, before: str, after: str, **_kwargs: Any) -> None:
    """Versions are where the folder that they lie in went, whosever they are: of an installation from before folders
    were registered, another row's may lie in it. What leads to another row's folder has stayed."""
    key = f"{path_key(before)}/"
    others = Folder.objects.filter(project=folder.project_id, key__startswith=key).exclude(pk=folder.pk)
    stayed = {name.removeprefix(key).partition("/")[0] for name in others.values_list("key", flat=True)}
    moved = []
    below = Version.objects.filter(project=folder.project_id, path__startswith=f"{before}/")
    for version in below.only("path", "project", *_OWNERS).iterator(PORTION):
        rest = version.path.removeprefix(f"{before}/")
        if rest != version.path and path_key(rest.partition("/")[0]) not in stayed:
            version.path = f"{after}/{rest}"
            moved.append(version)
    Version.objects.bulk_update(moved, ["path"], batch_size=PORTION)
    mark_owners_stale(moved)


def _there(path: Path) -> float:
    """When it was written last; 0 for what has gone since it was listed."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0
