"""Saved views and table settings: filters hold ids of rows and people, files hold their names."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.models import Project, User
from aipipeline.tables.columns import CUSTOM, ColumnType
from aipipeline.tables.models import CustomColumn, SavedView, TableSettings
from aipipeline.tables.registry import table_of
from assets.facts import Form, save_all
from assets.models import Character, CinematicPreset, Environment, LoRA
from assets.rebuilding import Entry, Rebuild, short
from shots.models import Scene

VIEW = Form(SavedView, names={"owner": "username"}, leave=frozenset({"config"}))
SETTINGS = Form(TableSettings, leave=frozenset({"default_view"}))
# By the option list of a column: whose ids its cells are, and the name by which a file tells them.
_ROWS: dict[str, tuple[type[Any], str]] = {
    "scene": (Scene, "code"), "characters": (Character, "name"), "environment": (Environment, "name"),
    "preset": (CinematicPreset, "name"), "lora": (LoRA, "name"), "person": (User, "username"),
}  # fmt: skip


def describe_views(rows: list[Project]) -> Mapping[Any, Mapping[str, Any]]:
    return {row.pk: _views(row) for row in rows}


def _views(project: Project) -> dict[str, Any]:
    views = list(VIEW.rows(SavedView.objects.filter(project=project)).order_by("id"))
    lists = _lists(project)
    wanted: dict[str, set[Any]] = {}
    for view in views:
        _walk(view.config, lists.get(view.table, {}), lambda kind, pk: wanted.setdefault(kind, set()).add(pk))
    names: dict[str, dict[Any, str]] = {}
    for kind, ids in wanted.items():
        model, name = _ROWS[kind]
        whole = [pk for pk in ids if isinstance(pk, int)]
        names[kind] = dict(model._default_manager.filter(pk__in=whole).values_list("pk", name))
    numbers = {view.pk: number for number, view in enumerate(views)}
    told = []
    for view in views:
        config = _walk(view.config, lists.get(view.table, {}), lambda kind, pk: names[kind].get(pk))
        told.append({**VIEW.facts(view), "config": config})
    settings = SETTINGS.rows(TableSettings.objects.filter(project=project)).order_by("table")
    return {
        "views": told,
        "tables": [{**SETTINGS.facts(row), "default_view": numbers.get(row.default_view_id)} for row in settings],
    }


def _lists(project: Project) -> dict[str, dict[str, str]]:
    """By table and column: the option list whose ids a filter of that column holds."""
    found: dict[str, dict[str, str]] = {}
    for key in ("shots", "characters", "environments", "presets"):
        found[key] = {column.name: column.options for column in table_of(key).columns if column.options in _ROWS}
    own = CustomColumn.objects.filter(project=project, type=ColumnType.PERSON).values_list("table", "key")
    for table, key in own:
        found.setdefault(table, {})[f"{CUSTOM}{key}"] = "person"
    return found


def _walk(config: Any, lists: Mapping[str, str], change: Callable[[str, Any], Any]) -> Any:
    """The same config with `change(option list, id)` for every id in its filter."""

    def condition(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        for join in ("and", "or"):
            if isinstance(node.get(join), list):
                return {**node, join: [condition(part) for part in node[join]]}
        kind = lists.get(node["field"]) if isinstance(node.get("field"), str) else None
        value = node.get("value")
        if kind is None or value is None:
            return node
        if isinstance(value, list):
            return {**node, "value": [change(kind, part) for part in value if not isinstance(part, (dict, list))]}
        return node if isinstance(value, dict) else {**node, "value": change(kind, value)}

    if not isinstance(config, dict) or not config.get("filter"):
        return config
    return {**config, "filter": condition(config["filter"])}


def restore_views(rebuild: Rebuild, entries: list[Entry]) -> None:
    lists = _lists(rebuild.project)
    for entry in entries:
        views: list[SavedView | None] = []
        for where, facts in rebuild.objects(entry.facts, "views", entry.where):
            view = VIEW.make(rebuild, where, facts)
            if view is not None:
                view.config = _config(rebuild, where, facts.get("config", {}), lists.get(view.table, {}))
            views.append(view)
        save_all([view for view in views if view is not None])
        _restore_settings(rebuild, entry, views)


def _config(rebuild: Rebuild, where: str, config: Any, lists: Mapping[str, str]) -> dict[str, Any]:
    place = f"{where}: config"
    if not isinstance(config, dict):
        rebuild.problem(place, _("an object is needed"))
        return {}

    def known(kind: str, name: Any) -> Any:
        row = rebuild.named(_ROWS[kind][0]._meta.label_lower, name, place)
        return row.pk if row is not None else None

    found: dict[str, Any] = _walk(config, lists, known)
    return found


def _restore_settings(rebuild: Rebuild, entry: Entry, views: list[SavedView | None]) -> None:
    rows: dict[str, TableSettings] = {}
    for where, facts in rebuild.objects(entry.facts, "tables", entry.where):
        number = facts.get("default_view")
        if number is not None and not (type(number) is int and 0 <= number < len(views)):
            rebuild.problem(f"{where}: default_view", _("there is no view of this number"))
            continue
        row = SETTINGS.make(rebuild, where, facts, default_view=None if number is None else views[number])
        if row is not None and row.table in rows:
            rebuild.problem(where, _("%(name)s is there twice") % {"name": short(row.table)})
        elif row is not None:
            rows[row.table] = row
    save_all(rows.values())
