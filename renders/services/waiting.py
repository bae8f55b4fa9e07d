"""Jobs that wait for other jobs: held back with a reason in words, and let go when what they wait for is there.

A held job is out of the way of the claim (`blocked_reason`), so that thousands of waiting ones cost it nothing. The
reason is only the bookkeeping: the claim asks `unmet` once more before it takes anything, and the reaper looks again
for what was missed.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from renders.models import JobState, RenderJob, VersionStatus, WaitsFor
from renders.services.approvals import newer_approved
from renders.services.locking import can_skip, of_self
from renders.services.nudges import announce_jobs, nudge

AT_ONCE = 500
_Link = RenderJob.after.through


def unmet(job: Any) -> "QuerySet[Any]":
    """The links of a job (a key or an OuterRef) to what it still waits for."""
    return _unmet_links().filter(from_renderjob_id=job)


def _unmet_links() -> "QuerySet[Any]":
    rendered = Q(to_renderjob__state=JobState.SUCCEEDED)
    approved = Q(from_renderjob__waits_for=WaitsFor.RENDERED) | Q(to_renderjob__version__status=VersionStatus.APPROVED)
    return _Link.objects.exclude(rendered & (approved | Exists(newer_approved("to_renderjob__"))))


def still_waits() -> Exists:
    """For annotations and filters on jobs."""
    return Exists(unmet(OuterRef("pk")))


def hold(jobs: "QuerySet[RenderJob]") -> int:
    """Hold back those of these queued jobs that wait for others; returns how many."""
    count = 0
    while done := _look(jobs.filter(still_waits(), blocked_reason="")):
        count += done
    return count


def hold_all() -> int:
    """Hold back every queued job that waits for others and is not held yet, a portion at a time."""
    return hold(RenderJob.objects.filter(state=JobState.QUEUED))


def look_again(*, after: Iterable[RenderJob] | None = None) -> int:
    """Let go the held jobs (those after some jobs, or any) whose wait is over, and say anew what the others wait for.

    Returns how many were let go; their workers are woken.
    """
    which = ~still_waits() if after is None else Q(after__in=[job.pk for job in after])
    held = RenderJob.objects.filter(which, state=JobState.QUEUED).exclude(blocked_reason="").distinct()
    with transaction.atomic():
        keys = list(held.order_by("created_at").values_list("pk", flat=True)[:AT_ONCE])
        _look(RenderJob.objects.filter(pk__in=keys))
        free = list(RenderJob.objects.filter(pk__in=keys, blocked_reason="", state=JobState.QUEUED))
        if free:
            announce_jobs(free)
            transaction.on_commit(lambda: nudge(free), robust=True)
    return len(free)


def look_at(job: RenderJob) -> None:
    """Hold back or let go one queued job whose waits were changed; its workers are woken when it may begin."""
    _look(RenderJob.objects.filter(pk=job.pk))
    free = list(RenderJob.objects.filter(pk=job.pk, blocked_reason="", state=JobState.QUEUED))
    transaction.on_commit(lambda: nudge(free), robust=True)


def _look(jobs: "QuerySet[RenderJob]") -> int:
    """Write what each of these waits for, "" for nothing; returns how many changed. Locked rows come another time."""
    with transaction.atomic():
        waiting = jobs.filter(state=JobState.QUEUED).order_by("pk")
        rows = list(waiting.select_for_update(skip_locked=can_skip(), of=of_self())[:AT_ONCE])
        reasons = _reasons(rows)
        changed = []
        for row in rows:
            reason = reasons.get(row.pk, "")[:300]
            if row.blocked_reason != reason:
                row.blocked_reason = reason
                changed.append(row)
        RenderJob.objects.bulk_update(changed, ["blocked_reason"], batch_size=AT_ONCE)
    return len(changed)


def _reasons(rows: list[RenderJob]) -> dict[Any, str]:
    """By job: the first thing that it waits for, in words."""
    found: dict[Any, str] = {}
    links = (
        _unmet_links()
        .filter(from_renderjob__in=[row.pk for row in rows])
        .select_related("to_renderjob__version", "to_renderjob__shot__scene", "from_renderjob")
        .select_related("to_renderjob__character", "to_renderjob__environment")
        .order_by("to_renderjob__created_at", "pk")
    )
    for link in links:
        reason = _reason(link.to_renderjob, link.from_renderjob.waits_for)
        if reason:
            found.setdefault(link.from_renderjob_id, reason)
    return found


def _reason(first: RenderJob, waits_for: str) -> str:
    names = {"name": str(first.owner)}
    if first.state != JobState.SUCCEEDED:
        return _("Waits for %(name)s to be rendered.") % names
    if waits_for == WaitsFor.RENDERED:
        return ""
    version = first.version
    if version is None:
        return _("Waits for %(name)s, whose version is gone. Render it again, or cancel this job.") % names
    names["version"] = f"v{version.number:03d}"
    if version.status == VersionStatus.APPROVED:
        return ""
    if version.status == VersionStatus.REJECTED:
        return _("Waits for %(name)s: %(version)s was rejected. Approve it or a newer one, or cancel this job.") % names
    return _("Waits for %(version)s of %(name)s to be approved.") % names
