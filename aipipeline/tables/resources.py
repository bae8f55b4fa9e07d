"""The sheets of a table in the admin: django-import-export resources whose columns are those of the table."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from import_export import fields
from tablib import Dataset

from aipipeline.history.admin.imports import ServiceResource, harmless
from aipipeline.projects.errors import PipelineError
from aipipeline.projects.models import Project
from aipipeline.tables.cells import CellError
from aipipeline.tables.columns import Column
from aipipeline.tables.registry import Table, table_of
from aipipeline.tables.selectors import Loaded, as_rows, chunks, load, read
from aipipeline.tables.sheets.content import writable, writer_of


class TableResource(ServiceResource):
    """One sheet of a table. Rows are found by the table's name column; other names make new rows.

    Cells are read and written as in every other sheet: by the table's own reading, through its own batch.
    """

    table_key: ClassVar[str] = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._loaded: dict[int, Loaded] = {}
        self._rows: dict[tuple[int, int], dict[str, Any]] = {}

    def _of(self, project: Project) -> Loaded:
        if project.pk not in self._loaded:
            self._loaded[project.pk] = load(table_of(self.table_key), project)
        return self._loaded[project.pk]

    # --- in -----------------------------------------------------------------------------------------------
    def get_import_fields(self) -> list[Any]:
        """What a sheet may change, and what names the row."""
        table = table_of(self.table_key)
        names = {column.name for column in table.columns if writable(column)} | {table.name_column}
        return [field for field in super().get_import_fields() if field.column_name in names]

    def import_field(self, field: Any, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        """Keep the cell beside the row until the table writes it; ValueError with the reason for a wrong one."""
        assert self.project is not None
        column = table_of(self.table_key).column(field.column_name)
        if column is None or field.column_name not in row or not writable(column):
            return
        try:
            cells_of(instance)[column.name] = self._of(self.project).reader.parse(column, row[field.column_name])
        except CellError as error:
            raise ValueError(str(error.message)) from error

    def skip_row(
        self, instance: Any, original: Any, row: Any, import_validation_errors: Mapping[str, Any] | None = None
    ) -> bool:
        """Rows in which every cell says what is there already."""
        if import_validation_errors or instance.pk is None:
            return False
        held = self._cells(instance)
        return all(held.get(name) == value for name, value in cells_of(instance).items())

    def validate_instance(self, instance: Any, *args: Any, **kwargs: Any) -> None:
        """The table's own services validate what they write; only what could not be read is told here."""
        kwargs["validate_unique"] = False
        errors = kwargs.get("import_validation_errors") or (args[0] if args else None)
        if errors:
            super().validate_instance(instance, *args, **kwargs)

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        from django.core.exceptions import ValidationError

        assert self.project is not None
        table = table_of(self.table_key)
        cells = cells_of(instance)
        try:
            if is_create:
                done = table.apply_batch(project=self.project, actor=self.actor, create=[{"fields": cells}])
                instance.pk = done.created[0]
            else:
                table.apply_batch(
                    project=self.project, actor=self.actor, items=[{"id": instance.pk, "fields": dict(cells)}]
                )
        except PipelineError as error:
            reasons = [str(reason) for found in error.fields.values() for reason in _flat(found)]
            raise ValidationError(reasons or [str(error.message)]) from error
        instance.refresh_from_db()

    # --- out ----------------------------------------------------------------------------------------------
    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        """One cell of a preview: what would be written, else what is there."""
        column = table_of(self.table_key).column(field.column_name)
        if column is None:
            return instance.pk if field.column_name == "id" else ""
        pending = cells_of(instance)
        held = pending if column.name in pending else self._cells(instance)
        project: Any = instance.project if instance.project_id else self.project
        value = writer_of(self._of(project), column)(held.get(column.name))
        return harmless("" if value is None else value)

    def _cells(self, instance: Any) -> dict[str, Any]:
        if instance.pk is None:
            return {}
        key = (instance.pk, instance.revision)
        if key not in self._rows:
            found = as_rows(read(self._of(instance.project), [instance.pk]))
            self._rows[key] = found[0] if found else {}
        return self._rows[key]

    def export(self, queryset: Any = None, **kwargs: Any) -> Any:
        """All rows of the queryset in bulk, project by project: a constant number of queries for each thousand."""
        rows = self.filter_export(queryset if queryset is not None else self.get_queryset(), **kwargs)
        chosen = self.get_export_fields(kwargs.get("export_fields"))
        names = [field.column_name for field in chosen]
        data = Dataset(headers=list(names))
        ids: dict[int, list[int]] = {}
        for pk, project_id in rows.values_list("pk", "project_id"):
            ids.setdefault(project_id, []).append(pk)
        for project in Project.objects.filter(pk__in=ids):
            for line in self._lines(self._of(project), ids[project.pk], names):
                data.append(line)
        return data

    def _lines(self, loaded: Loaded, ids: Sequence[int], names: Sequence[str]) -> list[list[Any]]:
        known = {column.name: column for column in loaded.columns}
        writers = {name: writer_of(loaded, known[name]) for name in names if name in known}
        found = []
        for chunk in chunks(loaded, ids, first=1000):
            for row in as_rows(chunk):
                values = [writers[name](row.get(name)) if name in writers else row.get(name) for name in names]
                found.append([harmless("" if value is None else value) for value in values])
        return found


def cells_of(instance: Any) -> dict[str, Any]:
    """The cells that an import would write into this row."""
    found: dict[str, Any] = instance.__dict__.setdefault("_sheet_cells", {})
    return found


def _flat(found: Any) -> list[Any]:
    if isinstance(found, Mapping):
        return [reason for part in found.values() for reason in _flat(part)]
    return list(found) if isinstance(found, (list, tuple)) else [found]


def sheet_resource(name: str, table: type[Table], kind: str) -> type[TableResource]:
    """The resource of one of a table's sheets. `name`: the class's, which the admin's forms carry."""
    sheet = next(sheet for sheet in table.sheets if sheet.kind == kind)
    columns: dict[str, Column] = {column.name: column for column in table.columns}
    declared = {
        column: fields.Field(attribute=column, column_name=column) for column in sheet.columns if column in columns
    }
    order = ("id", *declared)
    meta = type(
        "Meta",
        (),
        {
            "model": table.model,
            "fields": order,
            "export_order": order,
            "import_id_fields": (table.name_column,),
            "skip_unchanged": True,
            "report_skipped": True,
        },
    )
    made: type[TableResource] = type(name, (TableResource,), {**declared, "Meta": meta, "table_key": table.key})
    return made
