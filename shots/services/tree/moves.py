"""Moving folders to where templates, codes and scenes say by now: explicit, journalled, finished after any death.

The journal is `Folder.moving_to`: written in a transaction of its own before the disk is touched, and taken away in
the one that gives the row its new place. The old place stays as a row in state `left`, whose own `moving_to` says that
its pointer file is still to be written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.saving import save_columns
from aipipeline.history.services import recording
from aipipeline.media.exclusive import exclusive
from aipipeline.projects.errors import Conflict, NotFound
from aipipeline.projects.models import Project
from assets.naming import path_key
from shots.models import Folder, FolderState, Shot
from shots.services.tree.carrying import Carrier
from shots.services.tree.disk import InTheWay, TreeError, reason
from shots.services.tree.folders import folder_owner
from shots.services.tree.metadata import mark_stale, tree_lock
from shots.services.tree.planning import Fate, Plan, Planned, check_storage, plan_tree
from shots.signals import folder_moved, folders_moving

log = structlog.get_logger(__name__)
WAIT_SECONDS = 20.0
TOLD = 1000


@dataclass
class Move:
    """One folder and where it would go; `refusal`: why it cannot, in words with the way out."""

    folder: Folder
    row: Any
    before: str
    after: str
    refusal: str = ""

    def as_json(self) -> dict[str, Any]:
        locked = isinstance(self.row, Shot) and self.row.locked
        return {
            "folder": self.folder.pk, "kind": self.folder.kind, "label": str(self.row), "locked": locked,
            "from": self.before, "to": self.after, "refusal": self.refusal,
        }  # fmt: skip


@dataclass
class MoveReport:
    moved: list[Move] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"moved": [move.as_json() for move in self.moved]}


def plan_moves(project: Project, ids: Sequence[int] | None = None) -> list[Move]:
    """The folders (all, or these ids) that belong elsewhere by now. Touches nothing; a constant number of queries."""
    folders = list(Folder.objects.filter(project=project))
    if ids is not None and (unknown := set(ids) - {folder.pk for folder in folders}):
        raise NotFound(_("There is no such folder in this project: %(ids)s.") % {"ids": ", ".join(map(str, unknown))})
    moves = moves_of(plan_tree(project), folders)
    return [move for move in moves if ids is None or move.folder.pk in ids]


def moves_of(plan: Plan, folders: Sequence[Folder]) -> list[Move]:
    """The moves that a plan of a confirm knows of; `folders`: every row of the project."""
    carrier = Carrier(plan.project, folders)
    return [_planned(entry, carrier) for entry in plan.entries if entry.folder.pk and entry.wanted]


def _planned(entry: Planned, carrier: Carrier) -> Move:
    refusal = entry.note if entry.fate == Fate.CONFLICT else carrier.refusal(entry.folder, entry.wanted)
    return Move(entry.folder, entry.row, entry.folder.path, entry.wanted, refusal)


def move_folders(*, project: Project, actor: Any, folders: Sequence[int] | None = None, tab: str = "") -> MoveReport:
    """Move all folders that belong elsewhere by now (or these Folder ids) there; a pointer stays in each old place.

    Conflict, with nothing moved, while jobs run or versions are being published for one of them, or when something
    is in the way. TreeError when the disk refuses in the middle: what has moved by then is whole and stays.
    """
    check_storage(project)
    with exclusive(tree_lock(project.pk), seconds=WAIT_SECONDS) as mine:
        if not mine:
            raise Conflict(_("The tree of this project is being written right now. Try again in a moment."))
        project.refresh_from_db()
        finish_held(project)
        moves = plan_moves(project, folders)
        if refused := [move for move in moves if move.refusal]:
            text = _("Nothing was moved. %(reason)s") % {"reason": refused[0].refusal}
            raise Conflict(text, details={"refused": [move.as_json() for move in refused[:100]]})
        report = MoveReport()
        if moves:
            _begin(project, moves)
            try:
                _carry_all(project, moves, report)
            finally:
                _tell(project, actor, report.moved, tab)
    return report


def _begin(project: Project, moves: list[Move]) -> None:
    """Write the journal, unless somebody is at work in one of the folders."""
    rows = [move.folder for move in moves]
    with transaction.atomic():
        _ask(project, rows)
        for move in moves:
            move.folder.moving_to = move.after
        save_columns(rows, ["moving_to"])
    try:
        # Who began to publish between the question and the journal is seen now; who begins from here on waits.
        _ask(project, rows)
    except BaseException:
        Folder.objects.filter(pk__in=[row.pk for row in rows]).update(moving_to="")
        raise


def _ask(project: Project, rows: list[Folder]) -> None:
    folders_moving.send(sender=Folder, project=project, folders=rows)


def _carry_all(project: Project, moves: list[Move], report: MoveReport) -> None:
    carrier = Carrier(project, Folder.objects.filter(project=project))
    try:
        for move in moves:
            carrier.carry(move.folder, move.after)
            _arrive(project, move.folder, move.after)
            report.moved.append(move)
    except (OSError, InTheWay) as error:
        finish_held(project)
        words = reason(error, project.root) if isinstance(error, OSError) else str(error)
        text = _("%(done)s of %(all)s folders were moved, then the storage refused: %(reason)s")
        numbers = {"done": len(report.moved), "all": len(moves), "reason": words}
        raise TreeError(text % numbers, details=report.as_json()) from error
    _point_all(project, carrier)


def _arrive(project: Project, folder: Folder, after: str) -> None:
    """The files are there: say so in the database, in one step with every path that others keep."""
    kind, owner = folder_owner(folder)
    with transaction.atomic():
        row = Folder.objects.select_for_update().get(pk=folder.pk)
        before = row.path
        mine = {f"{kind}_id": owner, "state": FolderState.LEFT}
        Folder.objects.filter(project=project, key=path_key(after), **mine).delete()
        row.path, row.key, row.moving_to, row.problem = after, path_key(after), "", ""
        row.save(update_fields=["path", "key", "moving_to", "problem"])
        Folder.objects.create(project=project, kind=kind, path=before, key=path_key(before), **mine)
        # Earlier places point straight to where it is now.
        Folder.objects.filter(project=project, **mine).update(moving_to=after)
        folder_moved.send(sender=Folder, folder=row, before=before, after=after)
        mark_stale(project.pk, kind, [owner])
        publish(f"project:{project.pk}", "tree.changed", ids=[row.pk])


def _point_all(project: Project, carrier: Carrier) -> None:
    for left in Folder.objects.filter(project=project, state=FolderState.LEFT).exclude(moving_to=""):
        try:
            carrier.point(left, left.moving_to)
        except (OSError, InTheWay) as error:
            # The files have moved and are found by their rows; beat writes the pointer as soon as the place lets it.
            log.warning("pointer_not_written", folder=left.path, error=str(error))
            continue
        Folder.objects.filter(pk=left.pk, moving_to=left.moving_to).update(moving_to="")


def _tell(project: Project, actor: Any, moves: Sequence[Move], tab: str) -> None:
    if not moves:
        return
    told = [{"what": str(move.row), "from": move.before, "to": move.after} for move in moves[:TOLD]]
    params = {"count": len(moves), "moves": told}
    with recording(project=project, actor=actor, kind="project.move_folders", tab=tab, params=params, undoable=False):
        pass


def finish_moves(project_id: int | None = None) -> None:
    """Complete, or take back, moves that died; for beat. A project whose tree is being written has its turn later."""
    rows = Folder.objects.exclude(moving_to="")
    if project_id is not None:
        rows = rows.filter(project=project_id)
    for project in Project.objects.filter(pk__in=rows.values("project")):
        with exclusive(tree_lock(project.pk)) as mine:
            if mine:
                finish_held(project)


def finish_held(project: Project) -> None:
    """`finish_moves` of one project for a caller that holds the tree's lock."""
    rows = Folder.objects.filter(project=project).exclude(moving_to="")
    # While the storage is away nobody can say how far the move came.
    away = not (project.root if project.confirmed_at else project.root.parent).is_dir()
    if not rows.exists() or away:
        return
    moved = []
    carrier = Carrier(project, Folder.objects.filter(project=project))
    for folder in list(rows.exclude(state=FolderState.LEFT)):
        try:
            if not carrier.moved(folder, folder.moving_to):
                _stay(project, folder)
                continue
            carrier.carry(folder, folder.moving_to)
        except (OSError, InTheWay) as error:
            log.warning("move_not_finished", folder=folder.path, to=folder.moving_to, error=str(error))
            continue
        row = getattr(folder, folder.kind)
        moved.append(Move(folder, row, folder.path, folder.moving_to))
        _arrive(project, folder, folder.moving_to)
    _point_all(project, carrier)
    _tell(project, None, moved, "")


def _stay(project: Project, folder: Folder) -> None:
    """Nothing has moved: the folder stays, and a pointer that was already taken away for it comes back."""
    kind, owner = folder_owner(folder)
    with transaction.atomic():
        Folder.objects.filter(pk=folder.pk).update(moving_to="")
        left = Folder.objects.filter(project=project, state=FolderState.LEFT, **{f"{kind}_id": owner})
        left.update(moving_to=folder.path)
