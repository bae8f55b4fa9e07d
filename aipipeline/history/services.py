"""Undo and redo: put back what an action wrote, wherever nobody has written since."""

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aipipeline.history import values
from aipipeline.history.models import Action, ActionState
from aipipeline.history.recorder import (
    Recorder,
    lock,
    one_action,
    publish_changes,
    recording,
    refuse_stale,
    stale_error,
)
from aipipeline.history.signals import changed
from aipipeline.projects.errors import Conflict
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked

__all__ = [
    "Recorder",
    "Replayed",
    "lock",
    "one_action",
    "recording",
    "redo",
    "refuse_stale",
    "stale_error",
    "undo",
]


@dataclass
class Replayed:
    """What an undo or redo did; `skipped` lists the fields that somebody wrote meanwhile."""

    action: Action
    rows: int = 0
    skipped: list[dict[str, Any]] = field(default_factory=list)


def undo(*, project: Project, actor: Any, tab: str = "") -> Replayed:
    """Take back the newest action of this person (in this tab, when one is named); Conflict when none."""
    with transaction.atomic():
        actions = Action.objects.select_for_update().filter(
            project=project, actor=actor, state=ActionState.DONE, undoable=True
        )
        action = _of_tab(actions, tab).order_by("-sequence").first()
        if action is None:
            raise Conflict(_("There is nothing to undo."))
        return _replay(action, back=True)


def redo(*, project: Project, actor: Any, tab: str = "") -> Replayed:
    """Do again what was undone last; Conflict when nothing was, or a newer edit took its place."""
    with transaction.atomic():
        actions = Action.objects.select_for_update().filter(
            project=project, actor=actor, state=ActionState.UNDONE, undoable=True
        )
        action = _of_tab(actions, tab).order_by("sequence").first()
        if action is None:
            raise Conflict(_("There is nothing to redo."))
        return _replay(action, back=False)


def _of_tab(actions: Any, tab: str) -> Any:
    return actions.filter(tab=tab[:64]) if tab else actions


def _replay(action: Action, *, back: bool) -> Replayed:
    done = Replayed(action=action)
    touched: dict[type[Tracked], dict[Any, Tracked]] = {}
    entries = reversed(action.changes) if back else iter(action.changes)
    for entry in entries:
        model = apps.get_model(entry["model"])
        row = lock(model._default_manager.filter(pk=entry["id"])).first()
        if row is None:
            done.skipped.append({"label": entry["label"], "fields": list(entry["fields"]), "reason": "purged"})
            continue
        written = _replay_row(row, entry, back=back, done=done)
        if written:
            touched.setdefault(model, {})[row.pk] = row
            kind = _kind_of(row, written)
            changed.send(sender=model, instances=[row], fields=set(written), kind=kind, recorder=None)
            done.rows += 1
    action.state = ActionState.UNDONE if back else ActionState.DONE
    action.undone_at = timezone.now() if back else None
    action.skipped = done.skipped
    action.save(update_fields=["state", "undone_at", "skipped"])
    publish_changes(action.project, touched, actor=action.actor)
    return done


def _replay_row(row: Tracked, entry: dict[str, Any], *, back: bool, done: Replayed) -> list[str]:
    written, skipped = [], []
    for name, (before, after) in entry["fields"].items():
        wanted, held = (before, after) if back else (after, before)
        if name == "removed_at":
            # Only whether the row is there counts; the moment differs from one undo to the next.
            if bool(row.removed_at) == bool(held):
                row.removed_at = timezone.now() if wanted else None
                written.append(name)
            else:
                skipped.append(name)
        elif values.read(row, name) == held:
            values.write(row, name, wanted)
            written.append(name)
        else:
            skipped.append(name)
    if skipped:
        done.skipped.append({"label": entry["label"], "fields": skipped, "reason": "changed since"})
    if written:
        row.touch(written)
        row.save(update_fields=[*written, "revision", "field_revisions", "updated_at"])
    return written


def _kind_of(row: Tracked, written: list[str]) -> str:
    if "removed_at" not in written:
        return "updated"
    return "removed" if row.removed_at else "restored"
