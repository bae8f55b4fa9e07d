"""New library rows made of what is there: copies, and the presets that a library begins with."""

import re
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.services import lock, recording
from aipipeline.projects.errors import Conflict, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import CustomFields, Tracked
from assets.models import CinematicPreset
from assets.presets_starters import starters
from assets.services.editing import FIELDS


def clone_asset(*, model: Any, project: Project, actor: Any, asset_id: int, tab: str = "") -> Tracked:
    """A copy with all fields under the next free name ("Noir 2"); removed rows keep their names. NotFound."""
    with recording(project=project, actor=actor, kind=f"{model._meta.model_name}.create", tab=tab) as recorder:
        row = lock(model.objects.live().filter(project=project, pk=asset_id)).first()
        if row is None:
            raise NotFound(_("There is no such row in this project."))
        copy = model(project=project, **{name: getattr(row, name) for name in FIELDS[model]})
        if isinstance(row, CustomFields):
            copy.custom = dict(row.custom)
        copy.name = _free_name(model, project, row.name)
        made: Tracked = recorder.create(copy)
        return made


def add_starter_presets(*, project: Project, actor: Any, tab: str = "") -> list[CinematicPreset]:
    """The dozen, in the project's language, as one undo step; names that are taken are passed over.

    Conflict when all of them are.
    """
    with recording(project=project, actor=actor, kind="cinematicpreset.create", tab=tab) as recorder:
        rows = starters(project.language)
        held = CinematicPreset.objects.filter(project=project, name__in=[row["name"] for row in rows])
        taken = set(held.values_list("name", flat=True))
        new = [CinematicPreset(project=project, **row) for row in rows if row["name"] not in taken]
        if not new:
            raise Conflict(_("All starter presets have been added already; removed ones come back with undo."))
        return recorder.create_many(new)


def _free_name(model: Any, project: Project, name: str) -> str:
    """The name with the next number: "Noir" and "Noir 2" give "Noir 3"."""
    stem = re.sub(r" \d{1,6}$", "", name)
    limit = model._meta.get_field("name").max_length - 8
    stem = stem[:limit].rstrip()
    taken = set(model.objects.filter(project=project, name__startswith=stem).values_list("name", flat=True))
    number = 2
    while f"{stem} {number}" in taken:
        number += 1
    return f"{stem} {number}"
