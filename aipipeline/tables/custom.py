"""Columns that a project added, as `Column`s like the built-in ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.tables.cells import check_values
from aipipeline.tables.columns import CUSTOM, Column, ColumnType, Option, Options
from aipipeline.tables.models import CustomColumn
from aipipeline.tables.registry import Table

MAX_TEXT = 2000


def rows_of(project: Project, table: str) -> list[CustomColumn]:
    """The project's own columns of a table, in order. One query."""
    return list(CustomColumn.objects.live().filter(project=project, table=table).order_by("position", "id"))


def column_of(row: CustomColumn) -> Column:
    """A stored column as one like those that are declared in code."""
    kind = ColumnType(row.type)
    options = {ColumnType.CHOICE: f"{CUSTOM}{row.key}", ColumnType.PERSON: "person"}.get(kind, "")
    return Column(
        f"{CUSTOM}{row.key}",
        row.label,
        kind,
        width=130,
        options=options,
        source="",
        max_length=MAX_TEXT if kind in (ColumnType.TEXT, ColumnType.LINK) else None,
        whole=False,
    )


def columns_of(project: Project, table: Table) -> list[Column]:
    """Every column of a table in this project: built in, then its own."""
    return [*table.columns, *(column_of(row) for row in rows_of(project, table.key))]


def options_of(project: Project, table: Table) -> Options:
    """Every option list of a table in this project, those of its own choices too."""
    found = table.options(project)
    for row in rows_of(project, table.key):
        if row.type == ColumnType.CHOICE:
            choices = row.choices if isinstance(row.choices, list) else []
            found[f"{CUSTOM}{row.key}"] = [
                Option(choice["id"], choice["label"], "", choice.get("color", "")) for choice in choices
            ]
    return found


def split(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(built-in cells, cells of the project's own columns)."""
    own = {name: value for name, value in fields.items() if name.startswith(CUSTOM)}
    return {name: value for name, value in fields.items() if name not in own}, own


class CustomCells:
    """Checks cells of a project's own columns; reads their columns once, and only when a batch names one."""

    def __init__(self, project: Project, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        named = any(name.startswith(CUSTOM) for row in rows for name in _names(row.get("fields")))
        self.rows = rows_of(project, table) if named else []
        self.columns = [column_of(row) for row in self.rows]
        self._choices = {
            f"{CUSTOM}{row.key}": {choice["id"] for choice in row.choices}
            for row in self.rows
            if row.type == ColumnType.CHOICE
        }
        self._people: set[int] | None = None
        self.project = project

    def clean(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same cells with "" as None; Invalid names unknown columns and values that do not fit."""
        known = {column.name: column for column in self.columns}
        if unknown := [name for name in values if name not in known]:
            raise Invalid(
                _("This project has no column %(names)s.") % {"names": ", ".join(unknown)[:200]},
                fields={name: [_("unknown or read-only")] for name in unknown},
            )
        found = {name: None if value == "" else value for name, value in values.items()}
        check_values(self.columns, found)
        for name, value in found.items():
            if value is None:
                continue
            if name in self._choices and value not in self._choices[name]:
                raise Invalid(_("This choice is not in the list."), fields={name: [_("unknown id")]})
            if known[name].type == ColumnType.PERSON and value not in self._members():
                raise Invalid(_("This person is no member of the project."), fields={name: [_("unknown id")]})
        return found

    def _members(self) -> set[int]:
        if self._people is None:
            self._people = set(self.project.memberships.values_list("user_id", flat=True))
        return self._people


def _names(fields: Any) -> list[str]:
    return [name for name in fields if isinstance(name, str)] if isinstance(fields, Mapping) else []
