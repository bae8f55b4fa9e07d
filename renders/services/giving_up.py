"""Jobs that every worker has refused but one that is away: they wait for it so long, and no longer."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
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
    # Thousands may wait for one worker that is busy: those who differ in nothing that counts are asked about once.
    alike = waiting.order_by().values_list("workflow", "vram_gb", "refused").distinct()
    for workflow, vram_gb, refused in list(alike[:AT_ONCE]):
        mine = waiting.filter(workflow=workflow, vram_gb=vram_gb, refused=refused).order_by("created_at")
        one = mine.select_related("workflow").first()
        if one is not None and not can_take(one):
            count += sum(_end(mine.filter(pk=pk)) for pk in list(mine.values_list("pk", flat=True)[:AT_ONCE]))
    return count


def _end(waiting: "QuerySet[RenderJob]") -> int:
    with transaction.atomic():
        job = waiting.select_for_update(skip_locked=can_skip(), of=of_self()).select_related("workflow").first()
        if job is None:
            return 0
        last = RenderAttempt.objects.filter(job=job, cause=Cause.LACKING).order_by("-number").first()
        if last is None:
            return 0
        end_job(job, JobState.FAILED, error=all_refusals(job, last, last.error))
    return 1
