"""Cells of a project's own columns in metadata files: a person is told by the user name, everything else as it is."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import User
from aipipeline.tables.cells import check_values
from aipipeline.tables.columns import CUSTOM, ColumnType
from aipipeline.tables.custom import column_of
from aipipeline.tables.models import CustomColumn
from assets.rebuilding import Rebuild


def cells_told(project_id: int, table: str, rows: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """{row id: {"custom": cells}}; two queries at most."""
    found = {row.pk: dict(row.custom or {}) for row in rows}
    people = set(
        CustomColumn.objects.filter(project=project_id, table=table, type=ColumnType.PERSON).values_list(
            "key", flat=True
        )
    )
    ids = {cell for cells in found.values() for key, cell in cells.items() if key in people and isinstance(cell, int)}
    names = dict(User.objects.filter(pk__in=ids).values_list("pk", "username")) if ids else {}
    return {
        pk: {"custom": {key: names.get(cell) if key in people else cell for key, cell in cells.items()}}
        for pk, cells in found.items()
    }


class CellReader:
    """Reads the cells of one table's rows back."""

    def __init__(self, rebuild: Rebuild, table: str) -> None:
        self.rebuild = rebuild
        rows = CustomColumn.objects.filter(project=rebuild.project, table=table)
        self.columns = {row.key: column_of(row) for row in rows}

    def read(self, facts: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The cells by column key; what no column holds is left out, a value of the wrong kind is a problem."""
        cells = facts.get("custom", {})
        if not isinstance(cells, dict):
            self.rebuild.problem(f"{where}: custom", _("an object is needed"))
            return {}
        found = {}
        for key, value in cells.items():
            place, column = f"{where}: custom.{key[:40]}", self.columns.get(key)
            if column is None:
                self.rebuild.warn(place, _("the project has no such column; the cell is left out"))
                continue
            if column.type == ColumnType.PERSON and value is not None:
                user = self.rebuild.person(value, place)
                value = user.pk if user else None
            try:
                check_values([column], {f"{CUSTOM}{key}": value})
            except Invalid as error:
                self.rebuild.problem(place, str(error))
                continue
            found[key] = value
        return found
