"""Scenes made, changed and removed by hand; scenarios make theirs in `scenarios`."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from aipipeline.history.services import lock, recording
from aipipeline.projects.checks import check_types
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from assets.models import Environment
from shots.models import Scene, Shot
from shots.services import ordering
from shots.services.editing import Locked

EDITABLE = ("number", "heading", "synopsis", "environment")


def create_scene(*, project: Project, actor: Any, fields: Mapping[str, Any], tab: str = "") -> Scene:
    """A new scene at the end; its code comes from the server. Invalid by field."""
    values = _clean(project, fields)
    with recording(project=project, actor=actor, kind="scene.create", tab=tab) as recorder:
        codes, _shots = ordering.next_codes(project, scenes=1)
        position = ordering.end_position(project, Scene)
        return recorder.create(Scene(project=project, code=codes[0], position=position, **values))


def update_scene(
    *, scene: Scene, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> Scene:
    """Change fields of a scene; Conflict when one of them changed after revision `seen`."""
    values = _clean(scene.project, fields)
    with recording(project=scene.project, actor=actor, kind="scene.update", tab=tab) as recorder:
        row: Scene | None = lock(Scene.objects.live().filter(pk=scene.pk)).first()
        if row is None:
            raise _gone()
        recorder.update(row, seen=seen, **values)
    return row


def remove_scene(*, scene: Scene, actor: Any, tab: str = "") -> None:
    """Take a scene out; its shots stay without one. Locked (409) while a confirmed shot lies in it."""
    with recording(project=scene.project, actor=actor, kind="scene.remove", tab=tab) as recorder:
        row = lock(Scene.objects.live().filter(pk=scene.pk)).first()
        if row is None:
            raise _gone()
        shots = list(lock(Shot.objects.live().filter(scene=row)))
        if locked := [shot for shot in shots if shot.locked]:
            raise Locked(locked)
        recorder.update_many((shot, {"scene": None}) for shot in shots)
        recorder.remove([row])


def _clean(project: Project, fields: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := [name for name in fields if name not in EDITABLE]:
        raise Invalid(
            _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)},
            fields={name: [_("unknown or read-only")] for name in unknown},
        )
    check_types(Scene, fields)
    values = dict(fields)
    environment = values.get("environment")
    if environment is not None:
        rows = Environment.objects.live().filter(project=project)
        known = isinstance(environment, int) and not isinstance(environment, bool)
        values["environment"] = rows.filter(pk=environment).first() if known else None
        if values["environment"] is None:
            raise Invalid(_("environment: no such row in this project."), fields={"environment": [_("unknown id")]})
    for name in values.keys() - {"environment"}:
        try:
            values[name] = Scene._meta.get_field(name).clean(values[name], None)  # type: ignore[union-attr]
        except ValidationError as error:
            raise Invalid(f"{name}: {error.messages[0]}", fields={name: list(error.messages)}) from error
    return values


def _gone() -> NotFound:
    return NotFound(_("There is no such scene in this project."))
