"""Notes on any object: written, changed and taken back as actions. (Notes know nothing of what they hang on.)"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from aipipeline.history.rows import create_row, remove_rows, update_row
from aipipeline.notes.models import Note
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project

TARGETS = ("shots.shot", "shots.scene", "assets.character", "assets.environment", "renders.version")
EDITABLE = ("text", "resolved", "frame", "region")


def write_note(
    *, project: Project, actor: Any, target_model: str, target_id: str, tab: str = "", **fields: Any
) -> Note:
    """A note on a row of this project. Invalid when there is no such row."""
    if target_model not in TARGETS:
        raise Invalid(_("Notes hang on shots, scenes, assets and versions."), fields={"target_model": [_("unknown")]})
    number = int(target_id) if target_id.isascii() and target_id.isdigit() and len(target_id) < 19 else None
    if not apps.get_model(target_model)._default_manager.filter(project=project, pk=number).exists():
        raise Invalid(_("There is no such row in this project."), fields={"target_id": [_("unknown id")]})
    author = actor if getattr(actor, "pk", None) else None
    note = Note(project=project, author=author, target_model=target_model, target_id=target_id, **fields)
    return create_row(row=note, actor=actor, tab=tab)


def update_note(
    *, note: Note, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> Note:  # fmt: skip
    """Change what a note says, or mark it as resolved."""
    return update_row(row=note, actor=actor, fields=fields, known=EDITABLE, seen=seen, tab=tab)


def remove_notes(*, notes: Sequence[Note], actor: Any, tab: str = "") -> None:
    """Take notes of one project back; undo brings them again."""
    remove_rows(rows=notes, actor=actor, tab=tab)
