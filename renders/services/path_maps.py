"""Path maps: made, changed and removed by the staff of the studio, each seen in the history."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.plain import create_plain, remove_plain, update_plain
from aipipeline.history.services import lock, recording
from aipipeline.projects.checks import check_types
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.permissions import require
from renders.models import PathMap

EDITABLE = ("server", "windows", "macos", "linux")
_POSIX = ("server", "macos", "linux")


def create_path_map(*, actor: Any, fields: Mapping[str, Any], tab: str = "") -> PathMap:
    """A new map. Invalid by field, Conflict when the folder has one already."""
    values = _checked(actor, fields)
    row = PathMap(**values)
    _refuse_taken(row)
    with recording(project=None, actor=actor, kind="pathmap.create", tab=tab, undoable=False) as recorder:
        create_plain(recorder, row)
    return row


def update_path_map(*, path_map: PathMap, actor: Any, fields: Mapping[str, Any], tab: str = "") -> PathMap:
    """Change a map. Invalid by field, Conflict when another one has the folder."""
    values = _checked(actor, fields)
    with recording(project=None, actor=actor, kind="pathmap.update", tab=tab, undoable=False) as recorder:
        row: PathMap = lock(PathMap.objects.filter(pk=path_map.pk)).get()  # type: ignore[type-var]
        for name, value in values.items():
            setattr(path_map, name, value)
        _refuse_taken(path_map)
        # All at once: whether one platform is left is a question to the whole row.
        update_plain(recorder, row, **{name: getattr(path_map, name) for name in EDITABLE})
    return row


def remove_path_map(*, path_map: PathMap, actor: Any, tab: str = "") -> None:
    """Remove a map; paths below its folder go by a shorter one, or have none."""
    require(actor, "paths.manage")
    with recording(project=None, actor=actor, kind="pathmap.remove", tab=tab, undoable=False) as recorder:
        remove_plain(recorder, path_map)


def _checked(actor: Any, fields: Mapping[str, Any]) -> dict[str, str]:
    require(actor, "paths.manage")
    if unknown := [name for name in fields if name not in EDITABLE]:
        text = _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)}
        raise Invalid(text, fields={name: [_("unknown or read-only")] for name in unknown})
    check_types(PathMap, fields)
    return {name: _tidy(name, value) for name, value in fields.items()}


def _tidy(name: str, value: str) -> str:
    """Without the separators at the end, which the names below would double; a root and a drive keep theirs."""
    text = value.strip()
    if name in _POSIX:
        return text.rstrip("/") or text[:1]
    text = text.replace("/", "\\")
    return text if len(text) <= 3 else text.rstrip("\\")


def _refuse_taken(row: PathMap) -> None:
    if PathMap.objects.filter(server=row.server).exclude(pk=row.pk).exists():
        text = _("There is a path map of this folder already. Change that one.")
        raise Conflict(text, fields={"server": [_("taken")]})
