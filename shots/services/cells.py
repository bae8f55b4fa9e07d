"""Cells of a shot as they come from outside: sorted by who writes them, checked, relations as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.tables.custom import CustomCells, split
from assets.models import Character, CinematicPreset, Environment
from shots.models import Scene, Shot, ShotState
from shots.services.planning import PLANNED, Plans

EDITABLE = (
    "scene", "description", "action", "dialogue", "emotion", "environment", "preset", "size", "angle",
    "movement", "duration_frames", "prompt", "negative_prompt", "seed", "workflow", "handles", "characters",
)  # fmt: skip
STRUCTURE = frozenset({"scene"})
_RELATIONS: dict[str, type[Any]] = {"scene": Scene, "environment": Environment, "preset": CinematicPreset}


@dataclass
class Cells:
    """The cells of a row by who writes them."""

    built_in: dict[str, Any]
    custom: dict[str, Any]
    plan: dict[str, Any]
    status: str | None


def sorted_cells(fields: Any, own: CustomCells, plans: Plans) -> Cells:
    if not isinstance(fields, Mapping):
        raise Invalid(_("Give the fields as an object."), fields={"fields": [_("not an object")]})
    built_in, custom = split({str(name): value for name, value in fields.items()})
    plan = plans.clean(built_in)
    status = built_in.pop("status", None)
    if status is not None and status not in ShotState.values:
        raise Invalid(
            _("Unknown state: %(state)s.") % {"state": str(status)[:40]}, fields={"status": [_("unknown state")]}
        )
    left = {name: value for name, value in built_in.items() if name not in PLANNED}
    return Cells(left, own.clean(custom), plan, status)


def related_rows(project: Project, items: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, Any]]:
    """The related rows that these items name, read in one query per relation."""
    found: dict[str, dict[int, Any]] = {}
    models: dict[str, type[Any]] = {**_RELATIONS, "characters": Character}
    for name, model in models.items():
        wanted: set[int] = set()
        for item in items:
            value = item.get("fields", {}).get(name) if isinstance(item.get("fields"), Mapping) else None
            for part in value if isinstance(value, (list, tuple)) else [value]:
                if (number := whole_number(part)) is not None:
                    wanted.add(number)
        if wanted:
            found[name] = {row.pk: row for row in model.objects.live().filter(project=project, pk__in=wanted)}
    return found


def clean_fields(
    project: Project, fields: Any, related: Mapping[str, Mapping[int, Any]] | None = None
) -> dict[str, Any]:
    """Known fields only, relations as rows of this project; Invalid names what is wrong."""
    if not isinstance(fields, Mapping):
        raise Invalid(_("Give the fields as an object."), fields={"fields": [_("not an object")]})
    if unknown := [name for name in fields if name not in EDITABLE]:
        raise Invalid(
            _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(map(str, unknown))},
            fields={str(name): [_("unknown or read-only")] for name in unknown},
        )
    rows = related if related is not None else related_rows(project, [{"fields": fields}])
    values: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _RELATIONS:
            values[name] = _row(rows.get(name, {}), name, value)
        elif name == "characters":
            parts = value if isinstance(value, (list, tuple)) else [value]
            values[name] = [row for row in (_row(rows.get(name, {}), name, part) for part in parts) if row]
        else:
            values[name] = value
    return values


def _row(rows: Mapping[int, Any], name: str, value: Any) -> Any:
    if value in (None, ""):
        return None
    if hasattr(value, "pk"):
        return value
    number = whole_number(value)
    found = rows.get(number) if number is not None else None
    if found is None:
        raise Invalid(_("%(field)s: no such row in this project.") % {"field": name}, fields={name: [_("unknown id")]})
    return found


def check(shot: Shot, values: dict[str, Any]) -> None:
    """Validate these values as the model's fields do, and leave them in `values` in their clean types."""
    errors: dict[str, Any] = {}
    for name, value in list(values.items()):
        field = Shot._meta.get_field(name)
        if field.is_relation:
            continue
        try:
            if isinstance(value, str) and "\x00" in value:
                raise ValidationError(_("NUL characters are not allowed."))
            raw = None if value == "" and field.null else value
            values[name] = field.clean(raw, shot)  # type: ignore[union-attr]
        except ValidationError as error:
            errors[name] = list(error.messages)
    if errors:
        first = next(iter(errors.items()))
        raise Invalid(f"{first[0]}: {first[1][0]}", fields=errors)


def of_one_row(error: Invalid) -> Invalid:
    """An error by row number, of a call that has one row, as one by field."""
    fields = next((found for found in error.fields.values() if isinstance(found, dict)), None)
    if not fields:
        return error
    name, messages = next(iter(fields.items()))
    return Invalid(f"{name}: {messages[0]}", fields=fields)
