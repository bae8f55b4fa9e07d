"""Writing again what cells held before an edit, long after undo has moved on."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from aipipeline.history.models import Action
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.tables.custom import columns_of
from aipipeline.tables.registry import Done, Table


def restore_cells(
    *, project: Project, table: Table, actor: Any, row_id: int, action_id: UUID, fields: Sequence[str], tab: str = ""
) -> Done:
    """Give these fields of a row the values that they had before an action: a new edit, an undo step of its own.

    Invalid by field for what the action did not write or what cannot be written; a locked row or a status that may
    not move there refuses as in any other edit.
    """
    if not fields:
        raise Invalid(_("Choose at least one field to put back."), fields={"fields": [_("empty")]})
    before = _before(project, table, row_id, action_id)
    editable = {column.name for column in columns_of(project, table) if column.editable}
    errors: dict[str, list[str]] = {}
    for name in fields:
        if name not in before:
            errors[name] = [str(_("this edit did not write it"))]
        elif name not in editable:
            errors[name] = [str(_("it cannot be put back by itself"))]
    if errors:
        name, messages = next(iter(errors.items()))
        raise Invalid(f"{name}: {messages[0]}", fields=errors)
    cells = table.cells_of({name: before[name] for name in fields})
    return table.apply_batch(project=project, actor=actor, items=[{"id": row_id, "fields": cells}], tab=tab)


def _before(project: Project, table: Table, row_id: int, action_id: UUID) -> dict[str, Any]:
    """By field of this row: its encoded value before the action."""
    action = Action.objects.filter(project=project, pk=action_id).first()
    entries = action.changes if action else []
    entry = next((e for e in entries if e["model"] == table.label_lower and e["id"] == row_id), None)
    if entry is None:
        raise NotFound(_("There is no such edit of this row."))
    told = {name: pair for name, pair in entry.get("told", {}).items() if pair != [None, None]}
    return {name: pair[0] for name, pair in {**entry["fields"], **told}.items()}
