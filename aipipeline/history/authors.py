"""Who wrote a cell last, as far as the newer actions tell."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.history.models import Action, ActionState, Change
from aipipeline.projects.tracked import Tracked

# The newest actions are looked through; who wrote before those goes unnamed.
ACTIONS = 50
LONG = 2000


class Authors:
    """For cells of one model that an undo or redo left alone: one query, however many cells there are."""

    def __init__(self, action: Action, model: type[Tracked], cells: Mapping[Any, Sequence[str]]) -> None:
        self._found: dict[tuple[Any, str], tuple[str, datetime]] = {}
        label = model._meta.label_lower
        touched = Change.objects.filter(
            model=label, row_id__in=list(cells)[:LONG], sequence__gt=action.sequence, action__isnull=False
        )
        newer = (
            Action.objects.filter(pk__in=touched.values("action"))
            .exclude(pk=action.pk)
            .exclude(state=ActionState.SUPERSEDED)
            .select_related("actor")
            .order_by("-sequence")[:ACTIONS]
        )
        for other in sorted(newer, key=_moment, reverse=True):
            name = str(other.actor) if other.actor else _("the program")
            for entry in other.changes:
                if entry["model"] == label and entry["id"] in cells:
                    for field in (*entry["fields"], *entry.get("told", {})):
                        self._found.setdefault((entry["id"], field), (name, _moment(other)))

    def reasons(self, pk: Any, names: Sequence[str]) -> dict[str, list[str]]:
        """The fields of a row by the reason, in words, why they were left."""
        found: dict[str, list[str]] = {}
        for name in names:
            found.setdefault(self._reason(pk, name), []).append(name)
        return found

    def _reason(self, pk: Any, name: str) -> str:
        author = self._found.get((pk, name))
        if author is None:
            return _("changed since")
        who, when = author
        return _("changed since by %(name)s (%(when)s)") % {
            "name": who,
            "when": timezone.localtime(when).strftime("%Y-%m-%d %H:%M"),
        }


def _moment(action: Action) -> datetime:
    return action.undone_at or action.created_at
