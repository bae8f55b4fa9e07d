"""Reviews: what people say of versions, and what that does to the shot's step."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.services import lock, recording
from aipipeline.projects.errors import Conflict, Invalid
from renders.models import Review, Verdict, Version, VersionState, VersionStatus
from renders.services.owners import touch_owners
from renders.signals import version_reviewed
from shots.models import Shot, ShotState, ShotStep
from shots.models.step import STEP_OF_KIND
from shots.services.steps import move


def review_version(
    *,
    version: Version,
    actor: Any,
    verdict: str,
    text: str = "",
    frame: int | None = None,
    region: list[float] | None = None,
    auto: bool = False,
    tab: str = "",
) -> Review:
    """Approve, reject or comment. `auto` marks the machine's approval; it never overrides a person's verdict."""
    if verdict not in Verdict.values:
        raise Invalid(_("Unknown verdict: %(verdict)s.") % {"verdict": verdict}, fields={"verdict": [_("unknown")]})
    if verdict != Verdict.APPROVE and not text.strip():
        raise Invalid(_("Say what is wrong or what you mean."), fields={"text": [_("required")]})
    if version.state != VersionState.PUBLISHED:
        raise Conflict(_("This version is not published."))
    with recording(
        project=version.project,
        actor=actor,
        kind=f"version.{verdict}",
        tab=tab,
        undoable=False,
        params={"version": version.pk, "label": str(version), "text": text[:200]},
    ) as recorder:
        if auto and _person_decided(version):
            raise Conflict(_("A person has already decided on this."))
        review = Review.objects.create(
            version=version,
            author=actor if getattr(actor, "pk", None) else None,
            verdict=verdict,
            text=text.strip(),
            frame=frame,
            region=region,
            auto=auto,
        )
        if verdict == Verdict.APPROVE:
            _approve(recorder, version)
        elif verdict == Verdict.REJECT:
            _reject(recorder, version, text.strip())
        if version.shot_id and not auto and getattr(actor, "pk", None):
            shot = lock(Shot.objects.filter(pk=version.shot_id)).get()
            recorder.update(shot, seen_by_person=True)
        version_reviewed.send(sender=Version, version=version, review=review)
        if verdict != Verdict.COMMENT:
            touch_owners([version])
        publish(
            f"project:{version.project_id}",
            "version.changed",
            ids=[version.pk],
            shots=[version.shot_id] if version.shot_id else [],
        )
    return review


def _siblings(version: Version) -> Any:
    return Version.objects.filter(
        shot=version.shot_id,
        character=version.character_id,
        environment=version.environment_id,
        kind=version.kind,
    )


def _person_decided(version: Version) -> bool:
    verdicts = Review.objects.filter(version__in=_siblings(version), auto=False)
    return verdicts.exclude(verdict=Verdict.COMMENT).exists()


def _step_row(version: Version) -> ShotStep | None:
    step = STEP_OF_KIND.get(version.kind)
    if version.shot_id is None or step is None:
        return None
    return lock(ShotStep.objects.filter(shot_id=version.shot_id, step=step)).select_related("shot").first()


def _approve(recorder: Any, version: Version) -> None:
    with transaction.atomic():
        _siblings(version).filter(status=VersionStatus.APPROVED).exclude(pk=version.pk).update(
            status=VersionStatus.PENDING
        )
        Version.objects.filter(pk=version.pk).update(status=VersionStatus.APPROVED)
        version.status = VersionStatus.APPROVED
    row = _step_row(version)
    if row is None:
        return
    if row.state in (ShotState.APPROVED, ShotState.FINAL):
        if row.approved_version == version.pk:
            return
        if row.state == ShotState.FINAL:
            move(recorder, row, ShotState.APPROVED)
        move(recorder, row, ShotState.REVIEW)
    if row.state == ShotState.GENERATING:
        # A job of this step still runs; its outcome goes to review, the approval stands on the version.
        recorder.update(row, approved_version=version.pk)
        return
    for hop in _hops_to_review(row.state):
        move(recorder, row, hop)
    move(recorder, row, ShotState.APPROVED, approved_version=version.pk)


def _hops_to_review(state: str) -> list[str]:
    hops: dict[str, list[str]] = {
        ShotState.DRAFT: [ShotState.READY, ShotState.REVIEW],
        ShotState.READY: [ShotState.REVIEW],
    }
    return hops.get(state, [])


def _reject(recorder: Any, version: Version, reason: str) -> None:
    Version.objects.filter(pk=version.pk).update(status=VersionStatus.REJECTED)
    version.status = VersionStatus.REJECTED
    row = _step_row(version)
    if row is None:
        return
    if row.state == ShotState.APPROVED and row.approved_version == version.pk:
        move(recorder, row, ShotState.REVIEW)
    if row.state == ShotState.REVIEW:
        move(recorder, row, ShotState.READY, reason=reason[:300])
