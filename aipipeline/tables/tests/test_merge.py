"""The three-way merge as pure functions: what holds for every base, table and sheet that can be."""

import random
from itertools import pairwise

import pytest

from aipipeline.tables.sheets.merge import Line, cell_state, longest_increasing, merge, places

NAMES = ("a", "b", "c")
# A failure names the hundred that it is in.
SEEDS = [range(start, start + 100) for start in (0, 100, 200)]


@pytest.mark.parametrize(
    ("base", "here", "sheet", "state"),
    [
        ("1", "1", "1", "unchanged"),
        ("1", "1", "2", "changed"),
        ("1", "2", "1", "here"),
        ("1", "2", "2", "same"),
        ("1", "2", "3", "conflict"),
        ("1", "1", "", "changed"),
        ("1", "", "2", "conflict"),
        (None, "1", "1", "unchanged"),
        (None, "1", "2", "changed"),
    ],
)
def test_who_changed_a_cell(base: str | None, here: str, sheet: str, state: str) -> None:
    assert cell_state(base, here, sheet) == state


def world(seed: int) -> tuple[dict[int, dict[str, str]], dict[int, dict[str, str]], list[Line]]:
    """A base, a table and a sheet that both grew out of it, by this seed."""
    dice = random.Random(seed)

    def text() -> str:
        return dice.choice(["", "가", "나", "다"])

    base = {pk: {name: text() for name in NAMES} for pk in range(1, dice.randint(2, 14))}

    def grown() -> dict[int, dict[str, str]]:
        rows = {
            pk: {name: text() if dice.random() < 0.3 else value for name, value in cells.items()}
            for pk, cells in base.items()
            if dice.random() > 0.15
        }
        order = list(rows)
        for _n in range(dice.randint(0, 3)):
            if order:
                order.insert(dice.randrange(len(order)), order.pop(dice.randrange(len(order))))
        return {pk: rows[pk] for pk in order}

    here, sheet = grown(), grown()
    for pk in range(101, 101 + dice.randint(0, 3)):
        here[pk] = {name: text() for name in NAMES}
    entries: list[tuple[int | None, dict[str, str]]] = list(sheet.items())
    for _n in range(dice.randint(0, 3)):
        entries.insert(dice.randint(0, len(entries)), (None, {name: f"새 {text()}" for name in NAMES}))
    return base, here, [Line(number, pk, cells) for number, (pk, cells) in enumerate(entries, 2)]


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_taking_everything_gives_the_sheet_where_it_changed_and_here_where_not(seeds: range) -> None:
    for seed in seeds:
        base, here, lines = world(seed)
        rows = merge(base=base, here=here, lines=lines)
        taken = {pk: dict(cells) for pk, cells in here.items()}
        for row in rows:
            if row.row_id in taken and row.state != "removed":
                for cell in row.cells:
                    if cell.state in ("changed", "conflict"):
                        taken[row.row_id][cell.field] = cell.sheet
        in_sheet = {line.row_id: line.cells for line in lines if line.row_id is not None}
        for pk, cells in taken.items():
            for name, value in cells.items():
                first = base.get(pk, {}).get(name)
                theirs = in_sheet.get(pk, {}).get(name, here[pk][name])
                changed_there = pk in in_sheet and theirs != first
                assert value == (theirs if changed_there else here[pk][name]), seed
        assert {row.row_id for row in rows if row.state == "removed"} == {
            pk for pk in base if pk not in in_sheet and pk in here
        }
        assert [row.number for row in rows if row.state == "added"] == [
            line.number for line in lines if not line.row_id
        ]


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_both_sides_are_told_alike(seeds: range) -> None:
    for seed in seeds:
        base, here, lines = world(seed)
        for row in merge(base=base, here=here, lines=lines):
            if row.row_id in base and row.row_id in here:
                for cell in row.cells:
                    turned = cell_state(cell.base, cell.sheet, cell.here)
                    assert turned == {"changed": "here", "here": "changed"}.get(cell.state, cell.state)


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_a_merge_with_itself_is_nothing(seeds: range) -> None:
    for seed in seeds:
        base, _here, _lines = world(seed)
        lines = [Line(number, pk, cells) for number, (pk, cells) in enumerate(base.items())]
        assert all(
            row.state == "unchanged" and not row.moved and not row.cells
            for row in merge(base=base, here=base, lines=lines)
        )


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_moves_and_new_rows_end_where_the_sheet_has_them(seeds: range) -> None:
    """When nobody reordered the table, the table has the sheet's order afterwards."""
    for seed in seeds:
        base, here, lines = world(seed)
        here = {pk: here[pk] for pk in base if pk in here}
        rows = merge(base=base, here=here, lines=lines)
        gone = {row.row_id for row in rows if row.state == "removed"}
        moved = {row.row_id for row in rows if row.moved and row.row_id is not None}
        kept = [line for line in lines if line.row_id is None or line.row_id in here]
        order: list[int] = [pk for pk in here if pk not in gone]
        found = places(order, lines, new={line.number for line in lines if line.row_id is None}, moved=moved)
        for pk, before in found.moves:
            order.remove(pk)
            order.insert(order.index(before) if before is not None else len(order), pk)
        for number, before in found.new.items():
            order.insert(order.index(before) if before is not None else len(order), -number)
        assert order == [line.row_id if line.row_id is not None else -line.number for line in kept]


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_the_longest_run_is_the_longest(seeds: range) -> None:
    for seed in seeds:
        numbers = random.Random(seed).sample(range(30), 9)
        found = sorted(longest_increasing(numbers))
        assert all(numbers[a] < numbers[b] for a, b in pairwise(found))
        best = 0
        for mask in range(1 << len(numbers)):
            run = [number for place, number in enumerate(numbers) if mask >> place & 1]
            if run == sorted(run):
                best = max(best, len(run))
        assert len(found) == best
