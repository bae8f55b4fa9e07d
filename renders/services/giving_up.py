"""Jobs that every worker has refused but one that is away: they wait for it so long, and no longer."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from renders.models import Cause, JobState, RenderAttempt, RenderJob
from renders.services.failing import all_refusals, can_take
from renders.services.locking import can_skip, of_self
from renders.services.queue import end_job

AT_ONCE = 200


def end_refused() -> int:
    """End the waiting jobs that a server refused RENDER_WAIT_SECONDS ago, and that nobody who is there would take.

    Returns how many. Safe to run anywhere, any number of times.
    """
    long_ago = Now() - timedelta(seconds=settings.RENDER_WAIT_SECONDS)
    later = RenderAttempt.objects.filter(job=OuterRef("pk"), finished_at__gt=long_ago)
    waiting = RenderJob.objects.filter(
        ~Exists(later), state=JobState.QUEUED, blocked_reason="", not_before__lte=Now()
    ).exclude(refused=[])
    count = 0
    for pk in list(waiting.order_by("created_at").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            rows = waiting.filter(pk=pk).select_for_update(skip_locked=can_skip(), of=of_self())
            job = rows.select_related("workflow").first()
            last = RenderAttempt.objects.filter(job=pk, cause=Cause.LACKING).order_by("-number").first()
            if job is None or last is None or can_take(job):
                continue
            end_job(job, JobState.FAILED, error=all_refusals(job, last, last.error))
            count += 1
    return count
