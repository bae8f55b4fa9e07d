"""Confirm: the production tree on disk by the naming rules, its metadata, and the lock."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.history.saving import save_columns
from aipipeline.history.services import lock, recording
from aipipeline.media.exclusive import exclusive
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.models import Project
from assets.naming import PROJECT_FOLDERS
from shots.models import Folder, FolderState, StaleMark
from shots.services.locks import lock_shots
from shots.services.tree.disk import Disk, TreeError, reason
from shots.services.tree.folders import ensure_folders, own_folders
from shots.services.tree.metadata import AT_ONCE, Written, mark_stale, tree_lock, write_folders
from shots.services.tree.moves import finish_held
from shots.services.tree.planning import SUBFOLDERS, Fate, Plan, Planned, check_storage, plan_tree

Progress = Callable[[float, str], None]
WAIT_SECONDS = 20.0


@dataclass
class ConfirmReport:
    """What a confirm did, relative to the project's folder. `kept`: files that somebody edited by hand, set aside."""

    root: Path
    folders_made: int = 0
    files_written: int = 0
    files_unchanged: int = 0
    locked: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    revived: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        names = (
            "folders_made", "files_written", "files_unchanged", "locked", "retired", "revived", "renamed", "kept",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def confirm(
    *,
    project: Project,
    actor: Any,
    shots: Sequence[int] | None = None,
    tab: str = "",
    progress: Progress = lambda _value, _text: None,
) -> ConfirmReport:
    """Build or update the tree for all shots (or these), write the metadata, lock the shots.

    Safe to run again: what exists is left alone, and nothing changed means nothing written. When the disk refuses,
    what this run made is taken away again. `progress` may raise to cancel: the same happens then.
    """
    check_storage(project)
    with exclusive(tree_lock(project.pk), seconds=WAIT_SECONDS) as mine:
        if not mine:
            raise Conflict(_("The tree of this project is being written right now. Try again in a moment."))
        project.refresh_from_db()
        finish_held(project)
        # What waits to be written now is written by this run, unless it is one of a few shots: asked before the rows
        # are read, so that an edit after them has a mark of its own.
        waiting = StaleMark.objects.filter(project=project) if shots is None else StaleMark.objects.none()
        marks = list(waiting.values_list("pk", flat=True))
        plan = plan_tree(project, shots)
        if not plan.shots:
            raise Invalid(_("There are no shots to confirm yet. Apply a scenario or add shots first."))
        _refuse_conflicts(plan)
        report = ConfirmReport(root=project.root)
        new = _register(project, plan)
        disk = Disk(project.root)
        try:
            _build(project, plan, disk, report, progress)
            _lock(project, actor, tab, plan, report)
        except BaseException as error:
            _take_back(project, plan, disk, new)
            if isinstance(error, OSError):
                text = _("The production tree was not written, and nothing of it was left: %(reason)s")
                raise TreeError(text % {"reason": reason(error, project.root)}) from error
            raise
        StaleMark.objects.filter(pk__in=marks).delete()
    return report


def _refuse_conflicts(plan: Plan) -> None:
    if conflicts := plan.of(Fate.CONFLICT):
        text = _("Nothing was written: %(note)s Move it away, then confirm again.") % {"note": conflicts[0].note}
        if len(conflicts) > 1:
            text += " " + _("The same holds for %(n)s more.") % {"n": len(conflicts) - 1}
        raise TreeError(text, details={"conflicts": [entry.as_json() for entry in conflicts[:100]]})


def _register(project: Project, plan: Plan) -> list[Folder]:
    """Give the new rows their places, and say what is retired and what is back; returns the new ones."""
    entries = [entry for entry in plan.of(Fate.CREATE, Fate.RENAMED, Fate.SAME, Fate.REVIVE) if entry.folder.pk is None]
    new = [entry.folder for entry in entries]
    own_folders(project)
    try:
        with transaction.atomic():
            Folder.objects.bulk_create(new)
    except IntegrityError:
        # A publisher gave one of these rows, or one of these names, its place since the plan.
        new = _register_again(project, entries)
    with transaction.atomic():
        _set_state(plan.of(Fate.RETIRE), FolderState.RETIRED)
        _set_state(plan.of(Fate.REVIVE), FolderState.ACTIVE)
    return new


def _register_again(project: Project, entries: list[Planned]) -> list[Folder]:
    before = set(Folder.objects.filter(project=project).values_list("pk", flat=True))
    found = ensure_folders(project, [entry.row for entry in entries])
    for entry in entries:
        entry.folder = found[entry.row]
        entry.path, entry.absent = entry.folder.path, True
    return [folder for folder in found.values() if folder.pk not in before]


def _set_state(entries: list[Planned], state: str) -> None:
    moment = timezone.now() if state == FolderState.RETIRED else None
    for entry in entries:
        entry.folder.state, entry.folder.retired_at = state, moment
    if entries:
        save_columns([entry.folder for entry in entries], ["state", "retired_at"])


def _build(project: Project, plan: Plan, disk: Disk, report: ConfirmReport, progress: Progress) -> None:
    for name in PROJECT_FOLDERS:
        disk.folder(name)
    built = plan.of(Fate.CREATE, Fate.RENAMED, Fate.SAME, Fate.REVIVE)
    for number, entry in enumerate(built):
        # What the plan saw to be whole is not asked for again.
        if entry.absent or entry.missing:
            disk.folder(entry.path)
            for name in SUBFOLDERS[entry.kind]:
                disk.folder(f"{entry.path}/{name}")
        if number % 50 == 0:
            progress(0.5 * number / max(1, len(built)), entry.path)
    written = Written()
    folders = [*own_folders(project).values(), *(entry.folder for entry in built)]
    # What was retired earlier follows its row too, as long as somebody keeps the folder.
    retired = [*(entry.folder for entry in plan.of(Fate.RETIRE)), *plan.retired]
    folders += [folder for folder in retired if os.path.isdir(disk.root / folder.path)]
    locked = {entry.folder.pk for entry in built if entry.kind == "shot"}
    rows = {(entry.kind, entry.row.pk): entry.row for entry in plan.entries}
    for start in range(0, len(folders), AT_ONCE):
        chunk = folders[start : start + AT_ONCE]
        write_folders(project, chunk, written, disk, more={pk: {"locked": True} for pk in locked}, rows=rows)
        progress(0.5 + 0.45 * start / len(folders), chunk[0].path)
    report.folders_made = len(disk.made_folders)
    report.files_written, report.files_unchanged = disk.written, disk.unchanged
    report.kept = disk.kept
    report.retired = [entry.path for entry in plan.of(Fate.RETIRE)]
    report.revived = [entry.path for entry in plan.of(Fate.REVIVE)]
    report.renamed = [entry.path for entry in plan.of(Fate.RENAMED)]


def _lock(project: Project, actor: Any, tab: str, plan: Plan, report: ConfirmReport) -> None:
    unlocked = [shot for shot in plan.shots if not shot.locked]
    if project.confirmed_at is None or unlocked:
        with recording(project=project, actor=actor, kind="project.confirm", tab=tab, undoable=False) as recorder:
            lock_shots(recorder, unlocked)
            if project.confirmed_at is None:
                row = lock(Project.objects.filter(pk=project.pk)).get()
                recorder.update(row, confirmed_at=timezone.now())
                project.confirmed_at = row.confirmed_at
    report.locked = [shot.code for shot in unlocked]


def _take_back(project: Project, plan: Plan, disk: Disk, new: list[Folder]) -> None:
    """Leave things as they were before this run: on disk what it made, in the database the places it gave."""
    disk.take_back()
    _set_state(plan.of(Fate.RETIRE), FolderState.ACTIVE)
    _set_state(plan.of(Fate.REVIVE), FolderState.RETIRED)
    # A place that somebody else put something into meanwhile stays given.
    Folder.objects.filter(pk__in=[row.pk for row in new if not os.path.lexists(disk.root / row.path)]).delete()
    if project.confirmed_at is not None:
        # Files that were there before may tell of a lock, or of a retirement, that did not come to be.
        with transaction.atomic():
            for kind in SUBFOLDERS:
                mark_stale(project.pk, kind, [entry.row.pk for entry in plan.entries if entry.kind == kind])
