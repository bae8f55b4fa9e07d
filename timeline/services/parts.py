"""Single rows of the cut: the edit's settings, tracks, clips beside the primary ones, markers."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.rows import create_row, remove_rows, update_row
from aipipeline.history.services import lock, one_action
from aipipeline.projects.errors import Conflict, Invalid
from timeline.models import Clip, Edit, Marker, Track

EDIT_FIELDS = ("name", "start_frame")
TRACK_FIELDS = ("name", "kind", "index", "muted")
CLIP_FIELDS = ("version", "source_in", "record_in", "duration_frames", "enabled")
MARKER_FIELDS = ("frame", "name", "comment", "color")


def update_edit(
    *, edit: Edit, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> Edit:  # fmt: skip
    """Rename the cut or set its start, in frames. Conflict when a field changed after revision `seen`."""
    with one_action(project=edit.project, actor=actor, kind="edit.update", tab=tab):
        row = update_row(row=edit, actor=actor, fields=fields, known=EDIT_FIELDS, seen=seen, tab=tab)
        _tell(row)
    return row


def create_track(*, edit: Edit, actor: Any, fields: Mapping[str, Any], tab: str = "") -> Track:
    """A further track. Conflict when the edit has one of this kind and number already."""
    row = Track(project=edit.project, edit=edit, **_only(fields, TRACK_FIELDS))
    made: Track = _made(row, edit, actor, tab)
    return made


def update_track(
    *, track: Track, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> Track:  # fmt: skip
    """Rename or mute a track; its kind and number are its identity."""
    with one_action(project=track.project, actor=actor, kind="track.update", tab=tab):
        row = update_row(row=track, actor=actor, fields=fields, known=("name", "muted"), seen=seen, tab=tab)
        _tell(track.edit)
    return row


def remove_tracks(*, tracks: Sequence[Track], actor: Any, tab: str = "") -> None:
    """Take tracks away; one that carries shots refuses (Conflict)."""
    carrying = Clip.objects.live().filter(track__in=tracks, primary=True, shot__removed_at__isnull=True)
    if busy := carrying.select_related("track").first():
        raise Conflict(_("%(track)s carries the shots of the cut. Remove the shots instead.") % {"track": busy.track})
    _gone(tracks, [track.edit for track in tracks], actor, "track.remove", tab)


def update_clip(
    *, clip: Clip, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> Clip:  # fmt: skip
    """Fix a version, slip the source, switch a clip off. A primary clip's place and length are its shot's."""
    own = [name for name in ("record_in", "duration_frames") if fields.get(name) is not None]
    if clip.primary and own:
        raise Invalid(
            _("This clip follows its shot: change the shot's place or length."),
            fields={name: [_("follows the shot")] for name in own},
        )
    version = fields.get("version")
    if version is not None and version.shot_id != clip.shot_id:
        raise Invalid(_("This is a version of something else."), fields={"version": [_("not of this shot")]})
    with one_action(project=clip.project, actor=actor, kind="clip.update", tab=tab):
        row = update_row(row=clip, actor=actor, fields=fields, known=CLIP_FIELDS, seen=seen, tab=tab)
        _tell(clip.track.edit)
    return row


def remove_clips(*, clips: Sequence[Clip], actor: Any, tab: str = "") -> None:
    """Take clips away; a primary clip goes with its shot only (Conflict)."""
    if any(clip.primary and clip.shot and clip.shot.removed_at is None for clip in clips):
        raise Conflict(_("A shot's own clip goes with the shot. Remove the shot, or switch the clip off."))
    _gone(clips, [clip.track.edit for clip in clips], actor, "clip.remove", tab)


def create_marker(*, edit: Edit, actor: Any, fields: Mapping[str, Any], tab: str = "") -> Marker:
    """A marker at a frame of the cut."""
    author = actor if getattr(actor, "pk", None) else None
    row = Marker(project=edit.project, edit=edit, author=author, **_only(fields, MARKER_FIELDS))
    made: Marker = _made(row, edit, actor, tab)
    return made


def update_marker(
    *, marker: Marker, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> Marker:
    """Move a marker or change what it says."""
    with one_action(project=marker.project, actor=actor, kind="marker.update", tab=tab):
        row = update_row(row=marker, actor=actor, fields=fields, known=MARKER_FIELDS, seen=seen, tab=tab)
        _tell(marker.edit)
    return row


def remove_markers(*, markers: Sequence[Marker], actor: Any, tab: str = "") -> None:
    _gone(markers, [marker.edit for marker in markers], actor, "marker.remove", tab)


def _only(fields: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    if unknown := [name for name in fields if name not in known]:
        raise Invalid(_("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)})
    return dict(fields)


def _made(row: Any, edit: Edit, actor: Any, tab: str) -> Any:
    with one_action(project=edit.project, actor=actor, kind=f"{row._meta.model_name}.create", tab=tab):
        made = create_row(row=row, actor=actor, tab=tab)
        _tell(edit)
    return made


def _gone(rows: Sequence[Any], edits: Sequence[Edit], actor: Any, kind: str, tab: str) -> None:
    with one_action(project=rows[0].project, actor=actor, kind=kind, tab=tab):
        remove_rows(rows=rows, actor=actor, tab=tab)
        for edit in {edit.pk: edit for edit in edits}.values():
            _tell(edit)


def _tell(edit: Edit) -> None:
    """Pages of the cut hear of its parts by the edit's own revision."""
    row: Edit = lock(Edit.objects.filter(pk=edit.pk)).get()
    row.touch(["ops"])
    row.save(update_fields=["revision", "field_revisions", "updated_at"])
    publish(f"edit:{row.pk}", "edit.changed", ids=[row.pk], revision=row.revision)
    publish(f"project:{row.project_id}", "edit.changed", ids=[row.pk], revision=row.revision)
