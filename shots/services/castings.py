"""Who plays in a shot, and in what: single castings with their outfit and LoRA."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.rows import update_row
from aipipeline.history.services import Recorder, lock, one_action, recording
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from assets.models import Character
from shots.models import Casting, Shot
from shots.services.editing import present_casts

EDITABLE = ("outfit", "use_lora", "strength", "speaks", "order")


def add_casting(*, shot: Shot, actor: Any, character: Character, tab: str = "", **fields: Any) -> Casting:
    """Cast a character; one that was taken out before comes back. Conflict when they play already."""
    if character.project_id != shot.project_id or character.removed_at is not None:
        raise Invalid(_("There is no such character in this project."), fields={"character": [_("unknown id")]})
    with one_action(project=shot.project, actor=actor, kind="casting.create", tab=tab) as recorder:
        before = _cast(shot)
        row: Casting | None = lock(Casting.objects.filter(shot=shot, character=character)).first()
        if row is not None and row.removed_at is None:
            message = _("%(name)s plays in this shot already.") % {"name": character.name}
            raise Conflict(message, fields={"character": [message]})
        if row is None:
            row = recorder.create(Casting(project=shot.project, shot=shot, character=character))
        else:
            recorder.restore([row])
        if fields:
            row = update_row(row=row, actor=actor, fields=fields, known=EDITABLE, tab=tab)
        _mark_cast(recorder, shot, before)
    return row


def update_casting(
    *, casting: Casting, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> Casting:
    """Change what a character wears and how strongly its LoRA works in this shot."""
    return update_row(row=casting, actor=actor, fields=fields, known=EDITABLE, seen=seen, tab=tab)


def remove_casting(*, casting: Casting, actor: Any, tab: str = "") -> None:
    """Take a character out of a shot; undo brings it back with its outfit."""
    with recording(project=casting.project, actor=actor, kind="casting.remove", tab=tab) as recorder:
        row = lock(Casting.objects.live().filter(pk=casting.pk)).first()
        if row is None:
            raise NotFound(_("This character does not play in the shot any more."))
        before = _cast(casting.shot)
        recorder.remove([row])
        _mark_cast(recorder, casting.shot, before)


def _cast(shot: Shot) -> list[int]:
    return present_casts([shot]).get(shot.pk, [])


def _mark_cast(recorder: Recorder, shot: Shot, before: list[int]) -> None:
    """The shot's list of characters counts as one of its fields: whoever edits it beside is told."""
    row = lock(Shot.objects.filter(pk=shot.pk)).get()
    recorder.mark([row], "characters", told={row.pk: (before, _cast(shot))})
    if getattr(recorder.action.actor, "pk", None) and not row.seen_by_person:
        recorder.update(row, seen_by_person=True)
