"""Numbers of versions: given out in the database, each once for an owner and kind, never again."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.media.patience import within
from aipipeline.projects.errors import Conflict, PipelineError
from assets.models import Character, Environment
from assets.naming import NameContext, NamingTemplates
from renders.models import RenderJob, Version, VersionState
from shots.models import Folder, FolderState, Shot
from shots.services.tree.folders import context_of, ensure_folder, kind_of

Owner = Shot | Character | Environment
_TRIES = 5
STORAGE_SECONDS = 3.0


class PublishError(PipelineError):
    """The files could not become a version; the message says why."""

    status = 422
    code = "publish_failed"


def names_of(owner: Owner, kind: str, number: int, *, artist: Any = None, ext: str = "") -> NameContext:
    """What a version's folder and main file are named after, today."""
    name = artist.get_username() if getattr(artist, "pk", None) else ""
    return context_of(owner, kind=kind, version=number, artist=name, date=timezone.localdate(), ext=ext)


def version_path(
    owner: Owner, kind: str, number: int, *, artist: Any = None, folder: str | None = None
) -> PurePosixPath:
    """Where this version's folder belongs by the templates of today, relative to the project.

    `folder`: the owner's, when the caller holds it; else this waits while it is being moved.
    """
    names = names_of(owner, kind, number, artist=artist)
    base = ensure_folder(owner).path if folder is None else folder
    return PurePosixPath(base) / NamingTemplates.of(owner.project.naming).version(names)


def kind_folder(owner: Owner, kind: str) -> Path:
    """The folder that holds the versions of a kind: new ones are written aside in it."""
    return owner.project.root / version_path(owner, kind, 1).parent


def reserve(owner: Owner, kind: str, *, created_by: Any = None, comment: str = "", auto: bool = False) -> Version:
    """The next number of this owner and kind, as a row that nobody sees yet."""
    with _held(owner) as folder:
        number, path = _next(owner, kind, created_by, folder)
        return Version.objects.create(
            project=owner.project,
            **{kind_of(owner): owner},
            kind=kind,
            number=number,
            path=path,
            created_by=created_by if getattr(created_by, "pk", None) else None,
            comment=comment[:500],
            auto=auto,
        )


def renumber(version: Version) -> None:
    """Give a reserved version another number: something that is not ours stands where its folder belongs."""
    with _held(version.owner) as folder:
        number, path = _next(version.owner, version.kind, version.created_by, folder)
        mine = Version.objects.filter(pk=version.pk, state=VersionState.RESERVED).update(number=number, path=path)
    if mine:
        version.number, version.path = number, path


@contextmanager
def _held(owner: Owner) -> Iterator[str]:
    """A transaction that holds the owner's row and its folder, which is not being moved; gives the folder's path.

    A move that is under way is waited for outside of the transaction, as it must write too.
    """
    for _try in range(_TRIES):
        ensure_folder(owner)
        with transaction.atomic():
            type(owner).objects.select_for_update().filter(pk=owner.pk).values_list("pk").first()
            rows = Folder.objects.select_for_update().filter(**{kind_of(owner): owner})
            folder = rows.exclude(state=FolderState.LEFT).first()
            if folder is not None and not folder.moving_to:
                yield folder.path
                return
    raise Conflict(_("%(what)s: its folder is being moved. Try again in a moment.") % {"what": owner})


def _next(owner: Owner, kind: str, artist: Any, folder: str) -> tuple[int, str]:
    """The next free number and its folder, inside `_held`."""
    newest = Version.objects.filter(**{kind_of(owner): owner}, kind=kind).aggregate(n=Max("number"))["n"]
    number = int(newest or 0) + 1
    # A folder that no row knows (made by hand, or of a database that was put back) is left alone, and so is one that
    # another kind took, when the template tells no kinds apart.
    while _taken(owner, path := str(version_path(owner, kind, number, artist=artist, folder=folder))):
        number += 1
    return number, path


def _taken(owner: Owner, path: str) -> bool:
    known = Version.objects.filter(project=owner.project, path=path).exists()
    if known:
        return True
    # The transaction, on SQLite everybody's, is not held for a storage that hangs: StorageAway then.
    return within(owner.project.root, lambda: os.path.lexists(owner.project.root / path), STORAGE_SECONDS)


def reserve_for_job(job: RenderJob) -> Version:
    """The one version of this job: the same row at every try, unless that was given up meanwhile."""
    ensure_folder(job.owner)
    with transaction.atomic():
        row = lock_job(job.pk)
        if row.version is None or row.version.state == VersionState.DEAD:
            row.version = reserve(row.owner, row.kind, created_by=row.requested_by, auto=row.auto_approve)
            row.save(update_fields=["version"])
        job.version = row.version
    return job.version


def lock_job(pk: Any) -> RenderJob:
    """The job's row, held until the transaction ends."""
    of = ("self",) if connection.features.has_select_for_update_of else ()
    job: RenderJob = RenderJob.objects.select_for_update(of=of).get(pk=pk)
    return job


def give_up(version: Version, *, sealed: Callable[[Version], object]) -> bool:
    """Nobody will publish this number: it stays a gap. A whole folder in its place is never given up."""
    if sealed(version):
        return False
    return bool(Version.objects.filter(pk=version.pk, state=VersionState.RESERVED).update(state=VersionState.DEAD))
