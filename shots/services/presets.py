"""A cinematic preset put onto many shots."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from assets.models import CinematicPreset
from shots.models import Shot
from shots.services.batch import apply_batch


def apply_preset(
    *, project: Project, actor: Any, preset_id: int, shots: Sequence[int], tab: str = ""
) -> tuple[CinematicPreset, list[Shot]]:
    """Set the preset of these shots, all or none, as one undo step; returns the shots named. NotFound, Invalid."""
    preset = CinematicPreset.objects.live().filter(project=project, pk=preset_id).first()
    if preset is None:
        raise NotFound(_("There is no such preset in this project."))
    if not shots:
        raise Invalid(_("Choose the shots first."), fields={"shots": [_("empty")]})
    items = [{"id": pk, "fields": {"preset": preset.pk}} for pk in dict.fromkeys(shots)]
    done = apply_batch(project=project, actor=actor, items=items, tab=tab)
    return preset, done.changed
