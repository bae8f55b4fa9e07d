"""The cut follows the shots: a new length or place of a shot, wherever it was made, is a new revision of the cut."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from aipipeline.history.signals import changed
from shots.models import Shot
from shots.services.tree.metadata import mark_stale
from timeline.models import Clip, Edit, Marker, Track
from timeline.services.edits import note_changes

OF_THE_CUT = frozenset({"duration_frames", "position", "removed_at"})


@receiver(changed, sender=Shot, dispatch_uid="timeline.note_shot_changes")
def note_shot_changes(instances: Sequence[Shot], fields: set[str], kind: str, **_kwargs: Any) -> None:
    """New shots need no note: nobody can have read an older length of them."""
    names = fields & OF_THE_CUT
    if kind == "created" or not names or not instances:
        return
    # A batch tells the fields of all its rows together; what was just written carries the row's newest revision.
    notes = {name: [shot.pk for shot in instances if shot.field_revisions.get(name) == shot.revision] for name in names}
    note_changes(instances[0].project_id, notes)


@receiver(changed, dispatch_uid="timeline.mark_metadata")
def mark_metadata(sender: type[Any], instances: Sequence[Any], **_kwargs: Any) -> None:
    """The file of the cut tells of these rows."""
    if sender in (Edit, Track, Clip, Marker):
        for project_id in {row.project_id for row in instances}:
            mark_stale(project_id, "edit", [project_id])
