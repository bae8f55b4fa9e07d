"""Edits of shot rows: create, change many cells at once, remove, restore, move."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.recorder import different_fields
from aipipeline.history.services import Recorder, lock, recording, refuse_stale
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.tables.custom import CustomCells
from assets.models import Character
from shots.models import Casting, Shot, ShotState
from shots.services import ordering
from shots.services.cells import (
    STRUCTURE,
    check,
    clean_fields,
    of_one_row,
    related_rows,
    sorted_cells,
)
from shots.services.moves import move_rows
from shots.services.planning import Plans
from shots.services.steps import ensure_steps


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
    """A new shot after another one (same scene and place unless named), or at the end. One undo step."""
    with recording(project=project, actor=actor, kind="shot.create", tab=tab) as recorder:
        before = None
        if after is not None:
            fields = {"scene": after.scene_id, "environment": after.environment_id, **fields}
            following = _following(project, after)
            before = following.pk if following else None
        try:
            return add_shots(recorder, project, [{"fields": fields, "before": before}])[0]
        except Invalid as error:
            raise of_one_row(error) from error


def add_shots(recorder: Recorder, project: Project, rows: Sequence[Mapping[str, Any]]) -> list[Shot]:
    """New shots inside a running recording; Invalid with the errors by row number.

    Rows are {"fields", "before"}: the id of the shot that they come before, None for the end, in the order given.
    """
    related = related_rows(project, rows)
    own = CustomCells(project, "shots", rows)
    plans = Plans(project, rows)
    errors: dict[str, Any] = {}
    shots: list[Shot] = []
    casts: list[Sequence[Character]] = []
    planned: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        try:
            cells = sorted_cells(row.get("fields", {}), own, plans)
            values = clean_fields(project, cells.built_in, related)
            cast = values.pop("characters", [])
            check(Shot(project=project), values)
            if cells.status not in (None, ShotState.DRAFT):
                raise Invalid(_("A new shot is a draft."), fields={"status": [_("a new shot is a draft")]})
            custom = {name.partition(".")[2]: value for name, value in cells.custom.items() if value is not None}
            shots.append(Shot(project=project, custom=custom, **values))
            casts.append(cast)
            planned.append(cells.plan)
        except Invalid as error:
            errors[f"create.{number}"] = error.fields
    if errors:
        raise Invalid(_("Nothing was saved: some rows have errors."), fields=errors)
    ordering.place_new(recorder, project, shots, [row.get("before") for row in rows])
    recorder.create_many(shots)
    ensure_steps(recorder, shots)
    set_casts(recorder, dict(zip(shots, casts, strict=True)))
    plans.lock_steps(shots)
    for shot, wanted in zip(shots, planned, strict=True):
        plans.add(shot, wanted)
    plans.write(recorder)
    return shots


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
    conflicting row in details["conflicts"], or, with on_conflict="skip", returned beside the changed shots. A
    conflicting row is left whole: none of its fields is written.
    """
    with recording(project=project, actor=actor, kind="shot.update", tab=tab) as recorder:
        return change_shots(recorder, project, items, on_conflict=on_conflict, person=actor)


def change_shots(
    recorder: Recorder, project: Project, items: Sequence[Mapping[str, Any]], *, on_conflict: str, person: Any
) -> tuple[list[Shot], list[dict[str, Any]]]:
    """`update_shots` inside a running recording, in a constant number of queries: all is checked, then written."""
    ids = [item["id"] for item in items]
    rows = {shot.pk: shot for shot in lock(Shot.objects.live().filter(project=project, pk__in=ids))}
    related = related_rows(project, items)
    present = present_casts([rows[item["id"]] for item in items if item["id"] in rows and _names_cast(item)])
    own, plans = CustomCells(project, "shots", items), Plans(project, items)
    plans.lock_steps(list(rows.values()))
    errors: dict[str, Any] = {}
    conflicts: list[dict[str, Any]] = []
    planned: list[tuple[Shot, dict[str, Any], list[Character] | None]] = []
    moves: dict[Shot, str] = {}
    for number, item in enumerate(items):
        try:
            shot = rows.get(item["id"])
            if shot is None:
                raise NotFound(_("There is no such shot in this project."))
            cells = sorted_cells(item.get("fields", {}), own, plans)
            values = clean_fields(project, cells.built_in, related)
            cast = values.pop("characters", None)
            check(shot, values)
            values.update(cells.custom)
            if shot.locked and different_fields(shot, {name: values[name] for name in STRUCTURE & values.keys()}):
                raise Locked([shot])
            if (seen := item.get("revision")) is not None:
                status = {} if cells.status is None else {"status": cells.status}
                _refuse_stale(shot, seen, {**values, **status}, cast, present.get(shot.pk, []))
                plans.refuse_stale(shot, seen, cells.plan)
            planned.append((shot, values, cast))
            plans.add(shot, cells.plan)
            if cells.status is not None and cells.status != shot.status:
                moves[shot] = cells.status
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
    replanned = plans.write(recorder)
    _write(recorder, planned, person, present, replanned)
    move_rows(recorder, project, person, moves)
    return list(dict.fromkeys(shot for shot, _values, _cast in planned)), conflicts


def _write(
    recorder: Recorder,
    planned: Sequence[tuple[Shot, dict[str, Any], list[Character] | None]],
    person: Any,
    present: Mapping[int, list[int]],
    replanned: set[Shot],
) -> None:
    recast = set_casts(recorder, {shot: cast for shot, _values, cast in planned if cast is not None})
    is_person = bool(getattr(person, "pk", None))
    changes: list[tuple[Shot, dict[str, Any]]] = []
    for shot, values, _cast in planned:
        touched = shot in recast or shot in replanned or different_fields(shot, values)
        changes.append((shot, {**values, "seen_by_person": True} if touched and is_person else values))
    told = {
        shot.pk: (present.get(shot.pk, []), [character.pk for character in dict.fromkeys(cast)])
        for shot, _values, cast in planned
        if cast is not None
    }
    recorder.mark([shot for shot, _values, _cast in planned if shot in recast], "characters", told=told)
    recorder.update_many(changes)


def _names_cast(item: Mapping[str, Any]) -> bool:
    fields = item.get("fields")
    return isinstance(fields, Mapping) and "characters" in fields


def _refuse_stale(
    shot: Shot, seen: int, values: Mapping[str, Any], cast: list[Character] | None, present: list[int]
) -> None:
    """Conflict, with both values, when a field that would change is newer than what the person saw."""
    refuse_stale(shot, seen, values)
    wanted = [character.pk for character in cast or []]
    if cast is not None and wanted != present and shot.stale_fields(["characters"], seen):
        raise Conflict(
            _("Someone else changed this since you read it."),
            fields={"characters": [str(_("changed by someone else"))]},
            details={
                "id": shot.pk,
                "revision": shot.revision,
                "current": {"characters": present},
                "yours": {"characters": wanted},
            },
        )


def remove_shots(*, project: Project, actor: Any, ids: Iterable[int], tab: str = "") -> list[Shot]:
    """Take shots out of the list; files and codes stay, undo brings them back. Locked shots refuse."""
    with recording(project=project, actor=actor, kind="shot.remove", tab=tab) as recorder:
        return take_shots(recorder, project, ids)


def take_shots(recorder: Recorder, project: Project, ids: Iterable[int]) -> list[Shot]:
    """`remove_shots` inside a running recording."""
    rows = list(lock(Shot.objects.live().filter(project=project, pk__in=list(ids))))
    if not rows:
        raise NotFound(_("There is no such shot in this project."))
    if locked := [shot for shot in rows if shot.locked]:
        raise Locked(locked)
    recorder.remove(rows)
    return rows


def reorder_shots(
    *,
    project: Project,
    actor: Any,
    ids: Sequence[int],
    before: int | None,
    tab: str = "",
    fields: Mapping[str, Any] | None = None,
) -> list[Shot]:
    """Move shots, in the given order, to just before another one (None: to the end). One undo step.

    `fields` are written as well: the scene of the group that they were dragged into.

    The story order belongs to the cut, not to the folder tree, so a locked shot may move; its scene stays.
    """
    with recording(project=project, actor=actor, kind="shot.reorder", tab=tab) as recorder:
        if fields:
            items = [{"id": pk, "fields": fields} for pk in ids]
            change_shots(recorder, project, items, on_conflict="fail", person=actor)
        return move_shots(recorder, project, ids, before)


def move_shots(recorder: Recorder, project: Project, ids: Sequence[int], before: int | None) -> list[Shot]:
    """`reorder_shots` inside a running recording: the cut moves shots and trims them in one action."""
    wanted = list(dict.fromkeys(ids))
    found = lock(Shot.objects.live().filter(project=project, pk__in=wanted))
    if len(found) != len(wanted) or not wanted:
        raise NotFound(_("There is no such shot in this project."))
    target = None
    if before is not None:
        target = Shot.objects.live().filter(project=project, pk=before).first()
        if target is None or before in wanted:
            raise Invalid(_("The shot to move before is not in the list."), fields={"before": [_("unknown")]})
    places = ordering.positions_between(recorder, project, before=target, moving=wanted, count=len(wanted))
    # Read after the places were found: making room may have moved the very shots.
    rows = Shot.objects.in_bulk(wanted)
    moved = [rows[pk] for pk in wanted]
    recorder.update_many((shot, {"position": place}) for shot, place in zip(moved, places, strict=True))
    return moved


def set_casts(recorder: Recorder, wanted: Mapping[Shot, Sequence[Character]]) -> set[Shot]:
    """Make these the characters of these shots, in this order; what a casting carries (outfit…) stays.

    Returns the shots whose cast really changed. A constant number of queries, however many shots there are.
    """
    rows: dict[tuple[int, int], Casting] = {}
    castings = Casting.objects.filter(shot__in=[shot.pk for shot in wanted]).select_related("character", "shot")
    for row in lock(castings) if wanted else []:
        rows[row.shot_id, row.character_id] = row
    new: list[Casting] = []
    back: list[Casting] = []
    moved: list[tuple[Casting, dict[str, Any]]] = []
    for shot, characters in wanted.items():
        for order, character in enumerate(dict.fromkeys(characters)):
            found = rows.pop((shot.pk, character.pk), None)
            if found is None:
                new.append(Casting(project_id=shot.project_id, shot=shot, character=character, order=order))
                continue
            if found.removed_at is not None:
                back.append(found)
            moved.append((found, {"order": order}))
    gone = [row for row in rows.values() if row.removed_at is None]
    recorder.remove(gone)
    recorder.restore(back)
    recorder.create_many(new)
    touched = {row.shot_id for row in (*gone, *back, *new, *recorder.update_many(moved))}
    return {shot for shot in wanted if shot.pk in touched}


def present_casts(shots: Sequence[Shot]) -> dict[int, list[int]]:
    """By shot: the ids of its characters in order."""
    found: dict[int, list[int]] = {}
    rows = Casting.objects.live().filter(shot__in=shots).order_by("order", "id") if shots else Casting.objects.none()
    for shot_id, character_id in rows.values_list("shot_id", "character_id"):
        found.setdefault(shot_id, []).append(character_id)
    return found


def _following(project: Project, shot: Shot) -> Shot | None:
    rows = Shot.objects.live().filter(project=project, position__gt=shot.position)
    return rows.order_by("position", "id").first()
