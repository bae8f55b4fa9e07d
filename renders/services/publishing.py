"""Publishing a version: reserve a number, write aside, rename, mark. A crash leaves nothing, or a whole version.

The folder that a job or an upload writes into lies beside its final place, on the same filesystem. A folder
that was renamed but not yet marked is found by its reserved row and adopted at the next try.
"""

import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from aipipeline.media.files import fsync_dir, sha256_file, write_atomic
from aipipeline.media.probe import ProbeError, probe
from aipipeline.media.storage import storage_errors
from aipipeline.projects.errors import PipelineError
from assets.models import Character, Environment
from assets.naming import NamingTemplates
from renders.models import JobState, RenderAttempt, RenderJob, Version, VersionState
from renders.signals import version_published
from shots.models import Shot
from shots.services.tree.folders import context_of, ensure_folder, kind_of

log = structlog.get_logger(__name__)
Owner = Shot | Character | Environment
MANIFEST = "version.json"


class PublishError(PipelineError):
    """The files could not become a version; the message says why."""

    status = 422
    code = "publish_failed"


@dataclass(frozen=True)
class Staged:
    """Where results are written before they are published."""

    folder: Path
    owner_folder: Path


def version_path(owner: Owner, kind: str, number: int) -> PurePosixPath:
    """Where this version's folder belongs by the templates of today, relative to the project."""
    names = context_of(owner, kind=kind, version=number)
    return PurePosixPath(ensure_folder(owner).path) / NamingTemplates.of(owner.project.naming).version(names)


def kind_folder(owner: Owner, kind: str) -> Path:
    """The folder that holds the versions of a kind: new ones are written aside in it."""
    return owner.project.root / version_path(owner, kind, 1).parent


def stage(owner: Owner, kind: str, token: str) -> Staged:
    """An empty folder for the results of one attempt, beside where the version will be."""
    base = kind_folder(owner, kind)
    folder = base / f".tmp-{token}"
    with storage_errors(owner.project.root):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    return Staged(folder=folder, owner_folder=base)


def discard(staged: Staged) -> None:
    """Throw the temporary folder away."""
    shutil.rmtree(staged.folder, ignore_errors=True)


def discard_earlier(job: RenderJob, attempt: RenderAttempt) -> None:
    """Throw away what attempts of this job left that died while they wrote; they can no longer publish."""
    base = kind_folder(job.owner, job.kind)
    for token in RenderAttempt.objects.filter(job=job).exclude(pk=attempt.pk).values_list("pk", flat=True):
        shutil.rmtree(base / f".tmp-{token}", ignore_errors=True)


def reserve(owner: Owner, kind: str, *, created_by: Any = None, comment: str = "", auto: bool = False) -> Version:
    """The next number of this owner and kind, as a row that nobody sees yet."""
    field = kind_of(owner)
    with transaction.atomic():
        type(owner).objects.select_for_update().filter(pk=owner.pk).values_list("pk").first()
        newest = Version.objects.filter(**{field: owner}, kind=kind).aggregate(n=Max("number"))["n"]
        number = int(newest or 0) + 1
        while (owner.project.root / version_path(owner, kind, number)).exists():
            # A folder that no row knows (made by hand, or of a database that was put back): it is left alone.
            number += 1
        return Version.objects.create(
            project=owner.project,
            **{field: owner},
            kind=kind,
            number=number,
            path=str(version_path(owner, kind, number)),
            created_by=created_by if getattr(created_by, "pk", None) else None,
            comment=comment[:500],
            auto=auto,
        )


def reserve_for_job(job: RenderJob) -> Version:
    """The one version of this job: the same row at every try."""
    with transaction.atomic():
        row = RenderJob.objects.select_for_update(of=("self",) if _pg() else ()).get(pk=job.pk)
        if row.version is None:
            row.version = reserve(row.owner, row.kind, created_by=row.requested_by, auto=row.auto_approve)
            row.save(update_fields=["version"])
        job.version = row.version
    return job.version


def _pg() -> bool:
    from django.db import connection

    return bool(connection.features.has_select_for_update_of)


def seal(version: Version, staged: Staged, files: Sequence[Path], provenance: Mapping[str, Any]) -> None:
    """Checksum, write the manifest, flush, rename the folder to its place. StorageError when it cannot be written."""
    with storage_errors(version.project.root):
        _seal(version, staged, files, provenance)


def _seal(version: Version, staged: Staged, files: Sequence[Path], provenance: Mapping[str, Any]) -> None:
    manifest = [
        {
            "name": file.relative_to(staged.folder).as_posix(),
            "size": file.stat().st_size,
            "sha256": sha256_file(file),
        }
        for file in files
    ]
    facts = {
        "schema": 1,
        "version": version.pk,
        "kind": version.kind,
        "number": version.number,
        "files": manifest,
        "provenance": dict(provenance),
        **_facts_of(files[0]),
    }
    write_atomic(staged.folder / MANIFEST, json.dumps(facts, ensure_ascii=False, indent=1, default=str))
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    fsync_dir(staged.folder)
    if version.folder.exists():
        raise PublishError(
            _("%(folder)s exists already and is not ours; it is left as it is.") % {"folder": version.path}
        )
    os.rename(staged.folder, version.folder)
    fsync_dir(version.folder.parent)


def _facts_of(file: Path) -> dict[str, Any]:
    try:
        facts = probe(file)
    except ProbeError as error:
        raise PublishError(
            _("%(name)s cannot be read back: %(reason)s") % {"name": file.name, "reason": error}
        ) from error
    still = facts.kind == "image"
    return {
        "width": facts.width or None,
        "height": facts.height or None,
        "frames": None if still else facts.frames,
        "fps": "" if still or facts.fps is None else str(facts.fps),
    }


def sealed_facts(version: Version) -> dict[str, Any] | None:
    """The manifest of a folder that was renamed to its place; None when there is no whole one."""
    path = version.folder / MANIFEST
    if not path.is_file():
        return None
    facts: dict[str, Any] = json.loads(path.read_text())
    whole = all(
        (version.folder / entry["name"]).is_file() and (version.folder / entry["name"]).stat().st_size == entry["size"]
        for entry in facts["files"]
    )
    return facts if whole and facts.get("version") == version.pk else None


def mark_published(version: Version, facts: Mapping[str, Any]) -> Version:
    """Fill the row from the manifest and make it visible (inside the caller's transaction)."""
    version.state = VersionState.PUBLISHED
    version.manifest = facts["files"]
    version.provenance = facts["provenance"]
    version.width, version.height = facts["width"], facts["height"]
    version.frames, version.fps = facts["frames"], facts["fps"]
    version.save()
    Version.objects.filter(pk=version.pk).update(published_at=Now())
    version.refresh_from_db(fields=["published_at"])
    return version


def publish_attempt(attempt: RenderAttempt, facts: Mapping[str, Any]) -> bool:
    """Mark the version and the job in one step; False when the attempt was reaped: then nothing changes."""
    from renders.services.queue import end_job

    with transaction.atomic():
        mine = RenderAttempt.objects.filter(pk=attempt.pk, state=JobState.PUBLISHING).update(
            state=JobState.SUCCEEDED, finished_at=Now()
        )
        if not mine:
            return False
        job = (
            RenderJob.objects.select_for_update(of=("self",) if _pg() else ())
            .select_related("project", "shot__project", "shot__scene", "version", "workflow")
            .get(pk=attempt.job_id)
        )
        assert job.version is not None  # reserved before the first try wrote anything
        version = mark_published(job.version, facts)
        version_published.send(sender=Version, version=version, job=job)
        end_job(job, JobState.SUCCEEDED)
    return True


def publish_files(
    *,
    owner: Owner,
    kind: str,
    files: Mapping[str, Path],
    actor: Any,
    comment: str = "",
    provenance: Mapping[str, Any] | None = None,
) -> Version:
    """Publish files that a person or a program made (an upload, a drop): copied aside, sealed, marked."""
    staged = stage(owner, kind, uuid.uuid4().hex)
    try:
        written = []
        for name, source in files.items():
            target = staged.folder / Path(name).name
            with storage_errors(owner.project.root):
                shutil.copyfile(source, target)
            written.append(target)
        _facts_of(written[0])
        version = reserve(owner, kind, created_by=actor, comment=comment)
        seal(version, staged, written, {"engine": "upload", **(provenance or {})})
    except BaseException:
        discard(staged)
        raise
    facts = sealed_facts(version)
    assert facts is not None  # sealed a line above
    with transaction.atomic():
        mark_published(version, facts)
        version_published.send(sender=Version, version=version, job=None)
    return version
