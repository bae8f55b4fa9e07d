"""Render presets: a workflow with parameters, saved under a name."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.rows import create_row, update_row
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.models import Project
from renders.models import RenderPreset

EDITABLE = ("name", "workflow", "params")


def create_preset(*, project: Project, actor: Any, fields: Mapping[str, Any], tab: str = "") -> RenderPreset:
    """A new preset. Invalid by field, Conflict when its name is taken."""
    values = _checked(project, fields, None)
    author = actor if getattr(actor, "pk", None) else None
    return create_row(row=RenderPreset(project=project, author=author, **values), actor=actor, tab=tab)


def update_preset(
    *, preset: RenderPreset, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> RenderPreset:
    """Change a preset; jobs that were made with it keep what they have."""
    values = _checked(preset.project, fields, preset)
    return update_row(row=preset, actor=actor, fields=values, known=EDITABLE, seen=seen, tab=tab)


def _checked(project: Project, fields: Mapping[str, Any], preset: RenderPreset | None) -> dict[str, Any]:
    values = dict(fields)
    if "params" in values and values["params"] is None:
        values["params"] = {}
    if "params" in values and not isinstance(values["params"], dict):
        raise Invalid(_("params must be an object."), fields={"params": [_("not an object")]})
    name = values.get("name")
    others = RenderPreset.objects.filter(project=project, name=name).exclude(pk=preset.pk if preset else None)
    if name and others.exists():
        raise Conflict(_("There is one named %(name)s already.") % {"name": name}, fields={"name": [_("taken")]})
    return values
