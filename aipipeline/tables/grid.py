"""What a grid needs: the table's head, its rows, and what changed since a number."""

from collections.abc import Iterator
from typing import Any

from aipipeline.history.changes import changes_since, current_change
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import operations_of
from aipipeline.tables.columns import Options
from aipipeline.tables.models import CustomColumn, SavedView, TableSettings
from aipipeline.tables.registry import Table
from aipipeline.tables.selectors import Loaded, chunks, ids_in_order, load, read
from aipipeline.tables.services.columns import settings_of
from aipipeline.tables.services.views import present_view, visible_views

_COLUMNS = frozenset({CustomColumn._meta.label_lower, TableSettings._meta.label_lower})
_VIEWS = frozenset({SavedView._meta.label_lower, TableSettings._meta.label_lower})
# More rows than this are loaded anew sooner than told one by one.
MAX_CHANGED = 5000


def head(loaded: Loaded, actor: Any, *, total: int, seq: int) -> dict[str, Any]:
    """The first line of a grid: columns, option lists, views, and what this person may do."""
    table, project = loaded.table, loaded.project
    return {
        "type": "head",
        "table": table.key,
        "seq": seq,
        "total": total,
        "fps": project.fps,
        "project": project.code,
        "movable": table.movable,
        "address": table.address(project),
        "user": {"id": actor.pk, "name": str(actor)},
        "may": sorted(operations_of(actor, project)),
        "edit": table.edit_operation,
        "delete": table.delete_operation,
        "columns": columns_json(loaded),
        "options": options_json(loaded.options),
        "moves": table.moves(actor, project),
        "views": views_json(table, project, actor),
        "view": present_view(project, table, actor),
    }


def lines(loaded: Loaded, actor: Any) -> Iterator[dict[str, Any]]:
    """The whole grid: head, rows in pieces, end. The number is read first, so nothing between is missed."""
    seq = current_change(loaded.project)
    ids = ids_in_order(loaded)
    yield head(loaded, actor, total=len(ids), seq=seq)
    for chunk in chunks(loaded, ids):
        yield {"type": "rows", "rows": chunk}
    yield {"type": "end", "total": len(ids)}


def changes(table: Table, project: Project, actor: Any, since: int) -> dict[str, Any]:
    """Whole rows that changed after number `since`, ids that went, and lists that are new. Constant queries."""
    seq, touched = changes_since(project, since)
    if touched is None:
        return {"seq": seq, "reset": True}
    ids = _row_ids(table, touched)
    lists = bool(set(touched) & (set(table.lookups) | _COLUMNS | _VIEWS))
    answer: dict[str, Any] = {
        "seq": seq, "reset": False, "rows": {}, "removed": [], "options": None, "columns": None, "views": None,
    }  # fmt: skip
    if len(ids) > MAX_CHANGED:
        return {"seq": seq, "reset": True}
    if not ids and not lists:
        return answer
    loaded = load(table, project)
    if ids:
        answer["rows"] = read(loaded, sorted(ids))
        answer["removed"] = sorted(ids - set(answer["rows"]["id"]))
    if lists:
        answer["options"] = options_json(loaded.options)
        answer["columns"] = columns_json(loaded)
        answer["views"] = views_json(table, project, actor)
    return answer


def _row_ids(table: Table, touched: dict[str, list[int]]) -> set[int]:
    """The table's rows among what was touched: themselves, or by something that belongs to them."""
    from django.apps import apps

    ids = {int(pk) for pk in touched.get(table.label_lower, [])}
    for label, link in table.children.items():
        if label in touched:
            rows = apps.get_model(label)._default_manager.filter(pk__in=touched[label])
            ids.update(rows.values_list(link, flat=True))
    return ids


def columns_json(loaded: Loaded) -> list[dict[str, Any]]:
    settings = settings_of(loaded.project, loaded.table)
    labels = settings.labels if settings else {}
    return [
        {**column.as_json(str(labels.get(column.name, ""))), "ops": list(ops_of(column))} for column in loaded.columns
    ]


def ops_of(column: Any) -> tuple[str, ...]:
    from aipipeline.tables.filters import OPS

    return OPS.get(column.type, ())


def options_json(options: Options) -> dict[str, list[dict[str, Any]]]:
    return {name: [option.as_json() for option in found] for name, found in options.items()}


def views_json(table: Table, project: Project, actor: Any) -> list[dict[str, Any]]:
    settings = settings_of(project, table)
    default = settings.default_view_id if settings else None
    return [
        {
            "id": view.pk,
            "name": view.name,
            "shared": view.shared,
            "mine": view.owner_id == actor.pk,
            "default": view.pk == default,
            "config": view.config,
        }
        for view in visible_views(project, table, actor)
    ]
