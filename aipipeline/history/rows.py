"""Edits of tracked rows that have no rules of their own beyond their fields: made, changed, removed, brought back.

An app's own service calls these; what has rules (shots, assets, the cut) has services of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.utils.translation import gettext as _

from aipipeline.history.recorder import lock, recording
from aipipeline.projects.checks import check_types
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked

T = TypeVar("T", bound=Tracked)


def create_row(*, row: T, actor: Any, tab: str = "") -> T:
    """Save a new row of a project as one action. Invalid by field, Conflict when its unique name is taken."""
    project = row.project  # type: ignore[attr-defined]
    _check_project(row, project)
    _validate(row, {field.name for field in row._meta.fields if field.editable})
    try:
        with recording(project=project, actor=actor, kind=f"{row._meta.model_name}.create", tab=tab) as recorder:
            return recorder.create(row)
    except IntegrityError as error:
        raise _taken() from error


def update_row(
    *, row: T, actor: Any, fields: Mapping[str, Any], known: Sequence[str], seen: int | None = None, tab: str = ""
) -> T:
    """Change fields of a row. Invalid by field; Conflict when one of them changed after revision `seen`."""
    if unknown := [name for name in fields if name not in known]:
        raise Invalid(
            _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)},
            fields={name: [_("unknown or read-only")] for name in unknown},
        )
    project = row.project  # type: ignore[attr-defined]
    check_types(type(row), {name: value for name, value in fields.items() if "." not in name})
    with recording(project=project, actor=actor, kind=f"{row._meta.model_name}.update", tab=tab) as recorder:
        fresh = _live(type(row), [row.pk])[0]
        wanted = _cleaned(fresh, {name: value for name, value in fields.items() if "." not in name}, project)
        # One key of an object has no field to clean it; whoever lets a person name it has checked the value.
        keys = {name: value for name, value in fields.items() if "." in name}
        recorder.update(fresh, seen=seen, **wanted, **keys)
    return fresh  # type: ignore[return-value]


def _cleaned(row: Tracked, fields: Mapping[str, Any], project: Project) -> dict[str, Any]:
    """These values as the row's fields clean them; the row itself stays as it was."""
    held = {name: getattr(row, name) for name in fields}
    for name, value in fields.items():
        setattr(row, name, value)
    _check_project(row, project)
    _validate(row, set(fields))
    wanted = {name: getattr(row, name) for name in fields}
    for name, value in held.items():
        setattr(row, name, value)
    return wanted


def remove_rows(*, rows: Sequence[Tracked], actor: Any, tab: str = "") -> None:
    """Take rows of one model and one project away; undo brings them back."""
    _set_removed(rows, actor, tab, remove=True)


def restore_rows(*, rows: Sequence[Tracked], actor: Any, tab: str = "") -> None:
    """Bring removed rows of one model and one project back."""
    _set_removed(rows, actor, tab, remove=False)


def _set_removed(rows: Sequence[Tracked], actor: Any, tab: str, *, remove: bool) -> None:
    if not rows:
        return
    model, project = type(rows[0]), rows[0].project  # type: ignore[attr-defined]
    kind = f"{model._meta.model_name}.{'remove' if remove else 'restore'}"
    with recording(project=project, actor=actor, kind=kind, tab=tab) as recorder:
        if remove:
            recorder.remove(_live(model, [row.pk for row in rows]))
        else:
            wanted = model._default_manager.filter(pk__in=[row.pk for row in rows], removed_at__isnull=False)
            recorder.restore(lock(wanted))


def _live(model: type[Tracked], keys: Sequence[Any]) -> list[Tracked]:
    found = list(lock(model._default_manager.filter(pk__in=keys, removed_at__isnull=True)))
    if not found:
        raise NotFound(_("This row is not there any more; somebody removed it."))
    return found


def _check_project(row: Tracked, project: Project) -> None:
    """What a row points at lies in the row's own project."""
    for field in row._meta.fields:
        if not isinstance(field, models.ForeignKey) or getattr(row, field.attname) is None:
            continue
        other = getattr(row, field.name)
        # None: a row of the studio, which every project may use.
        if getattr(other, "project_id", project.pk) not in (None, project.pk):
            raise Invalid(
                _("%(field)s: no such row in this project.") % {"field": field.name},
                fields={field.name: [_("unknown id")]},
            )


def _validate(row: Tracked, names: set[str]) -> None:
    try:
        row.full_clean(exclude={field.name for field in row._meta.fields} - names, validate_unique=False)
    except ValidationError as error:
        messages = {name: [str(m) for m in found] for name, found in error.message_dict.items()}
        name, found = next(iter(messages.items()))
        raise Invalid(f"{name}: {found[0]}", fields=messages) from error


def _taken() -> Conflict:
    return Conflict(_("There is such a row already; removed rows keep their names."), fields={})
