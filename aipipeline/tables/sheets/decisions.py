"""What a person said about the rows and cells of a difference: the newest word about a cell counts."""

from collections.abc import Mapping
from typing import Any

from aipipeline.tables.sheets.compare import DiffCell, DiffRow

MAX_STORED = 200_000
SCOPES = ("all", "state", "column", "row", "cell")
MOVE = "@move"


class Decisions:
    """`stored`: {"n": count, "all": [n, accept], "state"|"column"|"row"|"cell": {key: [n, accept]}}.

    Without a word: what only the sheet changed, new rows and moves are taken; conflicts, removals and what only here
    changed stay as they are here.
    """

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        given = stored if isinstance(stored, Mapping) else {}
        self.count = int(given.get("n", 0))
        self.all: list[Any] | None = given.get("all")
        self.by: dict[str, dict[str, list[Any]]] = {scope: dict(given.get(scope, {})) for scope in SCOPES[1:]}
        self.skip_errors = bool(given.get("skip_errors"))

    def as_json(self) -> dict[str, Any]:
        return {"n": self.count, "all": self.all, "skip_errors": self.skip_errors, **self.by}

    def say(self, scope: str, key: str, accept: bool | None) -> None:
        """Accept or reject (None: forget) everything, a state, a column, a row or a cell by its id."""
        self.count += 1
        word = None if accept is None else [self.count, bool(accept)]
        if scope == "all":
            self.all, self.by = word, {name: {} for name in self.by}
            return
        if scope == "row":
            kept = self.by["cell"]
            self.by["cell"] = {cell: found for cell, found in kept.items() if cell.partition(".")[0] != key}
        if word is None:
            self.by[scope].pop(key, None)
        else:
            self.by[scope][key] = word

    def about_cell(self, row: DiffRow, cell: DiffCell) -> bool | None:
        """True: take the sheet's value. None: nobody said anything about this cell."""
        return self._newest(row, cell.id, cell.field, "added" if row.state == "added" else cell.state)

    def about_row(self, row: DiffRow) -> bool | None:
        """True: make the new row, or remove the one that the sheet does not have."""
        return self._newest(row, "", "", row.state)

    def about_move(self, row: DiffRow) -> bool | None:
        return self._newest(row, move_id(row), "", "moved")

    def takes_cell(self, row: DiffRow, cell: DiffCell) -> bool:
        if cell.state in ("error", "same", "unchanged"):
            return False
        said = self.about_cell(row, cell)
        return said if said is not None else cell.state in ("changed", "added")

    def takes_row(self, row: DiffRow) -> bool:
        said = self.about_row(row)
        return said if said is not None else row.state == "added"

    def takes_move(self, row: DiffRow) -> bool:
        said = self.about_move(row)
        return row.moved and (said if said is not None else True)

    def _newest(self, row: DiffRow, cell_id: str, column: str, state: str) -> bool | None:
        words = [
            self.all,
            self.by["state"].get(state),
            self.by["column"].get(column) if column else None,
            self.by["row"].get(row.id),
            self.by["cell"].get(cell_id) if cell_id else None,
        ]
        said = [word for word in words if word]
        return bool(max(said)[1]) if said else None


class Everything(Decisions):
    """The sheet's side of everything, also of conflicts; what was changed here alone stays."""

    def about_cell(self, row: DiffRow, cell: DiffCell) -> bool | None:
        return cell.state != "here"

    def about_row(self, row: DiffRow) -> bool | None:
        return True

    def about_move(self, row: DiffRow) -> bool | None:
        return True


class Chosen(Decisions):
    """Exactly these ids: of cells, of rows with all their cells, of moves."""

    def __init__(self, ids: set[str]) -> None:
        super().__init__()
        self.ids = ids

    def about_cell(self, row: DiffRow, cell: DiffCell) -> bool | None:
        return cell.id in self.ids or (row.id in self.ids and cell.state != "here")

    def about_row(self, row: DiffRow) -> bool | None:
        return row.id in self.ids or (row.state == "added" and any(cell.id in self.ids for cell in row.cells))

    def about_move(self, row: DiffRow) -> bool | None:
        return row.id in self.ids or move_id(row) in self.ids


def move_id(row: DiffRow) -> str:
    """The id of the decision about a row's place."""
    return f"{row.id}.{MOVE}"
