"""What a sheet of a table holds: its columns in order and its rows as values and as comparable texts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.tables.columns import Column, ColumnType
from aipipeline.tables.models import TableSettings
from aipipeline.tables.registry import Table, sheet_of
from aipipeline.tables.selectors import Loaded, as_rows, chunks, ids_in_order, load, rows_of_view
from aipipeline.tables.services.views import view_for
from aipipeline.tables.sheets.base import plain_text

ID = "id"
BASE = "_base"
Rows = dict[int, dict[str, Any]]


def writable(column: Column) -> bool:
    """True for a column that a sheet may change; a status moves by its own rules, in the list."""
    return column.editable and column.type not in (ColumnType.STATUS, ColumnType.CODE, ColumnType.IMAGE)


@dataclass(frozen=True)
class Wanted:
    """What of a table goes into a sheet: a kind, or (`view`) what a person looks at.

    `view`: {"view": id, "filter", "sort", "search", "columns": [names]}; empty for all of the kind.
    """

    project: Project
    kind: str
    view: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class SheetContent:
    """`columns` without the id; `rows` are JSON cells by column name, in the sheet's order.

    `ordered`: that order is the table's own, so that a row at another place was moved.
    """

    loaded: Loaded
    title: str
    columns: list[Column]
    rows: list[dict[str, Any]]
    ordered: bool

    def values(self) -> list[list[Any]]:
        """By row: the id and what stands in each cell (None, numbers, booleans, texts)."""
        lists = [[row[ID] for row in self.rows]]
        lists += [
            list(map(writer_of(self.loaded, column), [row.get(column.name) for row in self.rows]))
            for column in self.columns
        ]
        return [list(line) for line in zip(*lists, strict=True)]


def content_of(wanted: Wanted, *, user: Any = None) -> SheetContent:
    """Read the rows of a sheet in a constant number of queries for every thousand rows."""
    table, sheet = sheet_of(wanted.kind)
    loaded = load(table, wanted.project)
    view = _view(wanted, table, user)
    known = {column.name: column for column in loaded.columns}
    names = list(sheet.columns)
    if sheet.with_custom:
        names += [column.name for column in loaded.columns if column.custom]
    if view.get("columns"):
        names = _column_names(view["columns"], known)
        names = [*([table.name_column] if table.name_column not in names else []), *names]
    columns = [known[name] for name in names if name in known and known[name].type != ColumnType.IMAGE]
    if any(view.get(key) for key in ("filter", "sort", "search")):
        rows = rows_of_view(
            loaded, filter=view.get("filter"), sort=view.get("sort"), search=str(view.get("search") or "")
        )
    else:
        rows = [row for chunk in chunks(loaded, ids_in_order(loaded), first=1000) for row in as_rows(chunk)]
    return SheetContent(loaded, str(sheet.title), columns, rows, table.movable and not view.get("sort"))


def _view(wanted: Wanted, table: Table, user: Any) -> Mapping[str, Any]:
    given = {name: value for name, value in wanted.view.items() if value not in (None, "")}
    number = given.pop("view", None)
    if number is None:
        return given
    row = view_for(wanted.project, table, user, whole_number(number) or 0)
    return {**(row.config if isinstance(row.config, dict) else {}), **given}


def _column_names(found: Any, known: Mapping[str, Column]) -> list[str]:
    """Names from a view's columns: names alone, or [name, width]."""
    names = [part[0] if isinstance(part, (list, tuple)) and part else part for part in found]
    if unknown := [str(name) for name in names if name not in known]:
        raise Invalid(
            _("There is no column %(names)s.") % {"names": ", ".join(unknown)[:200]}, fields={"columns": [_("unknown")]}
        )
    return list(dict.fromkeys(names))


def writer_of(loaded: Loaded, column: Column) -> Callable[[Any], Any]:
    """A function from a cell's JSON to what a sheet holds for it; texts and numbers pass as they are."""
    if column.type in (ColumnType.TEXT, ColumnType.LONG_TEXT, ColumnType.LINK, ColumnType.CODE) and not column.options:
        return _as_is
    if column.type in (ColumnType.NUMBER, ColumnType.DURATION, ColumnType.TICK, ColumnType.DATE):
        return _as_is
    reader = loaded.reader
    kept: dict[Any, Any] = {}

    def write(value: Any) -> Any:
        key = tuple(value) if isinstance(value, list) else value
        if key not in kept:
            kept[key] = reader.written(column, value)
        return kept[key]

    return write


def _as_is(value: Any) -> Any:
    return None if value == "" else value


def here_rows(loaded: Loaded, names: Sequence[str]) -> tuple[Rows, dict[int, dict[str, str]]]:
    """Every live row of the table in its order: as JSON cells, and as the texts of these columns."""
    rows = [row for chunk in chunks(loaded, ids_in_order(loaded), first=1000) for row in as_rows(chunk)]
    by_name = {column.name: column for column in loaded.columns}
    lists = [
        [plain_text(write(row.get(name))) for row in rows]
        for name in names
        for write in (writer_of(loaded, by_name[name]),)
    ]
    lines = zip(*lists, strict=True) if lists else [()] * len(rows)
    texts = {row[ID]: dict(zip(names, line, strict=True)) for row, line in zip(rows, lines, strict=True)}
    return {row[ID]: row for row in rows}, texts


def own_labels(project: Project, table: str) -> dict[str, str]:
    """The project's own words for built-in columns."""
    row = TableSettings.objects.live().filter(project=project, table=table).first()
    return {str(name): str(text) for name, text in (row.labels if row and isinstance(row.labels, dict) else {}).items()}
