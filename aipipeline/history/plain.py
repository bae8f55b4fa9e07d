"""Edits of rows that carry no revision (people, workers, schedules): written with their before and after.

They leave an Action like every edit, but undo does not replay them.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from aipipeline.history import values
from aipipeline.history.recorder import Recorder
from aipipeline.projects.errors import Invalid

SECRET = frozenset({"password"})
HIDDEN = "…"


def update_plain(recorder: Recorder, row: models.Model, **fields: Any) -> list[str]:
    """Set these fields of a locked row, validate and save it; returns the names that changed. Invalid by field."""
    before = {name: read(row, name) for name in fields}
    many = {name for name in fields if row._meta.get_field(name).many_to_many}
    for name in fields.keys() - many:
        setattr(row, name, fields[name])
    _validate(row, fields.keys() - many)
    if plain := [name for name in fields if name not in many]:
        row.save(update_fields=plain)
    for name in many:
        getattr(row, name).set(fields[name])
    after = {name: read(row, name) for name in fields}
    changed = [name for name in fields if before[name] != after[name]]
    if changed:
        recorder.note(row, {name: _shown(name, before[name], after[name]) for name in changed})
    return changed


def create_plain(recorder: Recorder, row: models.Model, **many: Any) -> None:
    """Validate and save a new row, then its many-to-many fields."""
    _validate(row, {field.name for field in row._meta.fields if field.editable})
    row.save(force_insert=True)
    for name, wanted in many.items():
        getattr(row, name).set(wanted)
    names = [field.name for field in row._meta.fields if field.editable and not field.primary_key]
    recorder.note(row, {name: _shown(name, None, read(row, name)) for name in [*names, *many]})


def remove_plain(recorder: Recorder, row: models.Model) -> None:
    """Delete a row; what it held stays in the history."""
    names = [field.name for field in row._meta.fields if not field.primary_key]
    recorder.note(row, {name: _shown(name, read(row, name), None) for name in names})
    row.delete()


def read(row: models.Model, name: str) -> Any:
    """The encoded value of a field; a many-to-many one as sorted keys."""
    if row._meta.get_field(name).many_to_many:
        return sorted(getattr(row, name).values_list("pk", flat=True)) if row.pk else []
    return values.read(row, name)


def _shown(name: str, before: Any, after: Any) -> list[Any]:
    if name in SECRET:
        return [HIDDEN if before else before, HIDDEN if after else after]
    return [before, after]


def _validate(row: models.Model, names: "set[str] | Any") -> None:
    try:
        row.full_clean(exclude={field.name for field in row._meta.fields} - set(names))
    except ValidationError as error:
        messages = {name: [str(m) for m in found] for name, found in error.message_dict.items()}
        name, found = next(iter(messages.items()))
        raise Invalid(f"{name}: {found[0]}", fields=messages) from error
