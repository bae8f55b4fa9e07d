"""Edits of the cut. A primary clip has no place or length of its own, so these edits write the shots."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.services import Recorder, lock, recording, stale_error
from aipipeline.projects.checks import check_types, whole_number
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from shots.models import Shot
from shots.services.cells import check
from shots.services.editing import Locked, move_shots
from shots.services.tree.metadata import mark_stale
from timeline.models import Clip, Edit, Marker, Track

OPS = ("move", "length", "remove", "marker", "unmark")
MOST_NOTES = 2000
FORGOTTEN = "*"
MAX_FRAME = 2**31 - 1


def ensure_edit(project: Project) -> Edit:
    """The project's current edit, with a video track and one primary clip per live shot; made when missing."""
    edit = Edit.objects.live().filter(project=project, current=True).first()
    if edit is None:
        try:
            with transaction.atomic():
                edit = Edit.objects.create(project=project)
        except IntegrityError:
            edit = Edit.objects.live().get(project=project, current=True)
    track, made = Track.objects.get_or_create(edit=edit, kind="video", index=1, defaults={"project": project})
    without = list(Shot.objects.live().filter(project=project).exclude(clips__track=track, clips__primary=True))
    if made or without:
        with transaction.atomic():
            clips = [Clip(project=project, track=track, shot=shot) for shot in without]
            Clip.objects.bulk_create(clips, ignore_conflicts=True)
            # No edit of a person's, so nothing else says that the file of the cut is old.
            mark_stale(project.pk, "edit", [project.pk])
    return edit


def apply_ops(
    *,
    project: Project,
    actor: Any,
    ops: Sequence[Mapping[str, Any]],
    revision: int | None = None,
    tab: str = "",
) -> Edit:
    """Change the cut in one transaction and one undo step.

    ops: {"op": "move", "shot": id, "before": id or null}, {"op": "length", "shot": id, "duration_frames": n},
    {"op": "remove", "shot": id}, {"op": "marker", "frame": n, "name": text, "comment": text, "color": text},
    {"op": "unmark", "marker": id}; an op may carry "seen", the revision of its shot. Invalid names the op.

    `revision` is the edit's revision that the caller had read. An op conflicts only when the very thing that it
    changes (this shot's length, this shot's place) was changed by somebody since; other ops merge.
    """
    edit = ensure_edit(project)
    if not ops:
        raise Invalid(_("Nothing to change."), fields={"ops": [_("empty")]})
    with recording(project=project, actor=actor, kind="edit.change", tab=tab) as recorder:
        stale = _Staleness(project, edit, ops, revision)
        for number, op in enumerate(ops):
            try:
                _apply(recorder, project, edit, op, actor, stale)
            except Invalid as error:
                raise Invalid(error.message, fields={f"ops.{number}": error.fields or [str(error.message)]}) from error
        if recorder.changes() and Shot not in recorder.touched():
            note_changes(project.pk, {})
    edit.refresh_from_db()
    return edit


class _Staleness:
    """What was changed since the caller read the cut. Made before the first op, with the named shots locked."""

    def __init__(self, project: Project, edit: Edit, ops: Sequence[Mapping[str, Any]], revision: int | None) -> None:
        named = {number for op in ops if (number := whole_number(op.get("shot"))) is not None}
        # Locked first: whoever changed one of them has then committed, and the edit's notes tell of it.
        self.shots = {shot.pk: shot for shot in lock(Shot.objects.live().filter(project=project, pk__in=named))}
        self.notes = Edit.objects.get(pk=edit.pk) if revision is not None else edit
        self.revision = revision

    def refuse(self, shot: Shot, name: str, value: Any, seen: Any) -> None:
        """Conflict, with both values, when this field of the shot is newer than what the caller saw."""
        if getattr(shot, name) == value:
            return
        newer = self.revision is not None and changed_since(self.notes, name, shot.pk, self.revision)
        if newer or (whole_number(seen) is not None and shot.stale_fields([name], int(seen))):
            raise stale_error(shot, [name], {name: value})


def _apply(
    recorder: Recorder, project: Project, edit: Edit, op: Mapping[str, Any], actor: Any, stale: _Staleness
) -> None:
    kind = op.get("op")
    if kind not in OPS:
        raise Invalid(_("Unknown change: %(op)s.") % {"op": str(kind)[:80]}, fields={"op": [_("unknown")]})
    if kind == "marker":
        _add_marker(recorder, project, edit, op, actor)
    elif kind == "unmark":
        marker = lock(Marker.objects.live().filter(edit=edit, pk=_number(op, "marker"))).first()
        if marker is None:
            raise NotFound(_("There is no such marker."))
        recorder.remove([marker])
    elif kind == "move":
        _move(recorder, project, op, stale)
    else:
        _change_shot(recorder, project, op, kind, stale)


def _move(recorder: Recorder, project: Project, op: Mapping[str, Any], stale: _Staleness) -> None:
    number = _number(op, "shot")
    before = None if op.get("before") is None else _number(op, "before")
    if before == number:
        return
    if number in stale.shots:
        stale.refuse(stale.shots[number], "position", None, op.get("seen"))
    move_shots(recorder, project, [number], before)


def _change_shot(recorder: Recorder, project: Project, op: Mapping[str, Any], kind: str, stale: _Staleness) -> None:
    shot = lock(Shot.objects.live().filter(project=project, pk=_number(op, "shot"))).first()
    if shot is None:
        raise NotFound(_("There is no such shot in this project."))
    if kind == "remove":
        if shot.locked:
            raise Locked([shot])
        recorder.remove([shot])
        return
    values: dict[str, Any] = {"duration_frames": op.get("duration_frames")}
    if isinstance(values["duration_frames"], bool) or not isinstance(values["duration_frames"], int):
        raise Invalid(_("Lengths are whole frames."), fields={"duration_frames": [_("not a whole number")]})
    check(shot, values)
    stale.refuse(stale.shots.get(shot.pk, shot), "duration_frames", values["duration_frames"], op.get("seen"))
    recorder.update(shot, **values)


def _add_marker(recorder: Recorder, project: Project, edit: Edit, op: Mapping[str, Any], actor: Any) -> None:
    values: dict[str, Any] = {"frame": _number(op, "frame"), "color": "green"}
    values.update({name: op[name] for name in ("name", "comment", "color") if op.get(name) is not None})
    if values["frame"] > MAX_FRAME:
        raise Invalid(_("A marker lies within the cut."), fields={"frame": [_("too large")]})
    check_types(Marker, values)
    for name, value in values.items():
        try:
            Marker._meta.get_field(name).clean(value, None)  # type: ignore[union-attr]
        except ValidationError as error:
            raise Invalid(f"{name}: {error.messages[0]}", fields={name: list(error.messages)}) from error
    recorder.create(Marker(project=project, edit=edit, author=actor if getattr(actor, "pk", None) else None, **values))


def changed_since(edit: Edit, name: str, shot_id: int, revision: int) -> bool:
    """True when this field of the shot was changed after the edit's `revision` (or nobody remembers)."""
    newest = int(edit.field_revisions.get(f"{name}:{shot_id}", 0))
    forgotten = int(edit.field_revisions.get(FORGOTTEN, 0))
    return newest > revision or forgotten > revision


def note_changes(project_id: int, fields: Mapping[str, Iterable[int]]) -> None:
    """Raise the revision of the project's cut, noting which fields of which shots changed; tell its pages.

    The project's row is locked first, as every action does at its end: two writers wait, they never deadlock.
    """
    Project.objects.select_for_update().filter(pk=project_id).values_list("pk").first()
    edit: Edit | None = Edit.objects.live().filter(project=project_id, current=True).first()
    if edit is None:
        return
    edit.touch([f"{name}:{pk}" for name, ids in fields.items() for pk in ids])
    notes = edit.field_revisions
    if len(notes) > MOST_NOTES:
        # The oldest half is forgotten: a page older than that is told to read the cut again.
        order = sorted((revision, key) for key, revision in notes.items() if key != FORGOTTEN)
        dropped = order[: len(order) // 2]
        edit.field_revisions = {key: revision for revision, key in order[len(dropped) :]} | {FORGOTTEN: dropped[-1][0]}
    edit.save(update_fields=["revision", "field_revisions", "updated_at"])
    publish(f"edit:{edit.pk}", "edit.changed", ids=[edit.pk], revision=edit.revision)
    publish(f"project:{project_id}", "edit.changed", ids=[edit.pk], revision=edit.revision)


def _number(op: Mapping[str, Any], name: str) -> int:
    value = op.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise Invalid(_("%(name)s: a whole number is needed.") % {"name": name}, fields={name: [_("not a number")]})
    return value
