"""Workers that fail one workflow again and again take no more of it, and say so, until it is lifted.

Only what the engine itself failed at counts: a server that is away, a job that lacks its inputs and a card that is too
small say nothing of the worker.
"""

from typing import Any

import structlog
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.services import recording
from aipipeline.projects.errors import NotFound
from renders.models import Cause, JobState, RenderAttempt, Worker, WorkerBlock, Workflow

log = structlog.get_logger(__name__)
IN_A_ROW = 3


def count_failure(*, worker: Worker, workflow: Workflow, error: str) -> WorkerBlock | None:
    """Block the worker for the workflow when this was the third failure in a row; the block when there is one now.

    One job alone, tried three times, blocks nobody: then the job may be to blame.
    """
    rows = RenderAttempt.objects.filter(worker=worker, job__workflow=workflow, finished_at__isnull=False)
    rows = rows.exclude(cause="", state__in=(JobState.FAILED, JobState.CANCELLED))
    counts = (JobState.SUCCEEDED, JobState.FAILED)
    telling = rows.filter(state__in=counts, cause__in=("", Cause.ENGINE, Cause.FORGIVEN))
    failures, jobs = 0, set()
    for state, cause, job in telling.order_by("-finished_at").values_list("state", "cause", "job")[:100]:
        if state == JobState.SUCCEEDED or cause == Cause.FORGIVEN:
            break
        failures += 1
        jobs.add(job)
    if failures < IN_A_ROW or len(jobs) < 2:
        return None
    reason = _("It failed %(count)d times in a row, last with: %(error)s") % {"count": failures, "error": error}
    block, made = WorkerBlock.objects.update_or_create(
        worker=worker, workflow=workflow, defaults={"failures": failures, "reason": reason[:2000]}
    )
    if made:
        log.warning("worker_blocked", worker=worker.name, workflow=workflow.key, failures=failures)
        publish("farm", "worker.changed", ids=[worker.pk])
    return block


def lift_block(*, worker: Worker, workflow: str, actor: Any, tab: str = "") -> None:
    """Let the worker take the workflow (its key) again; what it failed at before does not count any more.

    NotFound when it is not blocked for it.
    """
    params = {"worker": worker.name, "label": worker.name, "workflow": workflow}
    with recording(project=None, actor=actor, kind="worker.unblock", tab=tab, undoable=False, params=params):
        block = WorkerBlock.objects.select_for_update().filter(worker=worker, workflow__key=workflow).first()
        if block is None:
            raise NotFound(_("This worker is not blocked for %(workflow)s.") % {"workflow": workflow})
        _forgive(block)


def lift_after_check(*, worker: Worker, workflows: list[int]) -> int:
    """A new look at a server that has changed found that it can do these: their blocks are lifted."""
    rows = list(WorkerBlock.objects.filter(worker=worker, workflow__in=workflows))
    for block in rows:
        _forgive(block)
    return len(rows)


def _forgive(block: WorkerBlock) -> None:
    from renders.services.nudges import nudge_worker

    RenderAttempt.objects.filter(worker=block.worker_id, job__workflow=block.workflow_id, cause=Cause.ENGINE).update(
        cause=Cause.FORGIVEN
    )
    block.delete()
    publish("farm", "worker.changed", ids=[block.worker_id])
    nudge_worker(block.worker)
