"""What the render dialog's form says: one way to make the shots, or several to compare, and how long that takes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from renders.farm.choices import named_choices
from renders.farm.fields import TYPED, typed_params
from renders.models import RenderPreset, WaitsFor, Workflow
from renders.services.estimates import seconds_of
from renders.services.experience import known_of, load_of, size_of
from renders.services.fits import advice
from renders.services.jobs import MOST_JOBS
from shots.models import Shot

ORDERS = ("all", WaitsFor.RENDERED, WaitsFor.APPROVED)


@dataclass(frozen=True)
class Way:
    """A workflow with what its preset and the person say; `value` is the choice: "w:<key>" or "p:<id>"."""

    value: str
    workflow: Workflow
    preset: RenderPreset | None
    params: Mapping[str, Any]


def ways_in(project: Project, actor: Any, body: Mapping[str, Any], compared: Sequence[str]) -> list[Way]:
    """The one that is chosen with what was typed into its fields, or all that are `compared` as they are.

    Empty when nothing is chosen. Invalid by field for what is typed wrongly, NotFound or Invalid for unknown choices.
    """
    if body.get("mode") == "compare":
        chosen = named_choices(project, actor, compared)
        pairs = zip(compared, chosen, strict=True)
        return [Way(value, row, preset, preset.params if preset else {}) for value, (row, preset) in pairs]
    value = str(body.get("choice") or "")
    if not value:
        return []
    workflow, preset = named_choices(project, actor, [value])[0]
    own = dict(preset.params) if preset else {}
    if is_shown(body, value):
        # A field that was emptied does not bring back what the preset says.
        own = {name: own[name] for name in own if TYPED + name not in body} | typed_params(workflow, body)
    return [Way(value, workflow, preset, own)]


def is_shown(body: Mapping[str, Any], value: str) -> bool:
    """Whether the typed fields are those of this choice: they come with the answer to it, a moment after it."""
    return body.get("shown") in (None, value)


def advice_of(project: Project, shots: Sequence[Shot], ways: Sequence[Way]) -> list[str]:
    """What goes, but not well, for the longest of these shots, in words with a remedy; each text once."""
    longest = max((shot.duration_frames for shot in shots), default=0)
    told = [advice(workflow=way.workflow, params=_params(project, way, longest)) for way in ways]
    return list(dict.fromkeys(text for texts in told for text in texts))


def _params(project: Project, way: Way, frames: int) -> dict[str, Any]:
    """Of a shot of so many frames: what the workflow takes by itself, then the project's, then what was said."""
    own = {"width": project.width, "height": project.height, "fps": project.fps, "frames": frames}
    return {**way.workflow.defaults, **own, **way.params}


def estimate_of(project: Project, shots: Sequence[Shot], ways: Sequence[Way], *, variants: int = 1) -> float | None:
    """Seconds of work that these ways are for these shots; None when nothing is known of one of them. One query."""
    lengths = Counter(shot.duration_frames for shot in shots)
    known = known_of(way.workflow.pk for way in ways)
    total = 0.0
    for way in ways:
        rows = known.get(way.workflow.pk, [])
        for frames, count in lengths.items():
            params = _params(project, way, frames)
            one = seconds_of(size_of(way.workflow, params), rows, load=load_of(way.workflow, params))
            if one is None:
                return None
            total += one * count * variants
    return total if ways else None


def is_chain(body: Mapping[str, Any]) -> bool:
    """Whether the shots are made one after another, which a comparison never is; Invalid for an unknown order."""
    order = str(body.get("order") or "all")
    if order not in ORDERS:
        raise Invalid(_("Unknown order."), fields={"order": [_("unknown")]})
    return order != "all" and body.get("mode") != "compare"


def shots_in(project: Project, body: Mapping[str, Any]) -> list[Shot]:
    """The named shots in story order, all when `which=missing`; each must be of this project."""
    rows = Shot.objects.live().filter(project=project)
    rows = rows.select_related("project", "scene__environment", "environment", "preset").order_by("position")
    if body.get("which") == "missing":
        return list(rows[:MOST_JOBS])
    ids = {whole_number(part) for part in str(body.get("ids", "")).split(",") if part.strip()}
    if not ids or None in ids:
        raise Invalid(_("Choose at least one shot."), fields={"ids": [_("empty")]})
    if len(ids) > MOST_JOBS:
        raise Invalid(_("At most %(most)d at once; choose fewer.") % {"most": MOST_JOBS}, fields={"ids": [_("many")]})
    shots = list(rows.filter(pk__in=ids))
    if len(shots) != len(ids):
        raise NotFound(_("A shot is not in this project."))
    return shots
