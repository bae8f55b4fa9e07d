"""What people do to background work and schedules, seen in the history."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.plain import create_plain, remove_plain, update_plain
from aipipeline.history.services import recording
from aipipeline.projects.errors import Conflict, Invalid
from celery_workers import ledger
from celery_workers.models import OPEN_STATES, LedgerTask, Schedule

SCHEDULE_FIELDS = ("name", "task", "arguments", "every_seconds", "enabled", "next_run_at")


def cancel_task(*, task: LedgerTask, actor: Any, tab: str = "") -> LedgerTask:
    """`ledger.cancel`, with who did it. Conflict when the task has ended."""
    params = {"task": str(task.pk), "kind": task.kind}
    with recording(project=task.project, actor=actor, kind="task.cancel", tab=tab, undoable=False, params=params):
        row = LedgerTask.objects.select_for_update().get(pk=task.pk)
        if row.state not in OPEN_STATES:
            raise Conflict(_("This task has already ended."))
        ledger.cancel(task=row)
    return row


def known_tasks() -> list[str]:
    """Names of the studio's own Celery tasks: what a schedule may call."""
    from celery import current_app

    current_app.loader.import_default_modules()
    return sorted(name for name in current_app.tasks if not name.startswith("celery."))


def create_schedule(*, actor: Any, fields: Mapping[str, Any], tab: str = "") -> Schedule:
    """Work that comes back. Invalid by field, also for a task that no worker knows."""
    values = _checked(fields)
    with recording(project=None, actor=actor, kind="schedule.create", tab=tab, undoable=False) as recorder:
        row = Schedule(**values)
        create_plain(recorder, row)
    return row


def update_schedule(*, schedule: Schedule, actor: Any, fields: Mapping[str, Any], tab: str = "") -> Schedule:
    """Change a schedule; `ensure_schedule` leaves what a person changed."""
    values = _checked(fields)
    with recording(project=None, actor=actor, kind="schedule.update", tab=tab, undoable=False) as recorder:
        row = Schedule.objects.select_for_update().get(pk=schedule.pk)
        update_plain(recorder, row, **values)
    return row


def remove_schedule(*, schedule: Schedule, actor: Any, tab: str = "") -> None:
    """Delete a schedule. One that the studio itself needs is made again by the next migrate: switch it off instead."""
    with recording(project=None, actor=actor, kind="schedule.remove", tab=tab, undoable=False) as recorder:
        remove_plain(recorder, Schedule.objects.select_for_update().get(pk=schedule.pk))


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := [name for name in fields if name not in SCHEDULE_FIELDS]:
        raise Invalid(_("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)})
    if "task" in fields and fields["task"] not in known_tasks():
        raise Invalid(
            _("No worker knows the task %(task)s.") % {"task": fields["task"]}, fields={"task": [_("unknown")]}
        )
    if "arguments" in fields and not isinstance(fields["arguments"] or {}, dict):
        raise Invalid(_("Arguments are an object."), fields={"arguments": [_("not an object")]})
    values = dict(fields)
    if values.get("arguments", {}) is None:
        values["arguments"] = {}
    return values
