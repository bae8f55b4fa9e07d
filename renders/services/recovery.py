"""What publishers left that died: whole folders become versions, dead numbers are given up, rubbish is removed.

Everything here is safe to run at any time, anywhere, beside publishers that are alive: a version is made visible by
compare-and-set, and only what nobody touched for a day is taken away.
"""

import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path, PurePosixPath

import structlog
from django.db import transaction
from django.db.models.functions import Now

from aipipeline.media.exclusive import exclusive
from aipipeline.projects.models import Project
from assets.naming import NamingTemplates
from renders.models import RenderAttempt, RenderJob, Version, VersionKind, VersionState
from renders.models.job import HELD_STATES, OPEN_STATES
from renders.services.numbering import give_up, lock_job
from renders.services.publishing import mark_published
from renders.services.sealing import TEMPORARY, sealed_facts
from renders.services.workdirs import WORK, abandoned, set_aside
from shots.models import Folder, FolderKind, FolderState
from shots.services.tree.folders import context_of

log = structlog.get_logger(__name__)
DAY = timedelta(days=1)
AT_ONCE = 1000
# An attempt that was taken back may write for a moment after its job has ended.
WORK_SECONDS = 600.0
# What writers of metadata and manifests leave when they are killed.
_PART = re.compile(r"\..+\.json(\.\d+\.[0-9a-f]{8})?\.part")


class _BusyError(Exception):
    """Somebody works at this version again."""


@dataclass
class Recovered:
    """What a run did: version ids, and paths relative to the projects."""

    adopted: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def recover_versions(*, older_than: timedelta = DAY) -> Recovered:
    """Publish what was sealed and not marked; give up numbers that nobody sealed for `older_than`.

    A version of a job that is open is its next try's to adopt. Nothing is given up while its storage is away.
    """
    done = Recovered()
    with exclusive("renders.recover") as mine:
        if not mine:
            return done
        rows = Version.objects.filter(state=VersionState.RESERVED).exclude(job__state__in=OPEN_STATES)
        old = set(rows.filter(created_at__lt=Now() - older_than).values_list("pk", flat=True))
        related = rows.select_related("project", "shot", "character", "environment")
        for version in related.order_by("created_at", "pk")[:AT_ONCE]:
            try:
                if _adopt(version):
                    done.adopted.append(version.pk)
                elif version.pk in old and version.project.root.is_dir() and _give_up(version):
                    done.given_up.append(version.pk)
            except _BusyError:
                continue
    if done.adopted or done.given_up:
        log.info("versions_recovered", adopted=done.adopted, given_up=done.given_up)
    return done


def _adopt(version: Version) -> bool:
    facts = sealed_facts(version)
    if facts is None:
        return False
    with transaction.atomic():
        return mark_published(version, facts, job=_free_job(version))


def _give_up(version: Version) -> bool:
    with transaction.atomic():
        _free_job(version)
        return give_up(version, sealed=sealed_facts)


def _free_job(version: Version) -> RenderJob | None:
    """The version's job, held until the transaction ends; None when it has none. _BusyError when it is open again."""
    pk = RenderJob.objects.filter(version=version).values_list("pk", flat=True).first()
    if pk is None:
        return None
    job = lock_job(pk)
    if job.state in OPEN_STATES or job.version_id != version.pk:
        raise _BusyError
    return job


def sweep(project: Project | None = None, *, older_than: timedelta = DAY) -> list[str]:
    """Remove temporary folders and files that nobody touched for `older_than`; returns them by project and path.

    Work folders of jobs that have ended go sooner: they are large, and only a death leaves them.
    """
    removed: list[str] = []
    with exclusive("renders.sweep") as mine:
        if not mine:
            return removed
        held = {str(pk) for pk in RenderAttempt.objects.filter(state__in=HELD_STATES).values_list("pk", flat=True)}
        limit = time.time() - older_than.total_seconds()
        for found in [project] if project else Project.objects.order_by("pk").iterator():
            for folder in _places(found):
                removed += [f"{found.code}/{name}" for name in _sweep_folder(found.root, folder, limit, held)]
    if removed:
        log.info("temporary_files_removed", paths=removed[:100], count=len(removed))
    return removed


def _places(project: Project) -> Iterator[str]:
    """The folders in which anything is ever written aside, relative to the project."""
    known: set[str] = set()
    for path in Version.objects.filter(project=project).order_by().values_list("path", flat=True).iterator():
        known.add(str(PurePosixPath(path).parent))
    templates = NamingTemplates.of(project.naming)
    rows = Folder.objects.filter(project=project).exclude(state=FolderState.LEFT)
    for folder in rows.select_related("scene", "shot__scene", "character", "environment").iterator(500):
        known.add(folder.path)
        if folder.kind not in (FolderKind.SHOT, FolderKind.CHARACTER, FolderKind.ENVIRONMENT):
            continue
        owner = getattr(folder, folder.kind)
        owner.project = project
        for kind in VersionKind.values:
            path = PurePosixPath(folder.path) / templates.version(context_of(owner, kind=kind, version=1))
            known.add(str(path.parent))
    yield from sorted(known)


def _sweep_folder(root: Path, folder: str, limit: float, held: set[str]) -> Iterator[str]:
    try:
        # What leads there may be a link by now: what lies behind it is not ours.
        if Path(os.path.realpath(root / folder)) != Path(os.path.realpath(root)) / folder:
            return
        with os.scandir(root / folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.startswith("."))
    except OSError:
        return
    for name in names:
        path = root / folder / name
        temporary = name.startswith(TEMPORARY) and name.removeprefix(TEMPORARY) not in held
        temporary = temporary or _PART.fullmatch(name) is not None
        work = name.startswith(WORK) and abandoned(name)
        untouched = max(limit, time.time() - WORK_SECONDS) if work else limit
        if not (temporary or work) or _newest(path) >= untouched:
            continue
        gone = set_aside(path) if work else path
        if gone is not None and _remove(gone):
            yield (PurePosixPath(folder) / name).as_posix()


def _newest(path: Path) -> float:
    """When anything in there was written last, seconds since 1970; now, when that cannot be told."""
    try:
        facts = os.lstat(path)
        newest = facts.st_mtime
        if stat.S_ISDIR(facts.st_mode):
            for base, folders, files in os.walk(path):
                newest = max([newest, *(os.lstat(os.path.join(base, name)).st_mtime for name in (*folders, *files))])
    except OSError:
        return time.time()
    return newest


def _remove(path: Path) -> bool:
    """Take it away; a listing that is not up to date may need another look."""
    for _try in range(3):
        try:
            if stat.S_ISDIR(os.lstat(path).st_mode):
                shutil.rmtree(path)
            else:
                path.unlink()
        except FileNotFoundError:
            if not os.path.lexists(path):
                return True
        except OSError:
            time.sleep(0.2)
    return not os.path.lexists(path)
