"""Confirmed shots are locked; unlocking is explicit and logged."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.services import Recorder, lock, recording
from aipipeline.projects.errors import Invalid
from shots.models import Shot


def lock_shots(recorder: Recorder, shots: Sequence[Shot]) -> None:
    """Fix scene, code, deletion and folder of these shots (part of confirm)."""
    rows = lock(Shot.objects.live().filter(pk__in=[s.pk for s in shots], locked=False))
    recorder.update_many((shot, {"locked": True}) for shot in rows)


def unlock_shot(*, shot: Shot, actor: Any, reason: str, tab: str = "") -> Shot:
    """Open one shot's structure again; the reason is kept in the history."""
    if not reason.strip():
        raise Invalid(
            _("Say why the shot is unlocked; colleagues see it in the history."),
            fields={"reason": [_("required")]},
        )
    with recording(
        project=shot.project,
        actor=actor,
        kind="shot.unlock",
        tab=tab,
        params={"reason": reason.strip()[:300]},
    ) as recorder:
        row: Shot = lock(Shot.objects.filter(pk=shot.pk)).get()
        recorder.update(row, locked=False)
    return row
