"""Reads of the history: what happened to one row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from aipipeline.history.models import Action, Change
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked

PAGE = 30
LONGEST_PAGE = 100
# An import of ten thousand rows is one action; so many are held in memory at once.
ACTIONS_AT_ONCE = 4


@dataclass(frozen=True)
class Edit:
    """One action and the entries of it that are about the row: its own, then those of rows that belong to it."""

    action: Action
    entries: list[dict[str, Any]]


def action_with_key(project: Project, actor: Any, key: str) -> Action | None:
    """What this person made under this key, also in another tab; None when nothing was, or for no key. One query."""
    return Action.objects.filter(project=project, actor=actor, key=key).first() if key else None


def row_history(
    project: Project,
    model: type[Tracked],
    row_id: int,
    *,
    children: Mapping[type[Tracked], Sequence[int]] | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> tuple[list[Edit], int | None]:
    """Edits of a row, newest first, at most 100, and the number to ask on with (`before`), None at the end.

    `children`: by model, the ids of rows that belong to it. Three queries, whatever they find.
    """
    limit = max(1, min(limit, LONGEST_PAGE))
    wanted = {model._meta.label_lower: {row_id}}
    for child, ids in (children or {}).items():
        wanted[child._meta.label_lower] = set(ids)
    rows = Q()
    for label, keys in wanted.items():
        rows |= Q(model=label, row_id__in=sorted(keys))
    found = Change.objects.filter(rows, project=project, action__isnull=False)
    if before is not None:
        found = found.filter(sequence__lt=before)
    pairs = list(found.order_by("-sequence").values_list("sequence", "action").distinct()[: limit + 1])
    more = pairs[limit - 1][0] if len(pairs) > limit else None
    actions = Action.objects.filter(pk__in=[pk for _sequence, pk in pairs[:limit]]).select_related("actor")
    edits = []
    for action in actions.order_by("-sequence").iterator(chunk_size=ACTIONS_AT_ONCE):
        entries = [entry for entry in action.changes if entry["id"] in wanted.get(entry["model"], ())]
        # What this row does not need of a large action is let go.
        action.changes = entries
        edits.append(Edit(action, sorted(entries, key=lambda entry: entry["model"] != model._meta.label_lower)))
    return edits, more
