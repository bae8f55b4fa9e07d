"""Saved views, and how a person looks at a table right now."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.rows import create_row, remove_rows, update_row
from aipipeline.projects.errors import Invalid, NotAllowed, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.tables.columns import Column
from aipipeline.tables.custom import columns_of
from aipipeline.tables.filters import check_filter, check_sort
from aipipeline.tables.models import SavedView, ViewChoice
from aipipeline.tables.registry import Table
from aipipeline.tables.services.columns import settings_of, write_settings

MAX_VIEWS = 200
MAX_GROUPS = 3
_DURATIONS = ("timecode", "frames", "seconds")
_ROWS = ("s", "m", "l")
KNOWN = ("columns", "frozen", "filter", "sort", "group", "search", "duration", "row")


def check_config(config: Any, columns: Sequence[Column]) -> dict[str, Any]:
    """A view's config when it is well formed; Invalid says which part is not. Columns that went are left out."""
    if not isinstance(config, dict) or (unknown := set(config) - set(KNOWN)):
        names = ", ".join(sorted(unknown)) if isinstance(config, dict) else "config"
        raise Invalid(_("A view knows no %(names)s.") % {"names": names[:100]}, fields={"config": [_("unknown")]})
    known = {column.name for column in columns}
    found: dict[str, Any] = {}
    if (shown := config.get("columns")) is not None:
        found["columns"] = [[name, width] for name, width in _widths(shown) if name in known]
    if (frozen := config.get("frozen")) is not None:
        found["frozen"] = _within(frozen, "frozen", 0, 8)
    if node := config.get("filter"):
        found["filter"] = check_filter(node, columns)
    for name in ("sort", "group"):
        if config.get(name):
            order = check_sort(config[name], columns)
            found[name] = [[column, "desc" if down else "asc"] for column, down in order]
    if len(found.get("group", [])) > MAX_GROUPS:
        raise Invalid(
            _("Rows are grouped by at most %(n)s columns.") % {"n": MAX_GROUPS}, fields={"group": [_("too many")]}
        )
    if (search := config.get("search")) is not None:
        if not isinstance(search, str) or len(search) > 200:
            raise Invalid(_("The search is a text of at most 200 characters."), fields={"search": [_("not a text")]})
        found["search"] = search
    for name, values in (("duration", _DURATIONS), ("row", _ROWS)):
        if (value := config.get(name)) is not None:
            if value not in values:
                raise Invalid(f"{name}: {', '.join(values)}", fields={name: [_("unknown")]})
            found[name] = value
    return found


def _widths(shown: Any) -> list[tuple[str, int]]:
    good = isinstance(shown, list) and len(shown) <= 200
    for part in shown if good else []:
        good = good and isinstance(part, list) and len(part) == 2 and isinstance(part[0], str)
    if not good:
        raise Invalid(_("columns is a list of [name, width]."), fields={"columns": [_("not a list of columns")]})
    pairs = [(part[0], _within(part[1], "columns", 20, 2000)) for part in shown]
    return list(dict(pairs).items())


def _within(value: Any, name: str, low: int, high: int) -> int:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not low <= value <= high:
        raise Invalid(
            _("%(name)s: a whole number from %(low)s to %(high)s is needed.")
            % {"name": name, "low": low, "high": high},
            fields={name: [_("not a number")]},
        )
    return round(value)


def visible_views(project: Project, table: Table, actor: Any) -> list[SavedView]:
    """The views that a person may choose: everybody's shared ones, and their own. One query."""
    rows = SavedView.objects.visible_to(actor).live().filter(project=project, table=table.key)
    return [row for row in rows.order_by("name", "id") if row.shared or row.owner_id == actor.pk]


def view_for(project: Project, table: Table, actor: Any, view_id: int) -> SavedView:
    """One view that the person may choose; NotFound otherwise."""
    for row in visible_views(project, table, actor):
        if row.pk == view_id:
            return row
    raise NotFound(_("There is no such view."))


def save_view(
    *, project: Project, table: Table, actor: Any, name: str, config: Any, shared: bool = False, tab: str = ""
) -> SavedView:
    """A new view of this person; a shared one is everybody's. Invalid by field."""
    if SavedView.objects.live().filter(project=project, table=table.key).count() >= MAX_VIEWS:
        raise Invalid(_("A table has at most %(n)s views. Remove some first.") % {"n": MAX_VIEWS})
    if shared:
        require(actor, table.edit_operation, project)
    clean = check_config(config, columns_of(project, table))
    row = SavedView(project=project, table=table.key, owner=actor, shared=shared, name=_name(name), config=clean)
    return create_row(row=row, actor=actor, tab=tab)


def update_view(*, view: SavedView, table: Table, actor: Any, fields: Mapping[str, Any], tab: str = "") -> SavedView:
    """Rename, share or change one's own view; a lead may change every shared one. NotAllowed otherwise."""
    _may_change(view, actor)
    values = dict(fields)
    if "name" in values:
        values["name"] = _name(values["name"])
    if "config" in values:
        values["config"] = check_config(values["config"], columns_of(view.project, table))
    if values.get("shared"):
        require(actor, table.edit_operation, view.project)
    return update_row(row=view, actor=actor, fields=values, known=("name", "shared", "config"), tab=tab)


def remove_view(*, view: SavedView, actor: Any, tab: str = "") -> None:
    """Take a view away; undo brings it back."""
    _may_change(view, actor)
    remove_rows(rows=[view], actor=actor, tab=tab)


def set_default(*, project: Project, table: Table, actor: Any, view: SavedView | None, tab: str = "") -> None:
    """The view that people of the project see first. Only shared ones can be it."""
    require(actor, "project.edit", project)
    if view is not None and not view.shared:
        raise Invalid(_("Share the view first: a default is everybody's."), fields={"default": [_("not shared")]})
    write_settings(project=project, table=table, actor=actor, tab=tab, default_view=view)


def choose(*, project: Project, table: Table, actor: Any, view: SavedView | None, config: Any) -> None:
    """Keep how this person looks at the table now. No undo step: looking is no edit."""
    clean = check_config(config, columns_of(project, table))
    ViewChoice.objects.update_or_create(
        user=actor, project=project, table=table.key, defaults={"view": view, "config": clean}
    )


def present_view(project: Project, table: Table, actor: Any) -> dict[str, Any]:
    """{"id", "config"}: what this person looked at last, else the project's default, else everything."""
    chosen = ViewChoice.objects.filter(user=actor, project=project, table=table.key).select_related("view").first()
    if chosen is not None:
        view = chosen.view if chosen.view and chosen.view.removed_at is None else None
        if view is not None and not view.shared and view.owner_id != actor.pk:
            view = None
        return {"id": view.pk if view else None, "config": chosen.config}
    settings = settings_of(project, table)
    default = settings.default_view if settings else None
    if default is not None and default.removed_at is None:
        return {"id": default.pk, "config": default.config}
    return {"id": None, "config": {}}


def _may_change(view: SavedView, actor: Any) -> None:
    if view.owner_id == actor.pk:
        return
    if not view.shared:
        raise NotFound(_("There is no such view."))
    try:
        require(actor, "project.edit", view.project)
    except NotAllowed as error:
        raise NotAllowed(_("This view is somebody else's. Save it under a name of your own.")) from error


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > 80 or "\x00" in name:
        raise Invalid(_("A view needs a name of at most 80 characters."), fields={"name": [_("required")]})
    return name.strip()
