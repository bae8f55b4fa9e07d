"""Render presets: a workflow with parameters, saved under a name, shared with the project or one's own."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from aipipeline.history.rows import create_row, remove_rows, update_row
from aipipeline.projects.errors import Conflict, Invalid, NotAllowed, NotFound
from aipipeline.projects.models import Project
from renders.models import RenderPreset, Workflow
from renders.services.parameters import checked_params

EDITABLE = ("name", "workflow", "params", "shared")
LONGEST = 120


def presets_visible_to(actor: Any) -> "QuerySet[RenderPreset]":
    """Shared ones of the projects that one sees, and one's own; by name."""
    rows: QuerySet[RenderPreset] = RenderPreset.objects.visible_to(actor).live().filter(_open_to(actor))
    return rows.select_related("project", "workflow", "author").order_by("name", "pk")


def _open_to(actor: Any) -> Q:
    return Q(shared=True) | Q(author=getattr(actor, "pk", None) or -1)


def preset_for(actor: Any, preset_id: int, project: Project | None = None) -> RenderPreset:
    """One preset that the actor may use (in this project); NotFound otherwise."""
    rows = presets_visible_to(actor).filter(pk=preset_id)
    preset = (rows if project is None else rows.filter(project=project)).first()
    if preset is None:
        raise NotFound(_("There is no such render preset."))
    return preset


def create_preset(*, project: Project, actor: Any, fields: Mapping[str, Any], tab: str = "") -> RenderPreset:
    """A new preset. Invalid by field, Conflict when its name is taken."""
    values = _checked(project, fields, None)
    author = actor if getattr(actor, "pk", None) else None
    return create_row(row=RenderPreset(project=project, author=author, **values), actor=actor, tab=tab)


def update_preset(
    *, preset: RenderPreset, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> RenderPreset:
    """Change a preset; jobs that were made with it keep what they have. Its author alone takes it from the others."""
    values = _checked(preset.project, fields, preset)
    if preset.shared and values.get("shared") is False and preset.author_id != getattr(actor, "pk", None):
        raise NotAllowed(_("Only its author can keep a shared preset for themselves. Clone it instead."))
    return update_row(row=preset, actor=actor, fields=values, known=EDITABLE, seen=seen, tab=tab)


def clone_preset(*, preset: RenderPreset, actor: Any, name: str = "", tab: str = "") -> RenderPreset:
    """One's own copy of a preset, not shared, under the given name or the next free one."""
    fields = {"name": name.strip() or _free_name(preset), "workflow": preset.workflow, "params": preset.params}
    return create_preset(project=preset.project, actor=actor, fields={**fields, "shared": False}, tab=tab)


def remove_preset(*, preset: RenderPreset, actor: Any, tab: str = "") -> None:
    """Take a preset away; undo brings it back."""
    remove_rows(rows=[preset], actor=actor, tab=tab)


def _free_name(preset: RenderPreset) -> str:
    taken = set(RenderPreset.objects.filter(project=preset.project_id).values_list("name", flat=True))
    base = preset.name[: LONGEST - 6]
    return next(name for n in range(2, len(taken) + 3) if (name := f"{base} {n}") not in taken)


def _checked(project: Project, fields: Mapping[str, Any], preset: RenderPreset | None) -> dict[str, Any]:
    values = dict(fields)
    if "params" in values and values["params"] is None:
        values["params"] = {}
    if "params" in values and not isinstance(values["params"], dict):
        raise Invalid(_("params must be an object."), fields={"params": [_("not an object")]})
    if "shared" in values and not isinstance(values["shared"], bool):
        raise Invalid(_("shared: true or false is needed."), fields={"shared": [_("not true or false")]})
    workflow = values.get("workflow") or (preset.workflow if preset else None)
    if isinstance(workflow, Workflow) and ("params" in values or "workflow" in values):
        params = values.get("params", preset.params if preset else {})
        values["params"] = checked_params(workflow, params)
    name = values.get("name")
    others = RenderPreset.objects.filter(project=project, name=name).exclude(pk=preset.pk if preset else None)
    if name and others.exists():
        raise Conflict(_("There is one named %(name)s already.") % {"name": name}, fields={"name": [_("taken")]})
    return values
