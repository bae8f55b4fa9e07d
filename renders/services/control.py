"""What people do to the farm, seen in the history: cancel, retry and order jobs, drain workers, switch workflows."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.plain import update_plain
from aipipeline.history.services import recording
from aipipeline.projects.errors import Conflict, Invalid
from renders.models import JobState, RenderJob, WaitsFor, Worker, WorkerState, Workflow
from renders.services import chains, queue, waiting
from renders.services.locking import of_self
from renders.services.nudges import announce_jobs

PRIORITIES = range(-100, 101)
OWNERS = ("project", "shot", "character", "environment")
# The rest is what the engine declares; `sync_workflows` would write it again.
WORKFLOW_FIELDS = ("enabled",)


def cancel_job(*, job: RenderJob, actor: Any, tab: str = "") -> RenderJob:
    """`queue.cancel`, with who did it. Conflict when the job has ended."""
    with _of_job(job, actor, "render.cancel", tab):
        row: RenderJob = queue.cancel(job=job)
    return row


def retry_job(*, job: RenderJob, actor: Any, tab: str = "") -> chains.Again:
    """Queue a failed or cancelled job again, with all its tries, and what comes back with it (`chains.try_again`).

    Conflict when the job is open or has succeeded.
    """
    with _of_job(job, actor, "render.retry", tab) as recorder:
        # Those that it waits for are locked with it, in one order, before anybody looks at its state.
        chains.dead_before([job])
        row = RenderJob.objects.select_related(*OWNERS).get(pk=job.pk)
        if row.state not in chains.NOT_DONE:
            raise Conflict(_("Only a failed or cancelled job can be tried again."))
        return chains.try_again(recorder, [row])


def set_priority(*, job: RenderJob, actor: Any, priority: int, tab: str = "") -> RenderJob:
    """Change a waiting job's place, -100 to 100, higher first. Conflict when it does not wait any more."""
    if priority not in PRIORITIES:
        raise Invalid(_("priority: a number from -100 to 100."), fields={"priority": [_("out of range")]})
    with _of_job(job, actor, "render.priority", tab) as recorder:
        row: RenderJob = RenderJob.objects.select_for_update(of=of_self()).get(pk=job.pk)
        if row.state != JobState.QUEUED:
            raise Conflict(_("This job does not wait any more."))
        update_plain(recorder, row, priority=priority)
        announce_jobs([row])
    return row


def set_after(
    *, job: RenderJob, actor: Any, after: Sequence[RenderJob], waits_for: str | None = None, tab: str = ""
) -> RenderJob:
    """Say what a waiting job waits for, instead of what it did; a frame of another job is always waited for.

    Invalid for a circle and for jobs that have failed, Conflict when it does not wait any more.
    """
    if waits_for is not None and waits_for not in WaitsFor.values:
        raise Invalid(_("waits_for is rendered or approved."), fields={"waits_for": [_("unknown")]})
    with _of_job(job, actor, "render.after", tab) as recorder:
        named = [value["job"] for value in job.inputs.values() if isinstance(value, dict) and "job" in value]
        firsts = {first.pk: first for first in [*after, *RenderJob.objects.filter(pk__in=named)]}
        if any(first.project_id != job.project_id for first in firsts.values()):
            raise Invalid(_("A job to wait for is not in this project."), fields={"after": [_("unknown id")]})
        # Both sides are locked, in one order: of two who would close a circle between them, the second is refused.
        chains.hold([*firsts.values()], job)
        row: RenderJob = RenderJob.objects.get(pk=job.pk)
        if row.state != JobState.QUEUED:
            raise Conflict(_("This job does not wait any more."))
        chains.refuse_cycle(row, firsts)
        update_plain(recorder, row, waits_for=waits_for or row.waits_for)
        before = sorted(str(pk) for pk in row.after.values_list("pk", flat=True))
        row.after.set(firsts.values())
        recorder.note(row, {"after": [before, sorted(map(str, firsts))]})
        waiting.look_at(row)
        row.refresh_from_db()
        announce_jobs([row])
    return row


def _of_job(job: RenderJob, actor: Any, kind: str, tab: str) -> Any:
    params = {"job": str(job.pk), "label": str(job.owner)}
    return recording(project=job.project, actor=actor, kind=kind, tab=tab, undoable=False, params=params)


def drain_worker(*, worker: Worker, actor: Any, draining: bool, tab: str = "") -> Worker:
    """A draining worker ends what it has and takes nothing new. Conflict for one that is not there to be asked."""
    kind = "worker.drain" if draining else "worker.resume"
    with recording(project=None, actor=actor, kind=kind, tab=tab, undoable=False) as recorder:
        row = Worker.objects.select_for_update().get(pk=worker.pk)
        if row.state == WorkerState.OFFLINE:
            raise Conflict(_("This worker is offline. Start it first."))
        update_plain(recorder, row, state=WorkerState.DRAINING if draining else WorkerState.ONLINE)
        publish("farm", "worker.changed", ids=[row.pk])
    return row


def update_workflow(*, workflow: Workflow, actor: Any, fields: Mapping[str, Any], tab: str = "") -> Workflow:
    """Switch a workflow on or off; everything else is its engine's to declare. Invalid by field."""
    if unknown := [name for name in fields if name not in WORKFLOW_FIELDS]:
        raise Invalid(_("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)})
    with recording(project=None, actor=actor, kind="workflow.update", tab=tab, undoable=False) as recorder:
        row = Workflow.objects.select_for_update().get(pk=workflow.pk)
        update_plain(recorder, row, **fields)
        publish("farm", "workflow.changed", ids=[row.pk])
    return row
