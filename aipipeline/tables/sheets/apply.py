"""Applying a sheet: compared anew under lock, written through the table's own services, one undo step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.services import lock, one_action
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.permissions import require
from aipipeline.tables.cells import folded
from aipipeline.tables.models import ImportState, SheetImport
from aipipeline.tables.registry import Table, table_of
from aipipeline.tables.selectors import load
from aipipeline.tables.sheets import store
from aipipeline.tables.sheets.compare import Diff, DiffCell, DiffRow
from aipipeline.tables.sheets.decisions import MOVE, Chosen, Decisions, Everything
from aipipeline.tables.sheets.imports import diff_from, locked_import, look
from aipipeline.tables.sheets.merge import Line, places

MAX_SHOWN = 200


@dataclass
class Plan:
    """What is written; the lists beside `items` and `create` say which sheet row each entry came from."""

    items: list[dict[str, Any]] = field(default_factory=list)
    item_rows: list[int] = field(default_factory=list)
    create: list[dict[str, Any]] = field(default_factory=list)
    create_rows: list[int] = field(default_factory=list)
    remove: list[int] = field(default_factory=list)
    moves: list[tuple[list[int], int | None]] = field(default_factory=list)
    cells: int = 0

    @property
    def rows(self) -> int:
        """Rows that are made, removed or moved."""
        return len(self.create) + len(self.remove) + sum(len(ids) for ids, _before in self.moves)

    @property
    def empty(self) -> bool:
        return not (self.items or self.create or self.remove or self.moves)


def plan_of(diff: Diff, decisions: Decisions, table: Table, order: Sequence[int]) -> Plan:
    """What the decisions make of a difference. `order`: the table's present rows."""
    plan = Plan()
    new: dict[int, dict[str, Any]] = {}
    moved: set[int] = set()
    for row in diff.rows:
        if row.state == "removed":
            if decisions.takes_row(row) and row.row_id is not None:
                plan.remove.append(row.row_id)
            continue
        if row.state in ("gone", "error"):
            continue
        taken = {cell.field: cell.value for cell in row.cells if decisions.takes_cell(row, cell)}
        if row.state == "added":
            if taken and decisions.takes_row(row):
                new[row.row] = taken
            continue
        if taken:
            plan.items.append({"id": row.row_id, "fields": taken})
            plan.item_rows.append(row.row)
            plan.cells += len(taken)
        if table.movable and row.row_id is not None and decisions.takes_move(row):
            moved.add(row.row_id)
    gone = set(plan.remove)
    lines = [Line(number, row_id, {}) for number, row_id in diff.order if row_id not in gone]
    found = places([row_id for row_id in order if row_id not in gone], lines, new=set(new), moved=moved)
    for number, fields in new.items():
        entry: dict[str, Any] = {"fields": fields}
        if table.movable and diff.known:
            entry["before"] = found.new.get(number)
        plan.create.append(entry)
        plan.create_rows.append(number)
    for row_id, before in found.moves:
        if plan.moves and plan.moves[-1][1] == before:
            plan.moves[-1][0].append(row_id)
        else:
            plan.moves.append(([row_id], before))
    return plan


def summary(diff: Diff, decisions: Decisions) -> dict[str, int]:
    """What an apply would do: cells, rows (made, removed, moved), and conflicts and removals without a word."""
    cells = rows = open_ = 0
    for row in diff.rows:
        if row.state in ("removed", "added"):
            rows += decisions.takes_row(row)
            open_ += row.state == "removed" and decisions.about_row(row) is None
            continue
        if row.state not in ("gone", "error"):
            cells += sum(decisions.takes_cell(row, cell) for cell in row.cells)
            open_ += sum(cell.state == "conflict" and decisions.about_cell(row, cell) is None for cell in row.cells)
            rows += decisions.takes_move(row)
    return {"cells": cells, "rows": rows, "open": open_}


def apply_import(
    *, row: SheetImport, actor: Any, accept: Sequence[str] | str | None = None, tab: str = ""
) -> SheetImport:
    """Write what was decided (None), the sheet's side of everything ("all"), or these ids of cells and rows.

    Invalid when a chosen row has an error, with the places; Conflict (nothing written) when a cell that would be
    written has changed since the difference was looked at. One transaction, one action.
    """
    table = table_of(row.table)
    project = row.project
    require(actor, "sheets.import", project)
    require(actor, table.edit_operation, project)
    params = {"sheet": row.name, "kind": row.kind}
    with one_action(project=project, actor=actor, kind="sheet.import", tab=tab, params=params) as recorder:
        found = locked_import(row, ImportState.READY)
        order = list(lock(table.rows(project)).values_list("pk", flat=True))
        seen = store.load_diff(row.pk)
        diff = look(found, keep=False)
        decisions = _decisions(found, diff, accept)
        _refuse_errors(diff, decisions, accept)
        if seen is not None:
            _refuse_moved(diff_from(seen["diff"]), diff, decisions)
        plan = plan_of(diff, decisions, table, order)
        if plan.remove:
            require(actor, table.delete_operation, project)
        _make_new(table, plan, project=project, actor=actor, tab=tab)
        _write(table, plan, project=project, actor=actor, tab=tab)
        recorder.action.params.update(cells=plan.cells, rows=plan.rows)
        found.state = ImportState.APPLIED
        found.result = {
            "cells": plan.cells, "rows": plan.rows, "counts": _applied(diff, plan), "action": str(recorder.action.pk),
        }  # fmt: skip
        found.save(update_fields=["state", "result", "updated_at"])
    store.drop(row.pk)
    return found


def _decisions(row: SheetImport, diff: Diff, accept: Sequence[str] | str | None) -> Decisions:
    if accept is None:
        return Decisions(row.decisions)
    if accept == "all":
        return Everything()
    numbers = {number for number, _row_id in diff.order} | {found.row for found in diff.rows if found.row}
    removed = {found.id for found in diff.rows if found.state == "removed"}
    unknown = []
    for name in dict.fromkeys(accept):
        place, dot, column = name.partition(".")
        known = place in removed or (place.isascii() and place.isdigit() and len(place) < 9 and int(place) in numbers)
        if not known or (dot and column not in (*diff.columns, MOVE)):
            unknown.append(name)
    if unknown:
        raise Invalid(
            _("The sheet has no cells %(ids)s.") % {"ids": ", ".join(unknown[:10])[:200]},
            fields={"accept": [_("unknown id: %(id)s") % {"id": name[:80]} for name in unknown[:50]]},
        )
    return Chosen(set(accept))


def _refuse_errors(diff: Diff, decisions: Decisions, accept: Sequence[str] | str | None) -> None:
    """A row with an error is not half-written: either nothing of it is chosen, or the person leaves the cell out."""
    if decisions.skip_errors:
        return
    wrong = diff.errors
    if isinstance(decisions, Chosen):
        rows = {name.partition(".")[0] for name in decisions.ids}
        wrong = [error for error in wrong if str(error.row) in rows]
    if wrong:
        raise Invalid(
            _("Nothing was applied: some cells have errors."),
            fields={f"{error.row}.{error.field}": [error.message] for error in wrong[:MAX_SHOWN]},
        )


def _refuse_moved(seen: Diff, now: Diff, decisions: Decisions) -> None:
    """Conflict when a cell that would be written is not any more what the person saw."""
    before = {row.id: row for row in seen.rows}
    changed: list[dict[str, Any]] = []
    for row in now.rows:
        old = before.get(row.id)
        cells = {cell.id: cell for cell in old.cells} if old else {}
        for cell in row.cells:
            was = cells.get(cell.id)
            if decisions.takes_cell(row, cell) and (was is None or (was.here, was.state) != (cell.here, cell.state)):
                changed.append(_told(row, cell, was))
        if row.state == "removed" and decisions.takes_row(row) and (old is None or old.touched != row.touched):
            changed.append({"id": row.id, "row": row.row, "code": row.code})
    # What was to be written and is no difference any more needs no refusal: the table holds the sheet's value.
    if changed:
        raise Conflict(
            _("%(n)s of the cells were changed here meanwhile. Nothing was applied: look at them again.")
            % {"n": len(changed)},
            details={"cells": changed[:MAX_SHOWN], "count": len(changed)},
        )


def _told(row: DiffRow, cell: DiffCell, was: DiffCell | None) -> dict[str, Any]:
    return {
        "id": cell.id,
        "row": row.row,
        "code": row.code,
        "field": cell.field,
        "seen": was.here if was else cell.sheet,
        "here": cell.here,
        "sheet": cell.sheet,
    }


def _make_new(table: Table, plan: Plan, *, project: Any, actor: Any, tab: str) -> None:
    """Make the rows that a foreign sheet names and nobody has yet, each once, and put their ids into the cells."""
    lists = {column.name: column.options for column in load(table, project).columns}
    made: dict[tuple[str, str], Any] = {}

    def known(name: str, value: Any) -> Any:
        if isinstance(value, list):
            return list(dict.fromkeys(known(name, part) for part in value))
        if not isinstance(value, dict):
            return value
        key = (lists[name], folded(value["new"]))
        if key not in made:
            made[key] = table.make_option(project=project, actor=actor, options=lists[name], text=value["new"], tab=tab)
        return made[key]

    if not any(_is_new(value) for entry in (*plan.items, *plan.create) for value in entry["fields"].values()):
        return
    for entry in (*plan.items, *plan.create):
        entry["fields"] = {name: known(name, value) for name, value in entry["fields"].items()}


def _is_new(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(part, dict) for part in value))


def _write(table: Table, plan: Plan, *, project: Any, actor: Any, tab: str) -> None:
    try:
        for ids, before in plan.moves:
            table.move(project=project, actor=actor, ids=ids, before=before, tab=tab)
        if plan.items or plan.create or plan.remove:
            table.apply_batch(
                project=project, actor=actor, items=plan.items, create=plan.create, remove=plan.remove, tab=tab
            )
    except Invalid as error:
        raise Invalid(error.message, fields=_places(error.fields, plan), details=error.details) from error


def _places(fields: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Errors by row number of the batch, as errors by row of the sheet."""
    found: dict[str, Any] = {}
    for name, problem in fields.items():
        kind, _dot, number = name.rpartition(".")
        rows = plan.create_rows if kind == "create" else plan.item_rows
        if not number.isdigit() or int(number) >= len(rows):
            found[name] = problem
        elif isinstance(problem, Mapping):
            found.update({f"{rows[int(number)]}.{column}": messages for column, messages in problem.items()})
        else:
            found[str(rows[int(number)])] = problem
    return found


def _applied(diff: Diff, plan: Plan) -> dict[str, int]:
    """The counts of what was written, in the words of the difference."""
    return {
        **diff.counts,
        "added": len(plan.create),
        "changed": plan.cells,
        "removed": len(plan.remove),
        "moved": sum(len(ids) for ids, _before in plan.moves),
    }
