"""What happened to one row of a table, cell by cell, as people read it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.translation import gettext as _

from aipipeline.history.selectors import Edit, row_history
from aipipeline.history.wording import action_words, field_change
from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import User
from aipipeline.projects.tracked import Tracked
from aipipeline.tables import grid
from aipipeline.tables.cells import Reader
from aipipeline.tables.columns import Column, ColumnType, Option
from aipipeline.tables.selectors import Loaded

# What the program keeps for itself; `current_step` goes with the status, which is told.
SILENT = frozenset({"seen_by_person", "current_step"})
_POINTING = frozenset({ColumnType.REFERENCE, ColumnType.REFERENCES, ColumnType.PERSON})


def history_of_row(
    loaded: Loaded, row_id: int, *, before: int | None = None, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Edits of a row and of what belongs to it, newest first, and the number to ask on with (None at the end).

    Removed rows have a history too; NotFound for one that never was in this project. A constant number of queries.
    """
    table = loaded.table
    rows: Any = table.model._default_manager
    if not rows.filter(project=loaded.project, pk=row_id).exists():
        raise NotFound(_("There is no such row in this project."))
    children: dict[type[Tracked], list[int]] = {}
    for label, column in table.children.items():
        child: type[Tracked] = apps.get_model(label)
        children[child] = list(child._default_manager.filter(**{column: row_id}).values_list("pk", flat=True))
    edits, more = row_history(loaded.project, table.model, row_id, children=children, before=before, limit=limit)
    cells = _Cells(loaded, edits)
    return [_edit_json(edit, cells) for edit in edits], more


def _edit_json(edit: Edit, cells: "_Cells") -> dict[str, Any]:
    action = edit.action
    return {
        "action": str(action.pk),
        "sequence": action.sequence,
        "when": action.created_at,
        "actor": {"id": action.actor.pk, "name": str(action.actor)} if action.actor else None,
        "kind": action.kind,
        "words": action_words(action),
        "state": action.state,
        "cells": [cell for entry in edit.entries for cell in cells.of(entry)],
    }


class _Cells:
    """The cells of some edits; the names of everything that they point at are read at once."""

    def __init__(self, loaded: Loaded, edits: Sequence[Edit]) -> None:
        self.table = loaded.table
        self.columns = {column.name: column for column in loaded.columns}
        self.labels = {column["name"]: column["own_label"] or column["label"] for column in grid.columns_json(loaded)}
        # The lists hold what may be chosen today; a history also tells of what was removed since.
        self.reader = Reader({name: list(found) for name, found in loaded.options.items()}, loaded.project.rate)
        self.names: dict[tuple[type[Model], Any], str] = {}
        self._read_names(edits)

    def of(self, entry: dict[str, Any]) -> list[dict[str, Any]]:
        own = entry["model"] == self.table.label_lower
        found = [
            (self._cell if own else self._child_cell)(entry, name, before, after)
            for name, (before, after) in {**entry["fields"], **entry.get("told", {})}.items()
        ]
        return [cell for cell in found if cell is not None]

    def _cell(self, entry: dict[str, Any], name: str, before: Any, after: Any) -> dict[str, Any] | None:
        if name in SILENT:
            return None
        column = self.columns.get(name)
        if column is None or (column.type == ColumnType.REFERENCES and before is None and after is None):
            return self._plain(self.table.model, name, before, after, label=self.labels.get(name, ""))
        return {
            "field": name,
            "label": self.labels[name],
            "before": before,
            "after": after,
            "before_text": self._text(column, before),
            "after_text": self._text(column, after),
            "restorable": column.editable,
        }

    def _child_cell(self, entry: dict[str, Any], name: str, before: Any, after: Any) -> dict[str, Any] | None:
        model: type[Model] = apps.get_model(entry["model"])
        if name == "order":
            return None
        cell = self._plain(model, name, before, after)
        cell["label"] = f"{entry['label']} · {cell['label']}"
        cell["field"] = f"{model._meta.model_name}:{entry['id']}.{name}"
        return cell

    def _plain(self, model: type[Model], name: str, before: Any, after: Any, *, label: str = "") -> dict[str, Any]:
        told = field_change(model, name, [before, after])
        texts = (told.before, told.after)
        if pointed := _model_of(model, name):
            texts = (self.names.get((pointed, before)), self.names.get((pointed, after)))
        return {
            "field": name,
            "label": label or told.label,
            "before": None if name == "removed_at" else before,
            "after": None if name == "removed_at" else after,
            "before_text": texts[0] or "",
            "after_text": texts[1] or "",
            "restorable": False,
        }

    def _text(self, column: Column, value: Any) -> str:
        pointed = _model_of(self.table.model, column.name) if column.type in _POINTING else None
        if pointed is not None:
            parts = value if isinstance(value, list) else [value]
            return ", ".join(self.names.get((pointed, part), str(part)) for part in parts if part is not None)
        if isinstance(value, (list, dict)):
            return str(self.table.cells_of({column.name: value})[column.name])
        return self.reader.shown(column, value)

    def _read_names(self, edits: Iterable[Edit]) -> None:
        wanted: dict[type[Model], set[Any]] = {}
        for edit in edits:
            for entry in edit.entries:
                model: type[Model] = apps.get_model(entry["model"])
                for name, values in {**entry["fields"], **entry.get("told", {})}.items():
                    if pointed := _model_of(model, name, self.columns.get(name)):
                        for value in values:
                            wanted.setdefault(pointed, set()).update(value if isinstance(value, list) else [value])
        for pointed, ids in wanted.items():
            for row in pointed._default_manager.filter(pk__in=ids - {None}):
                self.names[pointed, row.pk] = str(row)
        people = [Option(pk, name) for (model, pk), name in self.names.items() if model is User]
        known = {option.id for option in self.reader.options.get("person", [])}
        options = {**self.reader.options, "person": [*self.reader.options.get("person", [])]}
        options["person"] += [option for option in people if option.id not in known]
        self.reader = Reader(options, self.reader.fps)


def _model_of(model: type[Model], name: str, column: Column | None = None) -> type[Model] | None:
    """The model whose rows a field points at; None for a field that holds its value itself."""
    try:
        related = model._meta.get_field(name).related_model
    except FieldDoesNotExist:
        return User if column is not None and column.type == ColumnType.PERSON else None
    return related if isinstance(related, type) else None
