"""Rows as plain facts and back: every column of a model, what it points at by natural key.

A form takes all columns of its model but those that it leaves out by name, so that a new column is told in the files
without anybody thinking of it; a relation that nobody named is an error at the first use.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from aipipeline.history.saving import save_columns
from aipipeline.projects.checks import check_types
from aipipeline.projects.errors import Invalid
from assets.rebuilding import Rebuild, first, short

# Ids and counts of edits are the database's own; the project is the one that the tree is of.
BOOKKEEPING = frozenset({"id", "project", "revision", "field_revisions", "updated_at"})
AT_ONCE = 500
T = TypeVar("T", bound=models.Model)


@dataclass(frozen=True)
class Form:
    """The facts of one model.

    `names`: by relation, the column of its target that names it. `leave`: columns told elsewhere, or not at all.
    """

    model: type[models.Model]
    names: Mapping[str, str] = field(default_factory=dict)
    leave: frozenset[str] = frozenset()

    @cached_property
    def fields(self) -> "list[models.Field[Any, Any]]":
        left = BOOKKEEPING | self.leave
        fields = [f for f in self.model._meta.concrete_fields if f.name not in left]
        for f in fields:
            if f.is_relation and f.name not in self.names:
                raise TypeError(f"{self.model.__name__}.{f.name}: say by which name its target is told, or leave it")
        return fields

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    def rows(self, queryset: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        """With what the facts name: one more query for each relation, and one instance for each row that is named.

        A join would make an instance for every row that names it, and a thousand shots name one project.
        """
        if any(f.name == "field_revisions" for f in self.model._meta.concrete_fields):
            queryset = queryset.defer("field_revisions")
        return queryset.prefetch_related(*self.names)

    def fill(self, rows: Sequence[T]) -> Sequence[T]:
        """The same for rows that are read already, whole."""
        models.prefetch_related_objects(rows, *self.names)
        return rows

    def facts(self, row: models.Model) -> dict[str, Any]:
        return {f.name: self._told(row, f) for f in self.fields}

    def _told(self, row: models.Model, f: "models.Field[Any, Any]") -> Any:
        value = getattr(row, f.name)
        if f.is_relation:
            return None if value is None else getattr(value, self.names[f.name])
        return value.isoformat() if isinstance(value, (date, datetime)) else value

    def make(self, rebuild: Rebuild, where: str, facts: Mapping[str, Any], **given: Any) -> Any:
        """The unsaved row of these facts; None when it cannot be, and the rebuild knows why.

        `given`: columns that the caller knows. A relation whose target is not there is left empty, or the row is.
        """
        values: dict[str, Any] = {}
        for f in self.fields:
            if f.name in given or f.name not in facts:
                continue
            try:
                value = self._read(rebuild, where, f, facts[f.name])
            except (ValidationError, ValueError, OverflowError) as error:
                words = first(error) if isinstance(error, ValidationError) else str(error)
                rebuild.no_field(where, f, f"{short(facts[f.name])}: {words}")
                return None
            if value is None and not f.null:
                return None
            values[f.name] = value
        missing = [f.name for f in self.fields if f.name not in {**values, **given} and not f.has_default()]
        missing = [name for name in missing if not self._may_miss(name)]
        if missing:
            rebuild.problem(where, _("%(names)s is missing") % {"names": ", ".join(missing)})
            return None
        return self.model(**{**self._project(rebuild), **values, **given})

    def _may_miss(self, name: str) -> bool:
        f = self.model._meta.get_field(name)
        return bool(f.null or getattr(f, "blank", False) or getattr(f, "auto_now_add", False))

    def _project(self, rebuild: Rebuild) -> dict[str, Any]:
        has = any(f.name == "project" for f in self.model._meta.concrete_fields)
        return {"project": rebuild.project} if has else {}

    def _read(self, rebuild: Rebuild, where: str, f: "models.Field[Any, Any]", value: Any) -> Any:
        if f.is_relation:
            label = f.related_model._meta.label_lower  # type: ignore[union-attr]
            return rebuild.named(label, value, f"{where}: {f.name}")
        try:
            check_types(self.model, {f.name: value})
        except Invalid as error:
            raise ValidationError(next(iter(error.fields.values()))[0]) from error
        if value is None:
            return None
        if isinstance(f, models.JSONField):
            return _same_kind(f, value)
        found = _moment(value) if isinstance(f, models.DateTimeField) else f.to_python(value)
        f.run_validators(found)
        if f.choices and found not in f.empty_values and found not in {key for key, _label in f.flatchoices}:
            raise ValidationError(_("this is not one of the choices"))
        return found


def _moment(value: Any) -> datetime:
    found = parse_datetime(value) if isinstance(value, str) else None
    if found is None or found.tzinfo is None:
        raise ValidationError(_("a moment with its time zone is needed"))
    return found


def _same_kind(f: "models.JSONField[Any, Any]", value: Any) -> Any:
    default = f.get_default() if f.has_default() else None
    if isinstance(default, (list, dict)) and not isinstance(value, type(default)):
        raise ValidationError(_("a list is needed") if isinstance(default, list) else _("an object is needed"))
    return value


def save_all(rows: Iterable[T]) -> list[T]:
    """Save new rows of one model in their order, with the moments at which they were made, not that of today."""
    wanted = list(rows)
    if not wanted:
        return []
    automatic = [f.name for f in wanted[0]._meta.concrete_fields if getattr(f, "auto_now_add", False)]
    moments = [{name: getattr(row, name) for name in automatic} for row in wanted]
    made: list[T] = list(type(wanted[0])._default_manager.bulk_create(wanted, batch_size=AT_ONCE))
    old = []
    for row, kept in zip(made, moments, strict=True):
        if told := {name: moment for name, moment in kept.items() if moment is not None}:
            old.append(row)
            for name, moment in told.items():
                setattr(row, name, moment)
    if old:
        save_columns(old, automatic)
    return made


def in_order(entries: Sequence[Any]) -> list[Any]:
    """Files in the order in which their rows were made, so that lists by id stay as they were."""
    return sorted(entries, key=lambda entry: (str(entry.facts.get("created_at", "")), entry.where))
