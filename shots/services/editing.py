"""Edits of shot rows: create, change many cells at once, remove, restore, move."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from aipipeline.history.services import Recorder, lock, recording
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from assets.models import Character, CinematicPreset, Environment
from shots.models import Casting, Scene, Shot
from shots.services import ordering
from shots.services.steps import ensure_steps

EDITABLE = (
    "scene", "description", "action", "dialogue", "emotion", "environment", "preset", "size", "angle",
    "movement", "duration_frames", "prompt", "negative_prompt", "seed", "workflow", "handles", "characters",
)  # fmt: skip
STRUCTURE = frozenset({"scene"})
_RELATIONS: dict[str, type[Any]] = {"scene": Scene, "environment": Environment, "preset": CinematicPreset}


class Locked(Conflict):
    """A confirmed shot's structure cannot change; the message says how to unlock."""

    code = "locked"

    def __init__(self, shots: Sequence[Shot]) -> None:
        codes = ", ".join(shot.code for shot in shots[:5])
        super().__init__(
            _("%(codes)s: confirmed and locked. Unlock first (shot page, Unlock), then change the structure.")
            % {"codes": codes},
            details={"locked": [shot.pk for shot in shots]},
        )


def create_shot(*, project: Project, actor: Any, tab: str = "", after: Shot | None = None, **fields: Any) -> Shot:
    """A new shot after another one (same scene unless named), or at the end. One undo step."""
    values = clean_fields(project, fields)
    cast = values.pop("characters", None)
    with recording(project=project, actor=actor, kind="shot.create", tab=tab) as recorder:
        code = ordering.code_between(project, after)
        following = _following(project, after) if after else None
        position = ordering.positions_between(recorder, project, before=following, moving=[], count=1)[0]
        if after is not None:
            values.setdefault("scene", after.scene)
            values.setdefault("environment", after.environment)
        shot = Shot(project=project, code=code, position=position, **values)
        check(shot, values)
        recorder.create(shot)
        ensure_steps(recorder, [shot])
        if cast is not None:
            set_cast(recorder, shot, cast)
    return shot


def update_shots(
    *,
    project: Project,
    actor: Any,
    items: Sequence[Mapping[str, Any]],
    tab: str = "",
    on_conflict: str = "fail",
) -> tuple[list[Shot], list[dict[str, Any]]]:
    """Many cells in one action: items are {"id", "revision" (optional), "fields"}.

    Errors are all or nothing (Invalid, fields by row number). A stale cell is a conflict: Conflict with every
    conflicting row in details["conflicts"], or, with on_conflict="skip", returned beside the changed shots.
    """
    errors: dict[str, Any] = {}
    conflicts: list[dict[str, Any]] = []
    done: list[Shot] = []
    with recording(project=project, actor=actor, kind="shot.update", tab=tab) as recorder:
        ids = [item["id"] for item in items]
        rows = {shot.pk: shot for shot in lock(Shot.objects.live().filter(project=project, pk__in=ids))}
        related = _related_rows(project, items)
        for number, item in enumerate(items):
            try:
                shot = rows.get(item["id"])
                if shot is None:
                    raise NotFound(_("There is no such shot in this project."))
                values = clean_fields(project, item.get("fields", {}), related)
                _update_one(recorder, shot, values, seen=item.get("revision"), person=actor)
                done.append(shot)
            except Locked:
                raise
            except Conflict as conflict:
                conflicts.append(conflict.details)
            except (Invalid, NotFound) as error:
                errors[str(number)] = error.fields or {"id": [str(error.message)]}
        if errors:
            raise Invalid(_("Nothing was saved: some rows have errors."), fields=errors)
        if conflicts and on_conflict != "skip":
            details = {"conflicts": conflicts, **(conflicts[0] if len(conflicts) == 1 else {})}
            raise Conflict(_("Someone else changed this since you read it."), details=details)
    return done, conflicts


def _update_one(recorder: Recorder, shot: Shot, values: dict[str, Any], *, seen: int | None, person: Any) -> None:
    if shot.locked and any(getattr(shot, name) != values[name] for name in STRUCTURE & values.keys()):
        raise Locked([shot])
    cast = values.pop("characters", None)
    check(shot, values)
    changed = recorder.update(shot, seen=seen, **values)
    if cast is not None:
        if seen is not None and shot.stale_fields(["characters"], seen):
            raise Conflict(
                _("Someone else changed this since you read it."),
                details={
                    "id": shot.pk,
                    "revision": shot.revision,
                    "current": {"characters": _cast_ids(shot)},
                },
            )
        if set_cast(recorder, shot, cast):
            shot.touch(["characters"])
            shot.save(update_fields=["revision", "field_revisions"])
    if changed and getattr(person, "pk", None) and not shot.seen_by_person:
        recorder.update(shot, seen_by_person=True)


def remove_shots(*, project: Project, actor: Any, ids: Iterable[int], tab: str = "") -> list[Shot]:
    """Take shots out of the list; files and codes stay, undo brings them back. Locked shots refuse."""
    with recording(project=project, actor=actor, kind="shot.remove", tab=tab) as recorder:
        rows = list(lock(Shot.objects.live().filter(project=project, pk__in=list(ids))))
        if not rows:
            raise NotFound(_("There is no such shot in this project."))
        if locked := [shot for shot in rows if shot.locked]:
            raise Locked(locked)
        recorder.remove(rows)
    return rows


def reorder_shots(*, project: Project, actor: Any, ids: Sequence[int], before: int | None, tab: str = "") -> list[Shot]:
    """Move shots, in the given order, to just before another one (None: to the end). One undo step.

    The story order belongs to the cut, not to the folder tree, so a locked shot may move; its scene stays.
    """
    with recording(project=project, actor=actor, kind="shot.reorder", tab=tab) as recorder:
        return move_shots(recorder, project, ids, before)


def move_shots(recorder: Recorder, project: Project, ids: Sequence[int], before: int | None) -> list[Shot]:
    """`reorder_shots` inside a running recording: the cut moves shots and trims them in one action."""
    rows = {shot.pk: shot for shot in lock(Shot.objects.live().filter(project=project, pk__in=list(ids)))}
    if len(rows) != len(set(ids)) or not ids:
        raise NotFound(_("There is no such shot in this project."))
    target = None
    if before is not None:
        target = Shot.objects.live().filter(project=project, pk=before).first()
        if target is None or before in rows:
            raise Invalid(_("The shot to move before is not in the list."), fields={"before": ["unknown"]})
    places = ordering.positions_between(recorder, project, before=target, moving=list(ids), count=len(rows))
    moved = [rows[pk] for pk in dict.fromkeys(ids)]
    for shot, place in zip(moved, places, strict=True):
        shot.refresh_from_db(fields=["position", "revision", "field_revisions"])
        recorder.update(shot, position=place)
    return moved


def set_cast(recorder: Recorder, shot: Shot, characters: Sequence[Character]) -> bool:
    """Make these the shot's characters, in this order; what a casting carries (outfit…) stays. True if changed."""
    rows = {row.character_id: row for row in lock(Casting.objects.filter(shot=shot))}
    wanted = {character.pk: order for order, character in enumerate(characters)}
    changed = False
    gone = [row for pk, row in rows.items() if pk not in wanted and row.removed_at is None]
    if gone:
        recorder.remove(gone)
        changed = True
    for pk, order in wanted.items():
        row = rows.get(pk)
        if row is None:
            recorder.create(Casting(project_id=shot.project_id, shot=shot, character_id=pk, order=order))
            changed = True
        else:
            if row.removed_at is not None:
                recorder.restore([row])
                changed = True
            changed = bool(recorder.update(row, order=order)) or changed
    return changed


def _cast_ids(shot: Shot) -> list[int]:
    return list(Casting.objects.live().filter(shot=shot).values_list("character_id", flat=True))


def _following(project: Project, shot: Shot) -> Shot | None:
    rows = Shot.objects.live().filter(project=project, position__gt=shot.position)
    return rows.order_by("position", "id").first()


def _related_rows(project: Project, items: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, Any]]:
    """The related rows that these items name, read in one query per relation."""
    found: dict[str, dict[int, Any]] = {}
    models: dict[str, type[Any]] = {**_RELATIONS, "characters": Character}
    for name, model in models.items():
        wanted: set[int] = set()
        for item in items:
            value = item.get("fields", {}).get(name) if isinstance(item.get("fields"), Mapping) else None
            for part in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(part, (int, str)) and str(part).isdigit():
                    wanted.add(int(part))
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
    rows = related if related is not None else _related_rows(project, [{"fields": fields}])
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
    found = rows.get(int(value)) if str(value).isdigit() else None
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
