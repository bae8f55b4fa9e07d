"""What counts as the approved result of a job: its own version, or a newer one of the same owner and kind.

The claim, the words of why a job waits and the files that it is then given ask here, so that they agree.
"""

from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from renders.models import RenderJob, Version, VersionState, VersionStatus


def newer_approved(job: str = "") -> "QuerySet[Version]":
    """Approved versions newer than a job's own, for a subquery; `job`: the way to the job, as "job__".

    Where its own is gone, every approved one will do.
    """

    def of(name: str) -> OuterRef:
        return OuterRef(f"{job}{name}")

    owner = Q(shot=of("shot")) | Q(character=of("character")) | Q(environment=of("environment"))
    newer = Q(number__gt=Coalesce(of("version__number"), 0))
    rows = Version.objects.filter(owner, newer, kind=of("kind"), project=of("project"))
    return rows.filter(state=VersionState.PUBLISHED, status=VersionStatus.APPROVED).order_by("-number")


def approved_of(first: RenderJob) -> Version | None:
    """What a job that waited for the approval of this one's result goes on with; None while nothing is approved."""
    own = first.version
    if own is not None and own.state == VersionState.PUBLISHED and own.status == VersionStatus.APPROVED:
        return own
    newer = RenderJob.objects.filter(pk=first.pk).values(found=newer_approved().values("pk")[:1])
    return Version.objects.select_related("project").filter(pk__in=newer).first()
