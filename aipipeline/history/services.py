"""Undo and redo, and what other apps need to record edits."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from aipipeline.history.changes import changes_since, current_change, touch
from aipipeline.history.models import Action, ActionState
from aipipeline.history.recorder import Recorder, Repeated, lock, one_action, recording, refuse_stale, stale_error
from aipipeline.history.replay import Overtaken, Replayed, replay
from aipipeline.projects.errors import Conflict
from aipipeline.projects.models import Project

__all__ = [
    "Recorder",
    "Repeated",
    "Replayed",
    "changes_since",
    "current_change",
    "lock",
    "one_action",
    "recording",
    "redo",
    "refuse_stale",
    "stale_error",
    "touch",
    "undo",
]

# Of so many who take back the same action in the same moment, each gets one of their own.
TRIES = 8


def undo(*, project: Project, actor: Any, tab: str = "") -> Replayed:
    """Take back the newest action of this person (in this tab, when one is named); Conflict when none."""
    return _take(project, actor, tab, back=True)


def redo(*, project: Project, actor: Any, tab: str = "") -> Replayed:
    """Do again what was undone last; Conflict when nothing was, or a newer edit took its place."""
    return _take(project, actor, tab, back=False)


def next_steps(*, project: Project, actor: Any, tab: str = "") -> tuple[Action | None, Action | None]:
    """What undo and redo would take now; None where there is nothing. Two queries."""
    return _next(project, actor, tab, back=True), _next(project, actor, tab, back=False)


def _take(project: Project, actor: Any, tab: str, *, back: bool) -> Replayed:
    for _try in range(TRIES):
        try:
            with transaction.atomic():
                action = _next(project, actor, tab, back=back)
                if action is None:
                    raise Conflict(_("There is nothing to undo.") if back else _("There is nothing to redo."))
                return replay(action, back=back)
        except Overtaken:
            continue
    raise Conflict(_("Other undos are running in this project. Try again in a moment."))


def _next(project: Project, actor: Any, tab: str, *, back: bool) -> Action | None:
    """The action to take, not locked: rows are locked before actions everywhere (`replay` compares and sets)."""
    state = ActionState.DONE if back else ActionState.UNDONE
    actions = Action.objects.filter(project=project, actor=actor, state=state, undoable=True)
    if tab:
        actions = actions.filter(tab=tab[:64])
    return actions.order_by("-sequence" if back else "sequence").first()
