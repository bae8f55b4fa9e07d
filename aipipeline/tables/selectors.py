"""Reads of a table for people: its rows as columns of cells, in chunks; a constant number of queries for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from aipipeline.projects.models import Project
from aipipeline.tables.cells import Reader
from aipipeline.tables.columns import CUSTOM, Column, Options
from aipipeline.tables.custom import columns_of, options_of
from aipipeline.tables.filters import check_filter, check_sort, compile_filter, search_test, sort_rows
from aipipeline.tables.registry import Table

FIRST = 200
REST = 1000
Chunk = dict[str, list[Any]]


@dataclass(frozen=True)
class Loaded:
    """A table of one project, ready to be read: its columns and option lists."""

    table: Table
    project: Project
    columns: list[Column]
    options: Options

    @property
    def reader(self) -> Reader:
        return Reader(self.options, self.project.rate)


def load(table: Table, project: Project) -> Loaded:
    """Columns and options of a table in a project: as many queries as it has lists, whatever it holds."""
    return Loaded(table, project, columns_of(project, table), options_of(project, table))


def ids_in_order(loaded: Loaded) -> list[int]:
    """Every live row's id in the table's own order. One query."""
    return list(loaded.table.rows(loaded.project).values_list("pk", flat=True))


def chunks(loaded: Loaded, ids: Sequence[int], *, first: int = FIRST, rest: int = REST) -> Iterator[Chunk]:
    """These rows, in this order, as one list for each column: a small piece first. Rows that went are left out."""
    start = 0
    while start < len(ids):
        size = first if start == 0 else rest
        yield read(loaded, ids[start : start + size])
        start += size


def read(loaded: Loaded, ids: Sequence[int]) -> Chunk:
    """These rows as one list for each column, with id, revision, position, the table's flags and facts."""
    table, project = loaded.table, loaded.project
    plain = [column for column in loaded.columns if column.path and not column.custom]
    flags = ["pk", "revision", *(["position"] if table.movable else []), *table.flags]
    names = [*flags, *(column.path for column in plain)]
    found = {
        row[0]: row
        for row in table.model.objects.live().filter(project=project, pk__in=ids).values_list(*names, "custom")
    }
    kept = [pk for pk in ids if pk in found]
    rows = [found[pk] for pk in kept]
    chunk: Chunk = {"id": kept}
    for place, name in enumerate(flags[1:], 1):
        chunk[name] = [row[place] for row in rows]
    for place, column in enumerate(plain, len(flags)):
        chunk[column.name] = [_json(row[place]) for row in rows]
    for name, provider in table.facts.items():
        given = provider(project, kept)
        chunk[name] = [given.get(pk) for pk in kept]
    for column in loaded.columns:
        if column.custom:
            key = column.name.removeprefix(CUSTOM)
            chunk[column.name] = [(row[-1] or {}).get(key) for row in rows]
        elif not column.path:
            given = table.providers[column.name](project, kept) if column.name in table.providers else {}
            empty = column.empty
            chunk[column.name] = [given.get(pk, empty) for pk in kept]
    return chunk


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def as_rows(chunk: Chunk) -> list[dict[str, Any]]:
    """A chunk turned: one object for each row."""
    names = list(chunk)
    return [dict(zip(names, values, strict=True)) for values in zip(*chunk.values(), strict=True)]


def as_chunk(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> Chunk:
    return {name: [row[name] for row in rows] for name in names}


def rows_of_view(loaded: Loaded, *, filter: Any = None, sort: Any = None, search: str = "") -> list[dict[str, Any]]:
    """Every row that a view shows, in its order. Invalid when filter or sort are not well formed."""
    node, order = check_filter(filter, loaded.columns), check_sort(sort, loaded.columns)
    reader = loaded.reader
    passes, found = compile_filter(node, loaded.columns, reader), search_test(search, loaded.columns, reader)
    rows = [
        row
        for chunk in chunks(loaded, ids_in_order(loaded), first=REST)
        for row in as_rows(chunk)
        if passes(row) and found(row)
    ]
    sort_rows(rows, order, loaded.columns, reader)
    return rows
