"""Edits of the cut. A primary clip has no place or length of its own, so these edits write the shots."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.recorder import stale_error
from aipipeline.history.services import Recorder, lock, recording
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from shots.models import Shot
from shots.services.editing import Locked, check, move_shots
from timeline.models import Clip, Edit, Marker, Track

OPS = ("move", "length", "remove", "marker", "unmark")


def ensure_edit(project: Project) -> Edit:
    """The project's current edit, with a video track and one primary clip per live shot; made when missing."""
    edit = Edit.objects.live().filter(project=project, current=True).first()
    if edit is None:
        try:
            with transaction.atomic():
                edit = Edit.objects.create(project=project)
        except IntegrityError:
            edit = Edit.objects.live().get(project=project, current=True)
    track, _made = Track.objects.get_or_create(edit=edit, kind="video", index=1, defaults={"project": project})
    without = Shot.objects.live().filter(project=project).exclude(clips__track=track, clips__primary=True)
    Clip.objects.bulk_create([Clip(project=project, track=track, shot=shot) for shot in without], ignore_conflicts=True)
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
    {"op": "remove", "shot": id}, {"op": "marker", "frame": n, "name": text, "comment": text}, {"op": "unmark",
    "marker": id}. `revision` is the edit's revision that the page had: lengths that somebody changed since,
    are refused by shot ("seen" in the op names the shot's own revision).
    """
    edit = ensure_edit(project)
    if not ops:
        raise Invalid(_("Nothing to change."), fields={"ops": [_("empty")]})
    with recording(project=project, actor=actor, kind="edit.change", tab=tab) as recorder:
        row: Edit = lock(Edit.objects.filter(pk=edit.pk)).get()
        for number, op in enumerate(ops):
            try:
                _apply(recorder, project, row, op, actor)
            except Invalid as error:
                raise Invalid(error.message, fields={f"ops.{number}": error.fields or [str(error.message)]}) from error
        row.touch(["ops"])
        row.save(update_fields=["revision", "field_revisions", "updated_at"])
        publish(f"edit:{row.pk}", "edit.changed", ids=[row.pk], revision=row.revision)
        publish(f"project:{project.pk}", "edit.changed", ids=[row.pk], revision=row.revision)
    return row


def _apply(recorder: Recorder, project: Project, edit: Edit, op: Mapping[str, Any], actor: Any) -> None:
    kind = op.get("op")
    if kind not in OPS:
        raise Invalid(_("Unknown change: %(op)s.") % {"op": kind}, fields={"op": [_("unknown")]})
    if kind == "marker":
        _add_marker(recorder, project, edit, op, actor)
    elif kind == "unmark":
        marker = lock(Marker.objects.live().filter(edit=edit, pk=_number(op, "marker"))).first()
        if marker is None:
            raise NotFound(_("There is no such marker."))
        recorder.remove([marker])
    elif kind == "move":
        before = op.get("before")
        if before == op.get("shot"):
            return
        move_shots(recorder, project, [_number(op, "shot")], None if before is None else _number(op, "before"))
    else:
        _change_shot(recorder, project, op, kind)


def _change_shot(recorder: Recorder, project: Project, op: Mapping[str, Any], kind: str) -> None:
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
    seen = op.get("seen")
    if isinstance(seen, int) and shot.stale_fields(["duration_frames"], seen):
        raise stale_error(shot, ["duration_frames"], values)
    recorder.update(shot, **values)


def _add_marker(recorder: Recorder, project: Project, edit: Edit, op: Mapping[str, Any], actor: Any) -> None:
    recorder.create(
        Marker(
            project=project,
            edit=edit,
            frame=_number(op, "frame"),
            name=str(op.get("name", ""))[:120],
            comment=str(op.get("comment", ""))[:2000],
            color=str(op.get("color", "green"))[:12],
            author=actor if getattr(actor, "pk", None) else None,
        )
    )


def _number(op: Mapping[str, Any], name: str) -> int:
    value = op.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Invalid(_("%(name)s: a whole number is needed.") % {"name": name}, fields={name: [_("not a number")]})
    return value
