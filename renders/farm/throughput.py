"""What the farm got done in the last 24 hours, by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncHour
from django.utils import timezone

from renders.models import JobState, RenderJob

HOURS = 24


@dataclass(frozen=True)
class Bar:
    """One hour: its jobs, and where its bars stand in a strip of 24 × 28 units (heights from the bottom)."""

    at: datetime
    done: int
    failed: int
    x: float
    done_height: float
    failed_height: float

    @property
    def done_y(self) -> float:
        return 28 - self.done_height

    @property
    def failed_y(self) -> float:
        return self.done_y - self.failed_height


@dataclass(frozen=True)
class Throughput:
    bars: Sequence[Bar]
    done: int
    failed: int

    @property
    def per_hour(self) -> float:
        return self.done / HOURS

    @property
    def error_rate(self) -> float | None:
        """Of the jobs that ended by themselves, the share that failed; None when none did."""
        ended = self.done + self.failed
        return self.failed / ended if ended else None


def throughput(jobs: "QuerySet[RenderJob]") -> Throughput:
    """Of these jobs, those that succeeded and failed since 24 hours; one query."""
    now = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    first = now - timedelta(hours=HOURS - 1)
    ended = (
        jobs.order_by()
        .filter(finished_at__gte=first, state__in=[JobState.SUCCEEDED, JobState.FAILED])
        .annotate(hour=TruncHour("finished_at"))
        .values_list("hour", "state")
        .annotate(n=Count("pk"))
    )
    counts = {(hour, state): count for hour, state, count in ended}
    pairs = []
    for n in range(HOURS):
        at = first + timedelta(hours=n)
        pairs.append((at, counts.get((at, JobState.SUCCEEDED), 0), counts.get((at, JobState.FAILED), 0)))
    most = max((done + failed for _at, done, failed in pairs), default=0) or 1
    bars = [
        Bar(at, done, failed, n * 10, round(28 * done / most, 2), round(28 * failed / most, 2))
        for n, (at, done, failed) in enumerate(pairs)
    ]
    return Throughput(bars, sum(bar.done for bar in bars), sum(bar.failed for bar in bars))
