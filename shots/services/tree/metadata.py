"""Metadata files follow their rows: a change leaves a mark in its own transaction, and a worker writes the file.

An edit never waits for the storage. A mark stays until the file is written, whatever dies meanwhile; while the storage
is away the folder says why, and beat tries again.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import structlog
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from aipipeline.history.saving import save_columns
from aipipeline.media.exclusive import exclusive
from aipipeline.media.patience import within
from aipipeline.media.rooted import StorageAway
from aipipeline.projects.models import Project
from assets.metadata import META_NAMES as META_NAMES
from assets.metadata import describe, encode
from assets.models import Character, Environment
from shots.models import Folder, FolderState, Scene, Shot, StaleMark
from shots.services.tree.disk import Disk, InTheWay, reason
from shots.services.tree.folders import folder_owner, register_earlier

log = structlog.get_logger(__name__)
_MODELS: dict[str, type[Any]] = {
    "project": Project, "scenario": Project, "edit": Project, "scene": Scene, "shot": Shot, "character": Character,
    "environment": Environment,
}  # fmt: skip
AT_ONCE = 500
PORTION = 2000
NUDGE_SECONDS = 0.5

# What else is written into a folder when its row changed: called with (folder, row) pairs, returns by folder id
# {file name below the folder: bytes}. Versions have their pointers here.
Beside = Callable[[list[tuple[Folder, Any]]], dict[int, dict[str, bytes]]]
_beside: list[Beside] = []


def register_beside(more: Beside) -> None:
    """Let an app above write small files of its own beside the metadata (`assets.metadata` holds what is inside)."""
    _beside.append(more)


@dataclass
class Written:
    """What a round of writing did. `problems`: by folder path, why it could not be written."""

    written: int = 0
    unchanged: int = 0
    kept: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def mark_stale(project_id: int, what: str, ids: Iterable[int]) -> None:
    """Say, inside the transaction that changes them, that the files of these rows tell something old."""
    found = sorted(set(ids))
    if found:
        StaleMark.objects.create(project_id=project_id, what=what, ids=found)
        transaction.on_commit(lambda: nudge(project_id), robust=True)


def nudge(project_id: int) -> None:
    """Wake the worker that writes, at most once for many edits in a row; a lost nudge is made up for by beat."""
    from shots.tasks import write_metadata

    try:
        if cache.add(_nudge_key(project_id), 1, timeout=10):
            write_metadata.apply_async(args=(project_id,), queue="files", countdown=NUDGE_SECONDS, retry=False)
    except Exception:
        log.warning("metadata_nudge_not_sent", project=project_id, exc_info=True)


def _nudge_key(project_id: int) -> str:
    return f"tree-nudge:{project_id}"


def write_stale(project_id: int | None = None) -> Written:
    """Write the files of everything that is marked, in this project or in all. Safe to be called at any time.

    What could not be written before is tried again.
    """
    done = Written()
    for pk in sorted({*_waiting(StaleMark.objects.all(), project_id), *_waiting(_failed(), project_id)}):
        try:
            cache.delete(_nudge_key(pk))
        except Exception:
            log.warning("metadata_nudge_not_cleared", project=pk, exc_info=True)
        # One writer a project: an older description must not overwrite a newer one.
        with exclusive(tree_lock(pk), seconds=2) as mine:
            if mine:
                while _write_project(Project.objects.get(pk=pk), done):
                    pass
    return done


def _waiting(rows: Any, project_id: int | None) -> Any:
    mine = rows if project_id is None else rows.filter(project=project_id)
    return mine.order_by().values_list("project", flat=True).distinct()


def _failed() -> Any:
    return Folder.objects.exclude(problem="").exclude(state=FolderState.LEFT)


def tree_lock(project_id: int) -> str:
    """The name of the lock under which one project's tree is written."""
    return f"tree:{project_id}"


def _write_project(project: Project, done: Written) -> bool:
    """Write what one portion of marks concerns; True when more may be waiting."""
    marks = list(StaleMark.objects.filter(project=project)[:PORTION])
    more = len(marks) == PORTION
    if project.confirmed_at is None:
        _clear(marks)
        return more
    try:
        there = within(project.root, project.root.is_dir)
    except StorageAway as away:
        # It hangs: neither the lock nor this worker's thread is held for it.
        done.problems[project.code] = str(away.message)
        return False
    if not there:
        # The storage is away, or the tree was taken away by hand: the marks wait until it, or a confirm, is back.
        done.problems[project.code] = _("%(folder)s is not there.") % {"folder": project.root}
        return False
    register_earlier(project)
    folders = list(
        {folder.pk: folder for folder in (*_marked(project, marks), *_failed().filter(project=project))}.values()
    )
    mine = Written()
    for start in range(0, len(folders), AT_ONCE):
        write_folders(project, folders[start : start + AT_ONCE], mine)
    # What failed is kept by its folder from here on; only a flush that failed says nothing of which file.
    if project.code not in mine.problems:
        _clear(marks)
    done.written += mine.written
    done.unchanged += mine.unchanged
    done.kept += mine.kept
    done.problems.update(mine.problems)
    return more and project.code not in mine.problems


def _clear(marks: list[StaleMark]) -> None:
    StaleMark.objects.filter(pk__in=[mark.pk for mark in marks]).delete()


def _marked(project: Project, marks: Iterable[StaleMark]) -> Any:
    """The folders whose files these marks concern."""
    ids: dict[str, set[int]] = {}
    for mark in marks:
        ids.setdefault(mark.what, set()).update(mark.ids)

    def of(what: str) -> list[int]:
        return sorted(ids.get(what, ()))

    if "all" in ids:
        return Folder.objects.filter(project=project).exclude(state=FolderState.LEFT).order_by("pk")
    cast = Shot.objects.filter(castings__character__in=of("character"))
    dressed = Shot.objects.filter(castings__character__lora__in=of("lora"))
    whose = (
        Q(shot__in=of("shot"))
        | Q(shot__in=cast.values("pk"))
        | Q(shot__in=dressed.values("pk"))
        | Q(shot__environment__in=of("environment"))
        | Q(shot__preset__in=of("preset"))
        | Q(shot__scene__in=of("scene"))
        | Q(shot__scene__environment__in=of("environment"))
        | Q(scene__in=of("scene"))
        | Q(scene__environment__in=of("environment"))
        | Q(character__in=of("character"))
        | Q(character__lora__in=of("lora"))
        | Q(environment__in=of("environment"))
        | Q(kind__in=[kind for kind in ("project", "scenario", "edit") if kind in ids])
    )
    # The project's file tells of presets and LoRAs, names rows in filters, and holds rows that have no folder.
    if ids.keys() & {"config", "preset", "lora", "scene", "character", "environment"} or _any_loose(of("shot")):
        whose |= Q(kind="project")
    if "project" in ids:
        whose |= Q(kind="shot")
    return Folder.objects.filter(whose, project=project).exclude(state=FolderState.LEFT).order_by("pk")


def _any_loose(shots: list[int]) -> bool:
    return bool(shots) and Shot.objects.filter(pk__in=shots, folders=None).exists()


def write_folders(
    project: Project,
    folders: list[Folder],
    done: Written,
    disk: Disk | None = None,
    more: Mapping[int, Mapping[str, Any]] | None = None,
    rows: Mapping[tuple[str, int], Any] | None = None,
) -> Disk:
    """Write the metadata of these folders where it changed, and what belongs beside it.

    With a `disk` of the caller's (confirm) errors are the caller's too; without one they are kept by folder. `more`:
    by folder id, facts that will hold once the caller is done. `rows`: by kind and id, those that the caller has read.
    """
    mine = disk or Disk(project.root)
    before = (mine.written, mine.unchanged, len(mine.kept))
    changed: list[Folder] = []
    try:
        for folder, files in _contents(project, folders, more or {}, rows or {}):
            try:
                if disk is None and not (mine.root / folder.path).is_dir():
                    # Taken away by hand, or never built: confirm builds folders, an edit does not.
                    _told(folder, None, done, changed)
                    continue
                _write_one(mine, folder, files, changed)
            except (OSError, InTheWay) as error:
                if disk is not None:
                    raise
                _told(folder, error, done, changed)
        mine.flush()
    except OSError as error:
        if disk is not None:
            raise
        done.problems[project.code] = reason(error, project.root)
    finally:
        # Also of a run that fails: what was written by us must not be taken for somebody's edit later.
        if changed:
            save_columns(list({folder.pk: folder for folder in changed}.values()), ["digest", "problem"])
    done.written += mine.written - before[0]
    done.unchanged += mine.unchanged - before[1]
    done.kept += mine.kept[before[2] :]
    return mine


def _write_one(disk: Disk, folder: Folder, files: dict[str, bytes], changed: list[Folder]) -> None:
    name = META_NAMES[folder.kind]
    for file, data in files.items():
        where = PurePosixPath(folder.path) / file
        if file != name:
            disk.folder(where.parent)
            disk.write(where, data)
            continue
        wrote = disk.write(where, data, digest=folder.digest)
        digest = hashlib.sha256(data).hexdigest()
        if wrote or folder.digest != digest or folder.problem:
            folder.digest, folder.problem = digest, ""
            changed.append(folder)


def _contents(
    project: Project,
    folders: list[Folder],
    coming: Mapping[int, Mapping[str, Any]],
    read: Mapping[tuple[str, int], Any],
) -> Iterable[tuple[Folder, dict[str, bytes]]]:
    """By folder the files that belong into it; a constant number of queries for each kind."""
    by_kind: dict[str, list[Folder]] = {}
    for folder in folders:
        by_kind.setdefault(folder.kind, []).append(folder)
    for kind, mine in by_kind.items():
        ids = [folder_owner(folder)[1] for folder in mine]
        rows = {pk: read[kind, pk] for pk in ids if (kind, pk) in read}
        if len(rows) < len(ids):
            rows.update((row.pk, row) for row in _rows(project, kind, [pk for pk in ids if pk not in rows]))
        facts = describe(kind, rows.values())
        pairs = [(folder, rows[folder_owner(folder)[1]]) for folder in mine]
        beside: dict[int, dict[str, bytes]] = {}
        for more in _beside:
            for pk, files in more(pairs).items():
                beside.setdefault(pk, {}).update(files)
        for folder, row in pairs:
            retired = {"retired": True} if folder.state == FolderState.RETIRED else {}
            text = encode({**facts[row.pk], **coming.get(folder.pk, {}), **retired})
            yield folder, {META_NAMES[kind]: text, **beside.get(folder.pk, {})}


def _rows(project: Project, kind: str, ids: list[int]) -> list[Any]:
    if _MODELS[kind] is Project:
        return [project]
    rows: list[Any] = list(_MODELS[kind]._default_manager.filter(pk__in=ids))
    for row in rows:
        row.project = project
    return rows


def _told(folder: Folder, error: Exception | None, done: Written, changed: list[Folder]) -> None:
    """Keep by the folder why it could not be written; None: there is nothing to write any more."""
    words = "" if error is None else _words(error, folder.project)[:500]
    if words:
        done.problems[folder.path] = words
        log.warning("metadata_not_written", folder=folder.path, error=words)
    if folder.problem != words:
        folder.problem = words
        changed.append(folder)


def _words(error: Exception, project: Project) -> str:
    return reason(error, project.root) if isinstance(error, OSError) else str(error)
