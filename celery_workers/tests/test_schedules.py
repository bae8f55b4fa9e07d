"""Schedules fire once when they are due, and their messages outlive clocks that disagree."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.db.models.functions import Now
from django.utils import timezone

from celery_workers.app import LONGEST_CLOCK_ERROR, app
from celery_workers.models import Schedule
from celery_workers.schedules import fire_due

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def sent() -> Iterator[dict[str, Any]]:
    """The headers of every message that is sent, by task; whether a broker takes it does not matter here."""
    found: dict[str, Any] = {}

    def keep(sender: str, headers: dict[str, Any], **_more: Any) -> None:
        found[sender] = headers

    before_task_publish.connect(keep)
    yield found
    before_task_publish.disconnect(keep)


def test_what_is_due_is_sent_once_and_long_before_it_expires(sent: dict[str, Any]) -> None:
    Schedule.objects.update(next_run_at=Now() + timedelta(hours=1))
    Schedule.objects.filter(name="renders.reap").update(next_run_at=Now() - timedelta(seconds=1))
    fire_due()
    assert list(sent) == ["renders.reap"]
    left = datetime.fromisoformat(sent["renders.reap"]["expires"]) - timezone.now()
    assert left > timedelta(seconds=LONGEST_CLOCK_ERROR - 60)
    row = Schedule.objects.get(name="renders.reap")
    assert row.last_run_at is not None
    assert row.next_run_at - row.last_run_at == timedelta(seconds=row.every_seconds)
    sent.clear()
    fire_due()
    assert not sent


def test_the_tick_that_starts_everything_outlives_a_fast_clock() -> None:
    assert app.conf.beat_schedule["tick"]["options"]["expires"] >= LONGEST_CLOCK_ERROR >= 600
