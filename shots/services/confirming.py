"""Confirm as background work: for long lists, with live progress and a cancel that leaves nothing behind."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.projects.errors import Conflict
from aipipeline.projects.models import Project
from celery_workers.kinds import ledger_kind
from celery_workers.ledger import TaskContext, submit
from celery_workers.models import OPEN_STATES, LedgerTask
from shots.services.confirm import ConfirmReport, confirm

KIND = "tree.confirm"
# Above this a person waits better with a bar to look at.
AT_ONCE = 500
TOLD = 200


def start_confirm(*, project: Project, actor: Any, shots: Sequence[int] | None = None, tab: str = "") -> LedgerTask:
    """Confirm all shots, or these, in the background. Conflict while another one of this project is under way."""
    if open_confirm(project) is not None:
        raise Conflict(_("A confirm of this project is under way already. Wait for it, or cancel it."))
    chosen = None if shots is None else list(shots)
    return submit(kind=KIND, project=project, actor=actor, params={"shots": chosen, "tab": tab})


def open_confirm(project: Project) -> LedgerTask | None:
    """The confirm that waits or runs now."""
    return LedgerTask.objects.filter(project=project, kind=KIND, state__in=OPEN_STATES).first()


@ledger_kind(KIND, label=gettext_lazy("Confirm"), queue="files")
def run_confirm(context: TaskContext) -> dict[str, Any]:
    assert context.task.project is not None  # start_confirm gives it
    report = confirm(
        project=context.task.project,
        actor=context.task.actor,
        shots=context.params.get("shots"),
        tab=str(context.params.get("tab", "")),
        progress=context.progress,
    )
    return told(report)


def told(report: ConfirmReport) -> dict[str, Any]:
    """What is kept and shown of a report: every number, and the first names of each list."""
    facts = report.as_json()
    counts = {name: len(value) if isinstance(value, list) else value for name, value in facts.items()}
    return {"counts": counts, **{name: value[:TOLD] for name, value in facts.items() if isinstance(value, list)}}
