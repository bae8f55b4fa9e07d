"""A sheet against the table as it is now: every row and cell with its state, its value, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.tables.cells import CellError, Reader, folded
from aipipeline.tables.columns import Column
from aipipeline.tables.registry import Table
from aipipeline.tables.selectors import Loaded, load
from aipipeline.tables.sheets import foreign
from aipipeline.tables.sheets.base import OTHER, Base, base_of_tokens, plain_text, unpack
from aipipeline.tables.sheets.content import ID, here_rows, writable
from aipipeline.tables.sheets.lines import SheetLine, date_text, key_number, lines_of
from aipipeline.tables.sheets.mapping import SheetMapping
from aipipeline.tables.sheets.merge import Line, MergedRow, merge
from aipipeline.tables.sheets.raw import MAX_CELL, RawSheet, SheetError, Special, letter
from aipipeline.tables.sheets.xlsx_out import cut

MAX_ERRORS = 2000


@dataclass
class DiffCell:
    """`state` as in `merge`, or "error" with a message; `value` is the JSON that an apply writes."""

    id: str
    field: str
    base: str | None
    here: str
    sheet: str
    state: str
    value: Any = None
    message: str = ""


@dataclass
class DiffRow:
    """`row`: its number in the sheet (0 for a removed one); `code`: what people call it."""

    id: str
    row: int
    row_id: int | None
    code: str
    state: str
    moved: bool = False
    touched: bool = False
    cells: list[DiffCell] = field(default_factory=list)


@dataclass(frozen=True)
class Problem:
    """Something wrong at a place of the sheet; `field` "" is about the row."""

    row: int
    field: str
    letter: str
    message: str


@dataclass
class Diff:
    """`order`: (sheet row, row id or None) of all lines, to place new and moved rows."""

    rows: list[DiffRow] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    order: list[tuple[int, int | None]] = field(default_factory=list)
    unchanged: int = 0
    known: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Cells; rows for added, removed and moved. `missing`: rows that the sheet does not name and that stay."""
        cells = [cell.state for row in self.rows if row.state != "added" for cell in row.cells]
        states = [row.state for row in self.rows]
        return {
            "added": states.count("added"),
            "changed": cells.count("changed"),
            "removed": states.count("removed"),
            "conflict": cells.count("conflict"),
            "unchanged": self.unchanged,
            "here": cells.count("here"),
            "same": cells.count("same"),
            "moved": sum(row.moved for row in self.rows),
            "missing": len(self.missing),
            "errors": len(self.errors),
        }

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(*, project: Project, table: Table, raw: RawSheet, mapping: SheetMapping) -> Diff:
    """Read the table once and compare in memory: a constant number of queries for every thousand rows."""
    return _Comparison(load(table, project), raw, mapping).run()


class _Comparison:
    def __init__(self, loaded: Loaded, raw: RawSheet, mapping: SheetMapping) -> None:
        self.loaded, self.raw, self.mapping = loaded, raw, mapping
        self.reader: Reader = loaded.reader
        self.known: dict[str, Column] = {column.name: column for column in loaded.columns}
        self.diff = Diff()
        self.problems: dict[tuple[int, str], Problem] = {}
        self.values: dict[tuple[int, str], Any] = {}
        self.parsed: dict[tuple[str, Any], tuple[Any, str]] = {}

    def run(self) -> Diff:
        lines = lines_of(self.raw, self.mapping, self.loaded)
        names = [n for n in self.mapping.columns.values() if n in self.known and writable(self.known[n])]
        name_column = self.loaded.table.name_column
        shown = list(
            dict.fromkeys([*names, name_column, *(n for n in self.mapping.columns.values() if n in self.known)])
        )
        _cells, here = here_rows(self.loaded, shown)
        self.names = {row_id: cells[name_column] for row_id, cells in here.items()}
        base = self._stored_base()
        ids = self._identify(lines, here, base)
        lines = [line for line in lines if line.number in ids]
        texts = {line.number: self._texts(line) for line in lines}
        known = self._base_texts(base, lines, ids, here, texts)
        kept = self._read(lines, ids, here, known, texts)
        merged = merge(
            base=known,
            here=here,
            lines=[Line(line.number, ids[line.number], kept[line.number]) for line in lines],
            ordered=base.ordered if base else self.loaded.table.movable,
        )
        self.diff.known = known is not None
        self.diff.columns = names
        self.diff.order = [(line.number, ids[line.number]) for line in lines]
        self._finish(merged, lines, ids, kept, known, base)
        self._tell(lines, ids, here)
        return self.diff

    # --- which row of the table a line is ---------------------------------------------------------------------
    def _stored_base(self) -> Base | None:
        if not self.raw.base or not self.mapping.own:
            return None
        base = unpack(self.raw.base)
        project, table = self.loaded.project, self.loaded.table
        if base.table != table.key:
            raise SheetError(
                _("This is a sheet of another table (%(table)s). Import it there.") % {"table": base.table[:40]}
            )
        if base.project != project.pk:
            raise SheetError(
                _("This sheet was exported from the project %(code)s, so its rows are not in this one. To add them "
                  "here as new rows, remove the hidden column id.") % {"code": base.project_code[:40]},
                fields={ID: [_("ids of another project")]},
            )  # fmt: skip
        return base

    def _identify(
        self, lines: Sequence[SheetLine], here: Mapping[int, Any], base: Base | None
    ) -> dict[int, int | None]:
        """By sheet row: the row's id, None for a new one. Lines with a wrong key are left out, with an error."""
        by_name = {folded(name): row_id for row_id, name in reversed(self.names.items()) if name}
        found: dict[int, int | None] = {}
        seen: dict[int, int] = {}
        for line in lines:
            key = line.key
            if key in (None, ""):
                found[line.number] = None
                continue
            if self.mapping.key == ID:
                row_id = key_number(key)
                if row_id is None or (row_id not in here and (base is None or row_id not in base.rows)):
                    self._problem(
                        line.number, ID, _("there is no row with the id %(id)s in this project") % {"id": str(key)[:40]}
                    )
                    continue
            else:
                row_id = by_name.get(folded(plain_text(key) if not isinstance(key, Special) else str(key)))
                if row_id is None:
                    found[line.number] = None
                    continue
            if row_id in seen:
                self._problem(
                    line.number, self.mapping.key,
                    _("stands in row %(row)s too: a copied row carries the id of its model. Clear the id to add it as "
                      "a new row.") % {"row": seen[row_id]},
                )  # fmt: skip
                continue
            seen[row_id] = line.number
            found[line.number] = row_id
        return found

    # --- what stands in the cells ------------------------------------------------------------------------------
    def _texts(self, line: SheetLine) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in line.values.items():
            if isinstance(value, Special):
                value = date_text(self.known[name], value)
            found[name] = plain_text(value) if not isinstance(value, Special) else f"\x01{value.kind}:{value}"
        return found

    def _base_texts(
        self,
        base: Base | None,
        lines: Sequence[SheetLine],
        ids: Mapping[int, int | None],
        here: Mapping[int, Mapping[str, str]],
        texts: Mapping[int, Mapping[str, str]],
    ) -> dict[int, Mapping[str, str | None]] | None:
        if base is not None:
            return dict(base.rows)
        tokens = {ids[line.number]: line for line in lines if line.token and ids[line.number] is not None}
        if not tokens:
            return None
        return dict(
            base_of_tokens(
                {row_id: line.token for row_id, line in tokens.items() if row_id is not None},
                here,
                {row_id: texts[line.number] for row_id, line in tokens.items() if row_id is not None},
            )
        )

    def _read(
        self,
        lines: Sequence[SheetLine],
        ids: Mapping[int, int | None],
        here: Mapping[int, Mapping[str, str]],
        known: dict[int, Mapping[str, str | None]] | None,
        texts: Mapping[int, dict[str, str]],
    ) -> dict[int, dict[str, str]]:
        """The cells' texts as the table would write them; what cannot be read is left out, with an error."""
        kept: dict[int, dict[str, str]] = {}
        base = known if known is not None else {}
        for line in lines:
            row_id = ids[line.number]
            ours: Mapping[str, str] = here.get(row_id, {}) if row_id is not None else {}
            first: Mapping[str, str | None] = base.get(row_id, {}) if row_id is not None else {}
            cells: dict[str, str] = {}
            for name, text in texts[line.number].items():
                held = ours.get(name, "")
                if len(held) > MAX_CELL and text == plain_text(cut(held)):
                    # What Excel's cells cannot hold came back as it went out.
                    cells[name] = held
                    if row_id in base and base[row_id].get(name) == text:
                        base[row_id] = {**base[row_id], name: held}
                    continue
                if text == held or text == first.get(name):
                    cells[name] = text
                    if text == held:
                        continue
                try:
                    value, canonical = self._parse(name, line.values[name], text)
                except CellError as error:
                    if text != first.get(name):
                        cells.pop(name, None)
                        self._problem(line.number, name, str(error.message), text)
                    continue
                if len(held) > MAX_CELL and text != first.get(name):
                    self._problem(
                        line.number,
                        name,
                        _("The text here is longer than a cell of Excel holds: change it in the list."),
                        text,
                    )
                    continue
                cells[name] = text if text == first.get(name) else canonical
                self.values[line.number, name] = value
            kept[line.number] = cells
        return kept

    def _parse(self, name: str, value: Any, text: str) -> tuple[Any, str]:
        column = self.known[name]
        key = (name, text)
        if key in self.parsed:
            return self.parsed[key]
        if isinstance(value, Special):
            if value.kind == "formula":
                raise _cell_error(
                    name,
                    _("This formula has no stored value. Open the sheet in Excel and save it, or write the value."),
                )
            if value.kind == "error":
                raise _cell_error(name, _("The formula gives the error %(error)s.") % {"error": str(value)[:20]})
            value = date_text(column, value)
        if isinstance(value, str) and len(value) > MAX_CELL * 4:
            raise _cell_error(name, _("The text is longer than %(n)s characters.") % {"n": 32_000})
        try:
            found = self.reader.parse(column, value) if self.mapping.own else foreign.parse(self.reader, column, value)
            done = (found, plain_text(self.reader.written(column, found)))
        except CellError:
            if not self.mapping.make or column.options not in self.loaded.table.makes:
                raise
            done = (foreign.new_names(self.reader, column, value), text)
        if len(text) < 200:
            self.parsed[key] = done
        return done

    def _problem(self, row: int, name: str, message: str, text: str = "") -> None:
        if len(self.problems) < MAX_ERRORS:
            place = self.mapping.place(name)
            mark = letter(place + 1) if place is not None else ""
            self.problems[row, name] = Problem(row, name, mark, str(message))
        if text:
            self.values[row, f"!{name}"] = text

    # --- the result ---------------------------------------------------------------------------------------------
    def _finish(
        self,
        merged: Sequence[MergedRow],
        lines: Sequence[SheetLine],
        ids: Mapping[int, int | None],
        kept: Mapping[int, Mapping[str, str]],
        known: Mapping[int, Any] | None,
        base: Base | None,
    ) -> None:
        by_number = {line.number: line for line in lines}
        wrong: dict[int, list[str]] = {}
        for number, name in self.problems:
            wrong.setdefault(number, []).append(name)
        name_column = self.loaded.table.name_column
        total = 0
        for row in merged:
            total += len(kept.get(row.number, {}))
            line = by_number.get(row.number)
            code = self.names.get(row.row_id, "") if row.row_id is not None else ""
            if not code and line is not None:
                code = plain_text(line.others.get(name_column) or line.values.get(name_column) or "")
            if not code and base is not None and row.row_id is not None:
                code = base.rows.get(row.row_id, {}).get(name_column, "")
            found = DiffRow(_row_key(row), row.number, row.row_id, code[:80], row.state, row.moved, row.touched)
            found.cells = [
                DiffCell(
                    f"{found.id}.{cell.field}", cell.field, None if cell.base == OTHER else cell.base,
                    cell.here, cell.sheet, cell.state, self.values.get((row.number, cell.field)),
                )
                for cell in row.cells
            ]  # fmt: skip
            for name in wrong.get(row.number, ()):
                text = str(self.values.get((row.number, f"!{name}"), ""))
                message = self.problems[row.number, name].message
                found.cells.append(DiffCell(f"{found.id}.{name}", name, None, "", text[:500], "error", None, message))
            if found.cells or found.moved or found.state in ("added", "removed"):
                self.diff.rows.append(found)
        for (number, name), problem in self.problems.items():
            if number not in ids:
                cell = DiffCell(f"{number}.{name}", name, None, "", "", "error", None, problem.message)
                self.diff.rows.append(DiffRow(str(number), number, None, "", "error", cells=[cell]))
        touched = sum(len([c for c in row.cells if c.state != "error"]) for row in self.diff.rows)
        self.diff.unchanged = max(0, total - touched)
        self.diff.errors = sorted(self.problems.values(), key=lambda p: (p.row, p.letter))
        named = {row_id for row_id in ids.values() if row_id is not None}
        removed = {row.row_id for row in merged if row.state == "removed"}
        self.diff.missing = [
            name for row_id, name in self.names.items() if row_id not in named and row_id not in removed
        ]

    def _tell(
        self, lines: Sequence[SheetLine], ids: Mapping[int, int | None], here: Mapping[int, Mapping[str, str]]
    ) -> None:
        self.diff.notes = [note.message for note in self.raw.notes]
        header = next((line for number, line in self.raw.rows if number == self.mapping.header), [])
        self.diff.ignored = [
            str(value) for index, value in enumerate(header)
            if value not in (None, "") and str(index) not in self.mapping.columns
        ][:50]  # fmt: skip
        for name in {name for line in lines for name in line.others}:
            differ = [
                line.number
                for line in lines
                if (row_id := ids[line.number]) is not None and row_id in here and name in here[row_id]
                and name != self.mapping.key
                and line.others.get(name) not in (None, "") and plain_text(line.others[name]) != here[row_id][name]
            ]  # fmt: skip
            if differ:
                self.diff.notes.append(
                    str(_("The column %(name)s is not changed by sheets; it differs in rows %(rows)s."))
                    % {"name": str(self.known[name].label), "rows": ", ".join(map(str, differ[:8]))}
                )


def _row_key(row: MergedRow) -> str:
    return str(row.number) if row.number else f"r{row.row_id}"


def _cell_error(name: str, message: Any) -> CellError:
    return CellError(message, fields={name: [str(message)]})


def refuse_empty(raw: RawSheet) -> None:
    if not raw.rows:
        raise Invalid(_("The sheet is empty."), fields={"file": [_("empty")]})
