"""A sheet against the shot list: the difference first, then all of it in one undo step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.services import lock, recording
from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid, PipelineError
from aipipeline.projects.models import Project
from aipipeline.tables.durations import frames_from
from assets.models import Character, CinematicPreset, Environment
from shots.models import Scene, Shot
from shots.selectors import prefetch_row
from shots.services import editing
from shots.services.cells import check
from shots.sheets.reading import MAX_CELL, SheetRow, read_sheet

COLUMNS = (
    "scene", "description", "action", "dialogue", "emotion", "characters", "environment", "preset", "size", "angle",
    "movement", "duration_frames", "prompt", "negative_prompt", "seed", "workflow",
)  # fmt: skip
READ_ONLY = ("id", "code", "status", "locked")
_RELATED: dict[str, tuple[type[Any], str]] = {
    "scene": (Scene, "code"),
    "environment": (Environment, "name"),
    "preset": (CinematicPreset, "name"),
}


@dataclass(frozen=True)
class CellDiff:
    field: str
    here: str
    sheet: str


@dataclass
class RowDiff:
    """`state`: added, changed, unchanged or error."""

    sheet_row: int
    state: str
    code: str
    cells: list[CellDiff] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    shot_id: int | None = None

    @property
    def id(self) -> str:
        """Names the row when only some of a sheet is applied: all its cells."""
        return str(self.sheet_row)

    def cell_id(self, name: str) -> str:
        """Names one cell of the row."""
        return f"{self.sheet_row}.{name}"


@dataclass(frozen=True)
class CellError:
    row: int
    column: str
    message: str


@dataclass
class SheetDiff:
    """What a sheet would change. `missing` lists shots that the sheet does not name; they stay."""

    rows: list[RowDiff] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        states = [row.state for row in self.rows]
        cells = sum(len(row.cells) for row in self.rows if row.state == "changed")
        return {
            "added": states.count("added"),
            "changed": cells,
            "removed": 0,
            "conflict": 0,
            "unchanged": states.count("unchanged"),
            "missing": len(self.missing),
            "errors": len(self.errors),
        }


def import_sheet(
    *,
    project: Project,
    actor: Any,
    kind: str,
    data: bytes,
    filename: str,
    dry_run: bool,
    accept: Sequence[str] | None = None,
    tab: str = "",
) -> SheetDiff:
    """Compare a sheet of shots with the list; unless `dry_run`, apply it in one action.

    `accept`: ids of cells (`12.action`) and of rows (`12`) to take, None for all; what is returned then holds only
    those. Errors anywhere refuse the whole; with `accept`, only errors in the rows that were chosen (Invalid).
    """
    if kind != "shots":
        raise Invalid(_("Only the shot list can be imported yet."), fields={"kind": [_("unknown")]})
    headers, rows = read_sheet(data, filename)
    if "code" not in headers and "id" not in headers and "description" not in headers:
        raise Invalid(
            _("The first row must hold column names such as code and description. Export a sheet to see them.")
        )
    diff = _Comparison(project, headers, rows).run()
    if accept is not None:
        _choose(diff, accept, {row.number for row in rows})
    if not dry_run and not diff.errors:
        _apply(project, actor, diff, tab)
    return diff


def _choose(diff: SheetDiff, accept: Sequence[str], numbers: set[int]) -> None:
    """Leave only the named cells and rows in the difference; Invalid names ids that the sheet does not have."""
    rows: set[int] = set()
    cells: dict[int, set[str]] = {}
    unknown: list[str] = []
    for wanted in dict.fromkeys(accept):
        number, dot, name = wanted.partition(".")
        place = whole_number(number)
        if place not in numbers or (dot and name not in diff.columns):
            unknown.append(wanted)
        elif dot:
            cells.setdefault(place, set()).add(name)
        else:
            rows.add(place)
    if unknown:
        raise Invalid(
            _("The sheet has no cells %(ids)s.") % {"ids": ", ".join(unknown[:10])[:200]},
            fields={"accept": [_("unknown id: %(id)s") % {"id": name[:80]} for name in unknown[:50]]},
        )
    diff.errors = [error for error in diff.errors if error.row in rows or error.row in cells]
    diff.rows = [row for row in diff.rows if row.sheet_row in rows or row.sheet_row in cells]
    for row in diff.rows:
        if row.sheet_row not in rows:
            row.cells = [cell for cell in row.cells if cell.field in cells[row.sheet_row]]
            row.values = {name: value for name, value in row.values.items() if name in cells[row.sheet_row]}
        if row.state == "changed" and not row.cells:
            row.state = "unchanged"


class _Comparison:
    """Reads the list once, then compares row by row without a query."""

    def __init__(self, project: Project, headers: list[str], rows: list[SheetRow]) -> None:
        self.project = project
        self.rows = rows
        self.diff = SheetDiff(
            columns=[h for h in headers if h in COLUMNS],
            ignored=[h for h in headers if h not in COLUMNS and h not in READ_ONLY],
        )
        shots = list(prefetch_row(Shot.objects.live().filter(project=project)))
        self.by_id = {shot.pk: shot for shot in shots}
        self.by_code = {shot.code: shot for shot in shots}
        self.related: dict[str, dict[str, Any]] = {
            name: {getattr(row, key): row for row in model.objects.live().filter(project=project)}
            for name, (model, key) in _RELATED.items()
        }
        self.characters = {row.name: row for row in Character.objects.live().filter(project=project)}

    def run(self) -> SheetDiff:
        seen: dict[int, int] = {}
        for row in self.rows:
            shot = self._match(row)
            if shot is not None and shot.pk in seen:
                self._error(row, "id", _("stands in row %(row)s too") % {"row": seen[shot.pk]})
                continue
            if shot is not None:
                seen[shot.pk] = row.number
            self._compare(row, shot)
        self.diff.missing = [shot.code for pk, shot in self.by_id.items() if pk not in seen]
        return self.diff

    def _match(self, row: SheetRow) -> Shot | None:
        number, code = row.cells.get("id"), str(row.cells.get("code") or "").strip()
        if number not in (None, ""):
            found = self.by_id.get(whole_number(number) or 0)
            if found is None:
                self._error(row, "id", _("there is no shot with this id in this project"))
            return found
        return self.by_code.get(code) if code else None

    def _error(self, row: SheetRow, column: str, message: str) -> None:
        self.diff.errors.append(CellError(row.number, column, str(message)))

    def _compare(self, row: SheetRow, shot: Shot | None) -> None:
        if row.cells.get("id") not in (None, "") and shot is None:
            return
        before = len(self.diff.errors)
        values: dict[str, Any] = {}
        cells: list[CellDiff] = []
        for name in COLUMNS:
            if name not in row.cells:
                continue
            value = self._value(row, name, row.cells[name])
            here = _shown(shot, name) if shot else ""
            there = _shown_value(value)
            if (shot is None and value not in (None, "", [])) or (shot is not None and there != here):
                values[name] = value
                cells.append(CellDiff(name, here, there))
        if len(self.diff.errors) > before:
            return
        self._check(row, values)
        if len(self.diff.errors) > before:
            return
        state = "added" if shot is None else "changed" if cells else "unchanged"
        code = shot.code if shot else str(row.cells.get("code") or _("new"))
        self.diff.rows.append(RowDiff(row.number, state, code, cells, values, shot.pk if shot else None))

    def _value(self, row: SheetRow, name: str, value: Any) -> Any:
        text = "" if value is None else str(value).strip()
        if len(text) > MAX_CELL:
            self._error(row, name, _("the text is too long"))
            return None
        if name in self.related:
            if not text:
                return None
            found = self.related[name].get(text)
            if found is None:
                self._error(row, name, _("there is no %(name)s named “%(text)s”") % {"name": name, "text": text[:60]})
            return found
        if name == "characters":
            return self._cast(row, text)
        if name == "duration_frames" and text:
            try:
                return value if isinstance(value, int) else frames_from(text, self.project.rate)
            except PipelineError as error:
                self._error(row, name, str(error.message))
                return None
        if name == "seed":
            return None if text == "" else value
        return text

    def _cast(self, row: SheetRow, text: str) -> list[Any]:
        names = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
        unknown = [name for name in names if name not in self.characters]
        if unknown:
            self._error(row, "characters", _("unknown: %(names)s") % {"names": ", ".join(unknown)[:100]})
        return [self.characters[name] for name in names if name in self.characters]

    def _check(self, row: SheetRow, values: Mapping[str, Any]) -> None:
        plain = {name: value for name, value in values.items() if name not in self.related and name != "characters"}
        try:
            check(Shot(project=self.project), plain)
        except Invalid as error:
            for name, messages in error.fields.items():
                self._error(row, name, str(messages[0]))


def _shown(shot: Shot, name: str) -> str:
    if name == "characters":
        return ", ".join(row.character.name for row in shot.cast)  # type: ignore[attr-defined]
    return _shown_value(getattr(shot, name))


def _shown_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(row) for row in value)
    return str(getattr(value, "code", None) or getattr(value, "name", None) or value).strip()


def _apply(project: Project, actor: Any, diff: SheetDiff, tab: str) -> None:
    """One action: changed rows, then new ones at the end in the sheet's order."""
    with recording(project=project, actor=actor, kind="sheet.import", tab=tab, params=diff.counts) as recorder:
        changed = {row.shot_id: row for row in diff.rows if row.state == "changed"}
        rows = list(lock(Shot.objects.live().filter(project=project, pk__in=list(changed))))
        if blocked := [shot for shot in rows if shot.locked and "scene" in changed[shot.pk].values]:
            raise editing.Locked(blocked)
        items = [{"id": shot.pk, "fields": changed[shot.pk].values} for shot in rows]
        editing.change_shots(recorder, project, items, on_conflict="fail", person=actor)
        added = [row.values for row in diff.rows if row.state == "added"]
        if added:
            editing.add_shots(recorder, project, [{"fields": row} for row in added])
