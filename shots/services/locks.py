"""Confirmed shots are locked; unlocking is explicit and logged."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.services import Recorder, lock, recording
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from shots.models import Shot


def lock_shots(recorder: Recorder, shots: Sequence[Shot]) -> None:
    """Fix scene, code, deletion and folder of these shots (part of confirm)."""
    rows = lock(Shot.objects.live().filter(pk__in=[s.pk for s in shots], locked=False))
    recorder.update_many((shot, {"locked": True}) for shot in rows)


def unlock_shot(*, shot: Shot, actor: Any, reason: str, tab: str = "") -> Shot:
    """Open one shot's structure again; the reason is kept in the history."""
    unlock_shots(project=shot.project, actor=actor, ids=[shot.pk], reason=reason, tab=tab)
    return Shot.objects.get(pk=shot.pk)


def unlock_shots(*, project: Project, actor: Any, ids: Sequence[int], reason: str, tab: str = "") -> list[Shot]:
    """Open the structure of these shots in one action with one reason; returns those that were locked.

    NotFound, with nothing opened, when one of them is not in the project.
    """
    if not reason.strip():
        raise Invalid(
            _("Say why the shot is unlocked; colleagues see it in the history."),
            fields={"reason": [_("required")]},
        )
    params = {"reason": reason.strip()[:300]}
    with recording(project=project, actor=actor, kind="shot.unlock", tab=tab, params=params) as recorder:
        rows = list(lock(Shot.objects.live().filter(project=project, pk__in=ids)))
        if not rows or len(rows) < len(set(ids)):
            raise NotFound(_("There is no such shot in this project."))
        return recorder.update_many((row, {"locked": False}) for row in rows)
