"""Publishing a version: reserve a number, write aside, seal, mark. A crash leaves nothing, or a whole version.

A folder that was sealed but not yet marked is found by its reserved row: by the job's next try, or by recovery
(`renders.services.recovery`). Whoever comes first marks it; the others see that it is done.
"""

import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from aipipeline.media.storage import storage_errors
from renders.models import JobState, RenderAttempt, RenderJob, Version, VersionState
from renders.services.numbering import Owner, PublishError, give_up, lock_job, reserve
from renders.services.sealing import MANIFEST, discard, facts_of, safe_file_name, seal, sealed_facts, stage
from renders.signals import version_published

__all__ = ["PublishError", "mark_published", "publish_attempt", "publish_files"]


def mark_published(version: Version, facts: Mapping[str, Any], *, job: RenderJob | None = None) -> bool:
    """Make the version visible and tell everybody, once: False when somebody else did it before.

    Inside the caller's transaction. A number that was given up is taken up again: its folder turned out whole.
    """
    mine = Version.objects.filter(pk=version.pk, state__in=(VersionState.RESERVED, VersionState.DEAD)).update(
        state=VersionState.PUBLISHED,
        manifest=facts["files"],
        provenance=facts["provenance"],
        width=facts.get("width"),
        height=facts.get("height"),
        frames=facts.get("frames"),
        fps=facts.get("fps") or "",
        follows=_followed(version, facts["provenance"]),
        published_at=Now(),
    )
    version.refresh_from_db()
    if mine:
        version_published.send(sender=Version, version=version, job=job)
    return bool(mine)


def _followed(version: Version, provenance: Any) -> int | None:
    """The version that was the first image, or whose clip gave a frame for it: the link before in a chain."""
    inputs = provenance.get("inputs") if isinstance(provenance, Mapping) else None
    link = inputs.get("first_image") if isinstance(inputs, Mapping) else None
    named = link.get("version") if isinstance(link, Mapping) else link
    if not isinstance(named, int) or isinstance(named, bool):
        return None
    rows = Version.objects.filter(pk=named, project=version.project_id).exclude(pk=version.pk)
    found: int | None = rows.values_list("pk", flat=True).first()
    return found


def publish_attempt(attempt: RenderAttempt, facts: Mapping[str, Any]) -> bool:
    """Mark the version and the job in one step; False when the attempt was reaped: then nothing changes."""
    from renders.services.experience import note_end
    from renders.services.queue import end_job

    with transaction.atomic():
        mine = RenderAttempt.objects.filter(pk=attempt.pk, state=JobState.PUBLISHING).update(
            state=JobState.SUCCEEDED, finished_at=Now()
        )
        if not mine:
            return False
        job = lock_job(attempt.job_id)
        assert job.version is not None  # reserved before the first try wrote anything
        mark_published(job.version, facts, job=job)
        end_job(job, JobState.SUCCEEDED)
        note_end(attempt, job, state=JobState.SUCCEEDED, cause="")
    return True


def publish_files(
    *,
    owner: Owner,
    kind: str,
    files: Mapping[str, Path | BinaryIO],
    actor: Any,
    comment: str = "",
    provenance: Mapping[str, Any] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Version:
    """Publish files that a person or a program made (an upload, a drop), the main one first: copied, sealed, marked.

    `files`: by the name that its maker gave it, which may be anything; paths, or files that are open. `check` is
    called once all are copied and may raise: then nothing is published.
    """
    if not files:
        raise PublishError(_("There are no files to publish."))
    staged = stage(owner, kind, uuid.uuid4().hex)
    version = None
    try:
        written, taken = [], {MANIFEST}
        for name, source in files.items():
            target = staged.folder / safe_file_name(name, taken)
            with storage_errors(owner.project.root):
                _copy(source, target)
            written.append(target)
        check()
        facts_of(written[0])
        version = reserve(owner, kind, created_by=actor, comment=comment)
        seal(version, staged, written, {"engine": "upload", **(provenance or {})}, original=next(iter(files)))
    except BaseException as error:
        discard(staged)
        if version is not None and isinstance(error, Exception):
            give_up(version, sealed=sealed_facts)
        raise
    facts = sealed_facts(version)
    if facts is None:
        raise PublishError(_("%(folder)s was changed while it was published.") % {"folder": version.path})
    with transaction.atomic():
        mark_published(version, facts)
    return version


def _copy(source: Path | BinaryIO, target: Path) -> None:
    if isinstance(source, Path):
        shutil.copyfile(source, target)
        return
    with open(target, "xb") as file:
        shutil.copyfileobj(source, file, 1024**2)
