"""Queries that run with every claim: written as querysets, compiled once in each process, then only filled in.

Building and compiling them takes several times as long as the database takes to answer. Only for PostgreSQL, where many
claim at once; on SQLite the same querysets run as they are.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model, QuerySet
from psycopg.types.json import Jsonb

# Numbers that stand for the parameters while a query is compiled: they fit every integer column.
FIRST_MARK = 31_001


class Compiled:
    """A queryset as a function of numbers, UUIDs and lists of numbers or texts, which must not be empty.

    It must have the same shape whatever they are.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"]) -> None:
        self._build = build
        self._known: dict[tuple[str, ...], tuple[list[str], list[Any], dict[int, str]]] = {}

    def rows(self, **values: Any) -> list[Any]:
        """Of a queryset of plain values."""
        if connection.vendor != "postgresql":
            return list(self._build(**values))
        with connection.cursor() as cursor:
            cursor.execute(*self._filled(values))
            return list(cursor.fetchall())

    def first(self, model: type[Model], **values: Any) -> Any:
        """The only row of a queryset of one row at most, with its annotations; None when there is none."""
        if connection.vendor != "postgresql":
            return next(iter(self._build(**values)), None)
        return next(iter(model._base_manager.raw(*self._filled(values))), None)

    def _filled(self, values: dict[str, Any]) -> tuple[str, list[Any]]:
        key = tuple(sorted(values))
        if key not in self._known:
            marks = {FIRST_MARK + i: name for i, name in enumerate(key)}
            given = {name: _like(values[name], mark) for mark, name in marks.items()}
            sql, found = self._build(**given).query.sql_with_params()
            self._known[key] = (sql.split("%s"), list(found), marks)
        parts, params, marks = self._known[key]
        text, filled = parts[0], []
        for part, param in zip(parts[1:], params, strict=True):
            stands = _fill(param, marks, values)
            text += ", ".join(["%s"] * len(stands)) + part
            filled += stands
        return text, filled


def _like(sample: Any, mark: int) -> Any:
    if isinstance(sample, list):
        return [_like(sample[0], mark)]
    if isinstance(sample, UUID):
        return UUID(int=mark)
    return str(mark) if isinstance(sample, str) else mark


def _fill(param: Any, marks: dict[int, str], values: dict[str, Any]) -> list[Any]:
    """What stands in the place of one parameter of the compiled query; several for a list."""
    if isinstance(param, Jsonb) and isinstance(param.obj, list):
        return [Jsonb([_fill(part, marks, values)[0] for part in param.obj])]
    bare = getattr(param, "value", param)  # Django wraps some in a type of the database
    if isinstance(bare, UUID):
        bare = bare.int
    number = int(bare) if isinstance(bare, str) and bare.isdecimal() and len(bare) < 9 else bare
    if isinstance(number, bool) or not isinstance(number, int) or number not in marks:
        return [param]
    value = values[marks[number]]
    return list(value) if isinstance(value, list) else [value]
