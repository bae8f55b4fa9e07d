"""Scanning and adopting as background work, and what the newest of it found."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.history.services import lock, recording
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from celery_workers.kinds import ledger_kind
from celery_workers.ledger import TaskContext, submit
from celery_workers.models import OPEN_STATES, LedgerTask, TaskState
from renders.models import VersionKind
from renders.services.adopting import adopt_dropped, dropped_files
from renders.services.scanning import MOST, scan_tree, shown

SCAN, ADOPT = "tree.scan", "tree.adopt"
MAX_PATH = 4096


def start_scan(*, project: Project, actor: Any, deep: bool = False) -> LedgerTask:
    """Compare the tree with the database; the scan that is under way already when it looks as deep."""
    with transaction.atomic():
        lock(Project.objects.filter(pk=project.pk)).get()
        for task in LedgerTask.objects.filter(project=project, kind=SCAN, state__in=OPEN_STATES):
            if not task.cancel_requested and (task.params.get("deep") or not deep):
                return task
        return submit(kind=SCAN, project=project, actor=actor, params={"deep": deep})


def start_adopt(*, project: Project, actor: Any, files: Any = None, tab: str = "") -> LedgerTask:
    """Make versions of dropped files: [{"path", "kind"?}], or of all with None. Invalid for anything else."""
    wanted = None if files is None else checked_files(files)
    params = {"files": len(wanted)} if wanted is not None else {}
    with recording(project=project, actor=actor, kind="tree.adopt", tab=tab, undoable=False, params=params):
        return submit(kind=ADOPT, project=project, actor=actor, params={"files": wanted})


def checked_files(files: Any) -> list[dict[str, str]]:
    """The files of a request as clean objects; Invalid names what is wrong with them."""

    def wrong(why: str) -> Invalid:
        return Invalid(_("files: %(why)s") % {"why": why}, fields={"files": [why]})

    if not isinstance(files, list) or not 1 <= len(files) <= MOST:
        raise wrong(_("a list of 1 to %(most)d files is needed.") % {"most": MOST})
    found: dict[str, dict[str, str]] = {}
    for item in files:
        if not isinstance(item, Mapping) or set(item) - {"path", "kind"}:
            raise wrong(_("each is an object with `path` and `kind`."))
        path, kind = item.get("path"), item.get("kind") or ""
        if not isinstance(path, str) or not 0 < len(path) <= MAX_PATH:
            raise wrong(_("a path, relative to the project, is needed."))
        if kind not in ("", *VersionKind.values):
            raise wrong(_("the kind is one of %(kinds)s.") % {"kinds": ", ".join(VersionKind.values)})
        found[path] = {"path": path, "kind": str(kind)}
    return list(found.values())


def newest(project: Project, kind: str) -> LedgerTask | None:
    """The newest task of this kind, whatever became of it."""
    return LedgerTask.objects.filter(project=project, kind=kind).order_by("-created_at").first()


def nothing_open(project: Project, kind: str) -> bool:
    return not LedgerTask.objects.filter(project=project, kind=kind, state__in=OPEN_STATES).exists()


def waits(project: Project) -> bool:
    """Whether anything lies in a drop folder that the newest adoption did not leave there for good, as it is."""
    task = newest_done(project, ADOPT)
    left = task.result.get("left", []) if task is not None else []
    known = {(item["path"], item.get("size")) for item in left if not item.get("later")}
    return any((shown(item.path), item.size) not in known for item in dropped_files(project))


def newest_done(project: Project, kind: str) -> LedgerTask | None:
    """The newest one with a result."""
    rows = LedgerTask.objects.filter(project=project, kind=kind, state=TaskState.SUCCEEDED)
    return rows.order_by("-created_at").first()


def reasons_of(task: LedgerTask | None) -> dict[str, str]:
    """By path: why the newest adoption left a file where it is."""
    left: Sequence[Mapping[str, Any]] = task.result.get("left", []) if task is not None else []
    return {str(item["path"]): str(item["reason"]) for item in left}


@ledger_kind(SCAN, label=gettext_lazy("Tree scan"), queue="files")
def _scan(context: TaskContext) -> dict[str, Any]:
    assert context.task.project is not None  # submitted with one
    report = scan_tree(context.task.project, deep=bool(context.params.get("deep")), progress=context.progress)
    return report.as_json()


@ledger_kind(ADOPT, label=gettext_lazy("Adoption of dropped files"), queue="files")
def _adopt(context: TaskContext) -> dict[str, Any]:
    project = context.task.project
    assert project is not None  # submitted with one
    report = adopt_dropped(
        project=project, actor=context.task.actor, files=context.params.get("files"), progress=context.progress
    )
    if report.counts["adopted"] or report.counts["cleared"]:
        # What the page shows of the disk is old by now.
        start_scan(project=project, actor=context.task.actor)
    return report.as_json()
