"""One action of many edits of characters, environments or presets: cells, new rows, removed rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from aipipeline.history.services import Recorder, lock, recording, refuse_stale
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from aipipeline.tables.custom import CustomCells, split
from aipipeline.tables.registry import Done, Table
from assets.models import LoRA
from assets.services.editing import check_names, clean, validate
from assets.services.outfits import outfits_from_text


def apply_batch(
    *,
    table: Table,
    project: Project,
    actor: Any,
    items: Sequence[Mapping[str, Any]] = (),
    create: Sequence[Mapping[str, Any]] = (),
    remove: Sequence[int] = (),
    on_conflict: str = "fail",
    tab: str = "",
    key: str = "",
) -> Done:
    """As `Table.apply_batch`, in a constant number of queries. All or nothing in errors."""
    name = table.model._meta.model_name
    kinds = [kind for kind, rows in (("update", items), ("create", create), ("remove", remove)) if rows]
    kind = f"{name}.{kinds[0]}" if len(kinds) == 1 else f"{name}.update"
    loras = _loras(project, [*items, *create])
    own = CustomCells(project, table.key, [*items, *create])
    done = Done()
    try:
        with recording(project=project, actor=actor, kind=kind, tab=tab, key=key) as recorder:
            if remove:
                done.removed = _remove(recorder, table, project, remove)
            if items:
                done.changed, done.conflicts = _change(recorder, table, project, items, on_conflict, loras, own)
            if create:
                done.created = _create(recorder, table, project, create, loras, own)
            check_names(table.model, project, [*done.changed, *done.created])
    except IntegrityError as error:
        raise Conflict(_("There is a row with this name already; removed rows keep their names.")) from error
    return done


def _remove(recorder: Recorder, table: Table, project: Project, ids: Sequence[int]) -> list[int]:
    rows = list(lock(table.model.objects.live().filter(project=project, pk__in=list(ids))))
    if missing := set(ids) - {row.pk for row in rows}:
        raise Invalid(
            _("Nothing was saved: some rows to remove are not in this project."), fields={"delete": sorted(missing)}
        )
    recorder.remove(rows)
    return [row.pk for row in rows]


def _change(
    recorder: Recorder,
    table: Table,
    project: Project,
    items: Sequence[Mapping[str, Any]],
    on_conflict: str,
    loras: Mapping[int, LoRA],
    own: CustomCells,
) -> tuple[list[int], list[dict[str, Any]]]:
    ids = [item["id"] for item in items]
    rows = {row.pk: row for row in lock(table.model.objects.live().filter(project=project, pk__in=ids))}
    errors: dict[str, Any] = {}
    conflicts: list[dict[str, Any]] = []
    planned: list[tuple[Tracked, dict[str, Any]]] = []
    for number, item in enumerate(items):
        try:
            row = rows.get(item["id"])
            if row is None:
                raise NotFound(_("There is no such row in this project."))
            values = _values(table, project, row, item.get("fields", {}), loras, own)
            if (seen := item.get("revision")) is not None:
                refuse_stale(row, seen, values)
            planned.append((row, values))
        except Conflict as conflict:
            sides = {side: table.cells_of(conflict.details[side]) for side in ("current", "yours")}
            conflicts.append({**conflict.details, **sides})
        except (Invalid, NotFound) as error:
            errors[str(number)] = error.fields or {"id": [str(error.message)]}
    _refuse(errors, conflicts, on_conflict)
    recorder.update_many(planned)
    return list(dict.fromkeys(row.pk for row, _values in planned)), conflicts


def _create(
    recorder: Recorder,
    table: Table,
    project: Project,
    rows: Sequence[Mapping[str, Any]],
    loras: Mapping[int, LoRA],
    own: CustomCells,
) -> list[int]:
    errors: dict[str, Any] = {}
    made: list[Tracked] = []
    for number, wanted in enumerate(rows):
        model: Any = table.model
        row = model(project=project)
        try:
            values = _values(table, project, row, wanted.get("fields", {}), loras, own)
            if not values.get("name"):
                raise Invalid(_("A name is needed."), fields={"name": [_("required")]})
            _built_in, custom = split(values)
            for name, value in _built_in.items():
                setattr(row, name, value)
            if custom:
                row.custom = {name.partition(".")[2]: value for name, value in custom.items() if value is not None}
            made.append(row)
        except Invalid as error:
            errors[f"create.{number}"] = error.fields
    _refuse(errors, [], "fail")
    return [row.pk for row in recorder.create_many(made)]


def _values(
    table: Table, project: Project, row: Tracked, fields: Any, loras: Mapping[int, LoRA], own: CustomCells
) -> dict[str, Any]:
    if not isinstance(fields, Mapping):
        raise Invalid(_("Give the fields as an object."), fields={"fields": [_("not an object")]})
    built_in, custom = split(fields)
    if isinstance(built_in.get("outfits"), str):
        built_in["outfits"] = outfits_from_text(built_in["outfits"])
    if built_in.get("lora") in loras:
        built_in["lora"] = loras[built_in["lora"]]
    values = clean(table.model, project, built_in)
    validate(row, values)
    return {**values, **own.clean(custom)}


def _refuse(errors: dict[str, Any], conflicts: list[dict[str, Any]], on_conflict: str) -> None:
    if errors:
        raise Invalid(_("Nothing was saved: some rows have errors."), fields=errors)
    if conflicts and on_conflict != "skip":
        details = {"conflicts": conflicts, **(conflicts[0] if len(conflicts) == 1 else {})}
        raise Conflict(_("Someone else changed this since you read it."), details=details)


def _loras(project: Project, rows: Sequence[Mapping[str, Any]]) -> dict[int, LoRA]:
    """The LoRAs that these rows name, in one query."""
    wanted = {
        value
        for row in rows
        if isinstance(row.get("fields"), Mapping) and isinstance(value := row["fields"].get("lora"), int)
    }
    found = LoRA.objects.live().filter(project=project, pk__in=wanted) if wanted else []
    return {row.pk: row for row in found}
