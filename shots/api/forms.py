"""Shots as the REST contract has them, out and in."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.api.views import integer, integers, only
from aipipeline.projects.checks import check_types, whole_number
from aipipeline.projects.errors import Invalid
from aipipeline.tables.columns import CUSTOM
from shots.models import Shot
from shots.providers import thumbnails_of
from shots.services.cells import EDITABLE
from shots.services.planning import PLANNED

MAX_LISTED = 10_000
PLAIN = (
    "code", "description", "action", "dialogue", "emotion", "size", "angle", "movement", "duration_frames", "status",
    "current_step", "locked", "prompt", "negative_prompt", "seed", "workflow", "handles", "cut_in", "cut_out",
    "revision", "position",
)  # fmt: skip


def shots_json(rows: list[Any]) -> list[dict[str, Any]]:
    thumbs = thumbnails_of(rows)
    return [
        {
            "id": shot.pk,
            **{name: getattr(shot, name) for name in PLAIN},
            "scene": shot.scene_id,
            "scene_code": shot.scene.code if shot.scene else None,
            "environment": shot.environment_id,
            "preset": shot.preset_id,
            "characters": [row.character_id for row in shot.cast],
            "thumbnail": f"/versions/{thumbs[shot.pk]}/thumb/320/" if shot.pk in thumbs else None,
        }
        for shot in rows
    ]


def clean_cells(body: Any, *, status: bool = False) -> dict[str, Any]:
    """Cells with values of their own types; Invalid by field. Cells of a project's own columns pass.

    `status`: whether a status may be among them; on its own address a shot moves by its transition alone.
    """
    if not isinstance(body, Mapping):
        raise Invalid(_("Give the fields as an object."), fields={"fields": [_("not an object")]})
    built_in = {name: value for name, value in body.items() if not name.startswith(CUSTOM)}
    only(built_in, *EDITABLE, *PLANNED, *(["status"] if status else []))
    check_types(Shot, {name: value for name, value in built_in.items() if name != "status"})
    values = dict(body)
    for name in ("scene", "environment", "preset", "assignee"):
        if name in values:
            values[name] = integer(values[name], name)
    if "characters" in values:
        values["characters"] = integers(values["characters"], "characters")
    for name in ("status", "due_date"):
        if values.get(name) is not None and not isinstance(values[name], str):
            raise Invalid(_("%(name)s: a text is needed.") % {"name": name}, fields={name: [_("not a text")]})
    return values


def listed(value: str | None, name: str) -> list[int] | None:
    """Ids of an address: "1,2,5-9"; None when it is not there. Invalid for anything else, or for too many."""
    if value is None:
        return None
    found: list[int] = []
    for part in filter(None, (part.strip() for part in value.split(","))):
        first, _dash, last = part.partition("-")
        start, end = whole_number(first), whole_number(last or first)
        if start is None or end is None or not 0 <= end - start < MAX_LISTED - len(found):
            raise Invalid(
                _("%(name)s: ids are needed, with commas between them.") % {"name": name},
                fields={name: [_("not a list")]},
            )
        found += range(start, end + 1)
    return found


def as_ranges(ids: Iterable[int]) -> str:
    """The shortest writing of these ids that `listed` reads."""
    parts: list[list[int]] = []
    for number in sorted(set(ids)):
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)
