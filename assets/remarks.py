"""Notes in the metadata files of what they hang on. (Notes lie below this layer and know no files.)"""

from collections.abc import Iterable, Sequence
from typing import Any

from aipipeline.notes.models import Note
from assets.facts import Form, save_all
from assets.rebuilding import Rebuild

NOTE = Form(Note, names={"author": "username"}, leave=frozenset({"target_model", "target_id"}))


def notes_told(model: type[Any], ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """The notes on these rows, removed ones too, oldest first; one query."""
    rows = Note.objects.filter(target_model=model._meta.label_lower, target_id__in=[str(pk) for pk in ids])
    found: dict[int, list[dict[str, Any]]] = {}
    for note in NOTE.rows(rows).order_by("created_at", "id"):
        found.setdefault(int(note.target_id), []).append(NOTE.facts(note))
    return found


def restore_notes(rebuild: Rebuild, told: Iterable[tuple[str, Any, Any]]) -> None:
    """`told`: (place, row, facts that hold "notes")."""
    made: list[Note] = []
    for where, row, facts in told:
        target = {"target_model": row._meta.label_lower, "target_id": str(row.pk)}
        for place, note in rebuild.objects(facts, "notes", where):
            if found := NOTE.make(rebuild, place, note, **target):
                made.append(found)
    save_all(made)


def rows_with_notes(model: type[Any], rows: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """{row id: {"notes": […]}} for a part of a file."""
    found = notes_told(model, [row.pk for row in rows])
    return {row.pk: {"notes": found.get(row.pk, [])} for row in rows}
