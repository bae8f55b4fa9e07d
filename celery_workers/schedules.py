"""Schedules: rows that beat's tick fires when they are due, each once, whoever ticks."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.db.models.functions import Now

from celery_workers.app import LONGEST_CLOCK_ERROR
from celery_workers.models import Schedule

log = structlog.get_logger(__name__)


def ensure_schedule(*, name: str, task: str, every_seconds: float, arguments: Mapping[str, Any] | None = None) -> None:
    """Make the row when it is missing; a row that a person changed stays as it is."""
    Schedule.objects.get_or_create(
        name=name, defaults={"task": task, "every_seconds": every_seconds, "arguments": dict(arguments or {})}
    )


def fire_due() -> int:
    """Send the tasks of every due schedule; a compare-and-set on next_run_at makes each fire once.

    By the database's clock, as the machines that tick may not agree on the time.
    """
    fired = 0
    for schedule in Schedule.objects.filter(enabled=True, next_run_at__lte=Now()):
        mine = Schedule.objects.filter(pk=schedule.pk, next_run_at=schedule.next_run_at).update(
            next_run_at=Now() + timedelta(seconds=schedule.every_seconds), last_run_at=Now()
        )
        if mine:
            try:
                # A worker that is away for long finds a few of each when it is back, not one for every tick.
                expires = max(schedule.every_seconds, LONGEST_CLOCK_ERROR)
                current_app.send_task(schedule.task, kwargs=schedule.arguments, retry=False, expires=expires)
                fired += 1
            except Exception:
                log.warning("schedule_not_sent", schedule=schedule.name, exc_info=True)
    return fired
