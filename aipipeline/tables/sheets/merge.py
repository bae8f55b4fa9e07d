"""Three-way merge of a table with a sheet that was made from it: pure functions on texts, no database.

Every cell is compared between the base (what the sheet was made from), here (what the table holds now) and the
sheet. Without a base (a sheet from elsewhere) only here and the sheet are compared, and nothing is a conflict.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

CellState = Literal["unchanged", "changed", "here", "same", "conflict", "added", "error"]
RowState = Literal["unchanged", "changed", "added", "removed", "gone"]
Cells = Mapping[str, str]
Base = Mapping[int, Mapping[str, str | None]]


@dataclass(frozen=True)
class Line:
    """A row of the sheet: its number there, the id of the row it stands for (None: a new one), its cells' texts."""

    number: int
    row_id: int | None
    cells: Cells


@dataclass(frozen=True)
class MergedCell:
    """`base` is None when it is not known; `here` is "" in a new row."""

    field: str
    base: str | None
    here: str
    sheet: str
    state: CellState


@dataclass
class MergedRow:
    """A row with what is to be decided in it; `cells` leaves out what is unchanged everywhere.

    `number` is the row in the sheet, 0 for a removed one. "gone": the sheet changed a row that was removed here.
    `moved`: the sheet has it at another place than the base. `touched`: a removed row was changed here since.
    """

    number: int
    row_id: int | None
    state: RowState
    cells: list[MergedCell] = field(default_factory=list)
    moved: bool = False
    touched: bool = False


def cell_state(base: str | None, here: str, sheet: str) -> CellState:
    """Who changed a cell since the base; `base` None is not known: then only whether the sheet differs counts."""
    if sheet == here:
        return "unchanged" if base is None or base == here else "same"
    if base is None or base == here:
        return "changed"
    return "here" if base == sheet else "conflict"


def merge(
    *,
    base: Base | None,
    here: Mapping[int, Cells],
    lines: Sequence[Line],
    ordered: bool = True,
) -> list[MergedRow]:
    """The rows of the sheet in its order, then those of the base that it has no more.

    `base` and `here` are in their own order of rows. A cell that the base does not have counts as unknown there.
    `ordered` False: the sheet's order says nothing (it was made from a sorted view), so nothing is moved.
    """
    moved = _moved(base, here, lines) if base is not None and ordered else set()
    rows = [_merge_line(base, here, line, line.row_id in moved) for line in lines]
    if base is not None:
        rows += _removed(base, here, lines)
    return rows


def _merge_line(base: Base | None, here: Mapping[int, Cells], line: Line, moved: bool) -> MergedRow:
    if line.row_id is None:
        new = [MergedCell(name, None, "", text, "added") for name, text in line.cells.items() if text]
        return MergedRow(line.number, None, "added", new)
    ours = here.get(line.row_id)
    first = (base or {}).get(line.row_id, {})
    if ours is None:
        lost = [
            MergedCell(name, first.get(name), "", text, "conflict")
            for name, text in line.cells.items()
            if first.get(name) != text
        ]
        return MergedRow(line.number, line.row_id, "gone", lost)
    cells = []
    for name, text in line.cells.items():
        held = ours[name]
        origin = first.get(name)
        if text == held and (origin is None or origin == held):
            continue
        cells.append(MergedCell(name, origin, held, text, cell_state(origin, held, text)))
    differs = any(cell.state in ("changed", "conflict") for cell in cells)
    return MergedRow(line.number, line.row_id, "changed" if differs else "unchanged", cells, moved)


def _removed(base: Base, here: Mapping[int, Cells], lines: Iterable[Line]) -> list[MergedRow]:
    """Rows of the base that the sheet does not have any more and the table still has."""
    named = {line.row_id for line in lines}
    found = []
    for row_id, cells in base.items():
        if row_id in named or row_id not in here:
            continue
        touched = any(text is not None and here[row_id].get(name) != text for name, text in cells.items())
        found.append(MergedRow(0, row_id, "removed", touched=touched))
    return found


def _moved(base: Mapping[int, object], here: Mapping[int, object], lines: Iterable[Line]) -> set[int]:
    """The fewest rows that must move to turn the base's order into the sheet's."""
    place = {row_id: index for index, row_id in enumerate(base)}
    common = [line.row_id for line in lines if line.row_id in place and line.row_id in here]
    stay = longest_increasing([place[row_id] for row_id in common if row_id is not None])
    return {row_id for index, row_id in enumerate(common) if index not in stay and row_id is not None}


def longest_increasing(numbers: Sequence[int]) -> set[int]:
    """The indexes of a longest strictly increasing subsequence."""
    tails: list[int] = []  # the smallest last number of a subsequence of each length
    ends: list[int] = []  # the index of that number
    before: list[int] = []
    for index, number in enumerate(numbers):
        length = bisect_left(tails, number)
        if length == len(tails):
            tails.append(number)
            ends.append(index)
        else:
            tails[length], ends[length] = number, index
        before.append(ends[length - 1] if length else -1)
    found: set[int] = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        found.add(at)
        at = before[at]
    return found


@dataclass
class Places:
    """Where rows go: moves in the order in which they are to be made, then the new rows, by their sheet row.

    Each stands just before the row with the given id; None is the end of the table.
    """

    moves: list[tuple[int, int | None]] = field(default_factory=list)
    new: dict[int, int | None] = field(default_factory=dict)


def places(order: Sequence[int], lines: Sequence[Line], *, new: set[int], moved: set[int]) -> Places:
    """Places for the new rows (named by sheet row) and the moved ones (by id).

    `order` is the table's present order without the rows that are removed. A row stands right after the one that
    precedes it in the sheet, the first ones before the one that follows; what nobody moved keeps its place.
    """
    found = Places()
    chain = _Chain([row_id for row_id in order if row_id not in moved])
    known = set(order)
    previous: int | None = None
    for index, line in enumerate(lines):
        if line.row_id in moved and line.row_id in known and line.row_id is not None:
            before = chain.after(previous) if previous else _first_after(lines, index, chain)
            found.moves.append((line.row_id, before))
            chain.insert(line.row_id, before)
            previous = line.row_id
        elif line.row_id in chain:
            previous = line.row_id
    previous = None
    for index, line in enumerate(lines):
        if line.number in new:
            found.new[line.number] = chain.after(previous) if previous else _first_after(lines, index, chain)
        elif line.row_id in chain:
            previous = line.row_id
    return found


def _first_after(lines: Sequence[Line], index: int, chain: "_Chain") -> int | None:
    return next((line.row_id for line in lines[index + 1 :] if line.row_id in chain), None)


class _Chain:
    """An order of ids in which one can be put before another at once."""

    def __init__(self, ids: Sequence[int]) -> None:
        ends: list[int | None] = [None, *ids, None]
        self._next = dict(pairwise(ends))
        self._previous = {right: left for left, right in pairwise(ends)}

    def __contains__(self, row_id: int | None) -> bool:
        return row_id is not None and row_id in self._next

    def after(self, row_id: int) -> int | None:
        return self._next[row_id]

    def insert(self, row_id: int, before: int | None) -> None:
        left = self._previous[before]
        self._next[left], self._next[row_id] = row_id, before
        self._previous[before], self._previous[row_id] = row_id, left
