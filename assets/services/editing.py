"""Characters, environments, presets and LoRAs: made, changed and removed as actions."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Count
from django.utils.translation import gettext as _

from aipipeline.history.services import lock, recording
from aipipeline.projects.checks import check_types
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from assets.models import Character, CinematicPreset, Environment, LoRA

MAX_OUTFITS = 100
MAX_OUTFIT_NAME = 120
FIELDS: dict[type[Tracked], tuple[str, ...]] = {
    Character: (
        "name", "description", "default_clothing", "age", "role", "relations", "outfits", "color", "use_lora",
        "lora", "lora_strength", "trigger_words",
    ),
    Environment: (
        "name", "location", "interior", "time_of_day", "weather", "mood", "description", "prompt",
    ),
    CinematicPreset: ("name", "camera", "lens", "film_stock", "lighting", "filters", "description"),
    LoRA: ("name", "path", "base_model", "trigger_words", "strength"),
}  # fmt: skip


def save_asset(
    *,
    model: Any,
    project: Project,
    actor: Any,
    fields: Mapping[str, Any],
    asset_id: int | None = None,
    seen: int | None = None,
    tab: str = "",
) -> Tracked:
    """Make one (no id) or change these fields of one. Invalid by field, Conflict when stale or the name is taken."""
    name = model._meta.model_name
    kind = f"{name}.{'create' if asset_id is None else 'update'}"
    values = clean(model, project, fields)
    try:
        return _save(model, project, actor, kind, tab, values, asset_id, seen)
    except IntegrityError as error:
        raise _taken(str(values.get("name", ""))) from error


def _save(
    model: Any,
    project: Project,
    actor: Any,
    kind: str,
    tab: str,
    values: dict[str, Any],
    asset_id: int | None,
    seen: int | None,
) -> Tracked:
    with recording(project=project, actor=actor, kind=kind, tab=tab) as recorder:
        if asset_id is None:
            row: Tracked = model(project=project)
        else:
            found = lock(model.objects.live().filter(project=project, pk=asset_id)).first()
            if found is None:
                raise NotFound(_("There is no such row in this project."))
            row = found
        if asset_id is None and not values.get("name"):
            raise Invalid("name: " + _("required"), fields={"name": [_("required")]})
        validate(row, values)
        if values.get("name"):
            _refuse_taken(row, str(values["name"]), asset_id)
        if asset_id is None:
            for name, value in values.items():
                setattr(row, name, value)
            return recorder.create(row)
        recorder.update(row, seen=seen, **values)
    return row


def remove_asset(*, model: Any, project: Project, actor: Any, asset_id: int, tab: str = "") -> None:
    """Take it out of the library; shots that use it keep it until they choose another, undo brings it back."""
    with recording(project=project, actor=actor, kind=f"{model._meta.model_name}.remove", tab=tab) as recorder:
        row = lock(model.objects.live().filter(project=project, pk=asset_id)).first()
        if row is None:
            raise NotFound(_("There is no such row in this project."))
        recorder.remove([row])


def clean(model: Any, project: Project, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Known fields with relations as rows of this project; Invalid names the rest."""
    unknown = [name for name in fields if name not in FIELDS[model]]
    if unknown:
        raise Invalid(
            _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)},
            fields={name: [_("unknown or read-only")] for name in unknown},
        )
    check_types(model, fields)
    if "outfits" in fields:
        _check_outfits(fields["outfits"])
    values = dict(fields)
    if values.get("lora") == "":
        values["lora"] = None
    if values.get("lora") is not None and not isinstance(values["lora"], LoRA):
        wanted = str(values["lora"])
        rows = LoRA.objects.live().filter(project=project)
        number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else None
        values["lora"] = rows.filter(pk=number).first()
        if values["lora"] is None:
            raise Invalid(_("There is no such LoRA in this project."), fields={"lora": [_("unknown id")]})
    return values


def validate(row: Tracked, values: dict[str, Any]) -> None:
    """Clean these values as the model's fields do, in place; Invalid by field."""
    errors: dict[str, list[str]] = {}
    for name, value in list(values.items()):
        field = type(row)._meta.get_field(name)
        if field.is_relation:
            continue
        try:
            if isinstance(value, str) and "\x00" in value:
                raise ValidationError(_("NUL characters are not allowed."))
            values[name] = field.clean(value, row)  # type: ignore[union-attr]
        except ValidationError as error:
            errors[name] = list(error.messages)
    if errors:
        first = next(iter(errors.items()))
        raise Invalid(f"{first[0]}: {first[1][0]}", fields=errors)


def check_names(model: Any, project: Project, ids: Iterable[int]) -> None:
    """Conflict when one of these rows has the name of another, removed ones too. One query."""
    doubled = (
        model.objects.filter(project=project, name__in=model.objects.filter(pk__in=list(ids)).values("name"))
        .order_by()
        .values("name")
        .annotate(rows=Count("id"))
        .filter(rows__gt=1)
        .values_list("name", flat=True)
    )
    if names := list(doubled[:5]):
        raise _taken(", ".join(names))


def _refuse_taken(row: Tracked, name: str, asset_id: int | None) -> None:
    model: Any = type(row)
    project = row.project  # type: ignore[attr-defined]
    if model.objects.filter(project=project, name=name).exclude(pk=asset_id).exists():
        raise _taken(name)


def _taken(name: str) -> Conflict:
    return Conflict(_("There is one named %(name)s already.") % {"name": name}, fields={"name": [_("taken")]})


def _check_outfits(outfits: Any) -> None:
    """Castings name an outfit by its name: it must be there, fit the casting's field, and be the only one."""
    good = isinstance(outfits, list) and len(outfits) <= MAX_OUTFITS
    for outfit in outfits if good else []:
        good = good and isinstance(outfit, dict) and set(outfit) <= {"name", "description"}
        good = good and isinstance(outfit.get("name"), str) and isinstance(outfit.get("description", ""), str)
        good = good and "\x00" not in outfit["name"] + outfit.get("description", "")
    if not good:
        raise Invalid(
            _("Outfits are a list of objects with a name and a description."),
            fields={"outfits": [_("not a list of outfits")]},
        )
    names = [outfit["name"].strip() for outfit in outfits]
    for number, name in enumerate(names, 1):
        if not name or len(name) > MAX_OUTFIT_NAME:
            text = _("Outfit %(number)s needs a name of at most %(limit)s characters.")
            raise _bad_outfits(text % {"number": number, "limit": MAX_OUTFIT_NAME})
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise _bad_outfits(_("There are two outfits named %(name)s.") % {"name": doubled})


def _bad_outfits(message: str) -> Invalid:
    return Invalid(message, fields={"outfits": [message]})
