"""Sheets in and out of the admin: django-import-export whose rows are written by services, as one Action."""

import uuid
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import fields, resources
from import_export.admin import ExportActionModelAdmin, ImportExportModelAdmin
from import_export.formats.base_formats import CSV, JSON, XLSX
from import_export.forms import ConfirmImportForm
from import_export.tmp_storages import BaseStorage
from import_export.widgets import Widget
from unfold.contrib.import_export.forms import ImportForm, SelectableFieldsExportForm
from unfold.widgets import UnfoldAdminSelectWidget

from aipipeline.history.admin.access import may
from aipipeline.history.services import one_action
from aipipeline.projects.errors import PipelineError
from aipipeline.projects.models import Project

RISKY = ("=", "+", "-", "@", "\t", "\r")
MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 20_000


class _TakeBack(Exception):
    """Ends the action of a preview, or of an import with errors, without a trace."""


class ServiceResource(resources.ModelResource):  # type: ignore[misc]  # the library has no types
    """Columns of one model in one project. Rows are found by `Meta.import_id_fields`; services write them.

    Exported texts that a spreadsheet would run as formulas carry an apostrophe, which the import takes off.
    """

    def __init__(self, *, project: Project | None = None, actor: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project, self.actor = project, actor
        for field in self.fields.values():
            if isinstance(field.widget, NamedRow):
                field.widget.project = project

    # --- what a subclass writes: create or update by the service; values are the sheet's cells by attribute ----
    def create_row(self, values: dict[str, Any]) -> Any:
        raise NotImplementedError

    def update_row(self, row: Any, values: dict[str, Any]) -> None:
        raise NotImplementedError

    # --- in -----------------------------------------------------------------------------------------------
    def get_queryset(self) -> Any:
        rows = super().get_queryset().filter(removed_at__isnull=True)
        return rows.filter(project=self.project) if self.project is not None else rows

    def init_instance(self, row: Any = None) -> Any:
        instance = super().init_instance(row)
        if self.project is not None:
            instance.project = self.project
        return instance

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        if len(dataset) > MAX_ROWS:
            raise ValueError(_("The sheet has more than 20,000 rows."))

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        for name, value in row.items():
            row[name] = harmful(value)

    def import_data(self, dataset: Any, dry_run: bool = False, **kwargs: Any) -> Any:
        """One transaction and one Action; a preview, or a sheet with any error, leaves nothing."""
        found: list[Any] = []
        kind = f"{self._meta.model._meta.model_name}.import"
        try:
            with one_action(project=self.project, actor=self.actor, kind=kind, params={"rows": len(dataset)}):
                result = super().import_data(dataset, dry_run=dry_run, use_transactions=True, **kwargs)
                found.append(result)
                if dry_run or result.has_errors() or result.has_validation_errors():
                    raise _TakeBack
        except _TakeBack:
            pass
        return found[0]

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        given = {
            field.attribute: getattr(instance, field.attribute)
            for field in self.get_import_fields()
            if field.attribute and field.column_name in row and field.attribute not in ("id", "pk", "code")
        }
        values = {name: value for name, value in given.items() if self.is_editable(name)}
        try:
            if is_create:
                instance.pk = self.create_row({**values, **self.more_values(row)}).pk
            else:
                self.update_row(instance, {**values, **self.more_values(row)})
        except PipelineError as error:
            raise forms.ValidationError(str(error.message)) from error
        instance.refresh_from_db()

    def save_m2m(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Services write relations too."""

    def is_editable(self, name: str) -> bool:
        return True

    def more_values(self, row: Any) -> dict[str, Any]:
        """Values that are no plain field of the row (a cast, by names)."""
        return {}

    # --- out ----------------------------------------------------------------------------------------------
    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        return harmless(super().export_field(field, instance, **kwargs))


class NamedRow(Widget):  # type: ignore[misc]
    """A related row of the same project, by its name or code."""

    def __init__(self, model: Any, key: str = "name") -> None:
        super().__init__()
        self.model, self.key = model, key
        self.project: Project | None = None
        self._rows: dict[str, Any] | None = None

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        if self._rows is None:
            live = self.model.objects.live()
            rows = live.filter(project=self.project) if hasattr(self.model, "project") else live
            self._rows = {str(getattr(found, self.key)): found for found in rows}
        if text not in self._rows:
            kind = self.model._meta.verbose_name
            raise ValueError(_("there is no %(name)s named “%(text)s”") % {"name": kind, "text": text[:60]})
        return self._rows[text]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(getattr(value, self.key, "") or "") if value else ""


def harmless(value: Any) -> Any:
    """A leading apostrophe keeps a spreadsheet from running a text as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) and not _is_number(value) else value


def harmful(value: Any) -> Any:
    """The opposite of `harmless`."""
    return value[1:] if isinstance(value, str) and value.startswith("'") and value[1:2] in RISKY else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class DiskStorage(BaseStorage):  # type: ignore[misc]
    """The upload between preview and confirm lies in the data folder, where every web process finds it."""

    name: str | None

    def _path(self) -> Path:
        if not self.name:
            self.name = f"admin-{uuid.uuid4().hex}"
        name = Path(self.name).name
        folder = Path(settings.AIP_DATA) / "imports"
        folder.mkdir(parents=True, exist_ok=True)
        if not name.startswith("admin-") or not name.removeprefix("admin-").isalnum():
            raise FileNotFoundError(name)
        return folder / name

    def save(self, data: bytes) -> None:
        self._path().write_bytes(data)

    def read(self) -> Any:
        content = self._path().read_bytes()
        return content if "b" in self.read_mode else content.decode(self.encoding or "utf-8-sig")

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)


class SheetImportForm(ImportForm):  # type: ignore[misc]
    project = forms.ModelChoiceField(
        label=gettext_lazy("Project"), queryset=Project.objects.none(), widget=UnfoldAdminSelectWidget
    )
    field_order = ["resource", "project", "import_file", "format"]

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The sheet is larger than 20 MB."))
        return file


class SheetConfirmForm(ConfirmImportForm):  # type: ignore[misc]
    project = forms.ModelChoiceField(queryset=Project.objects.none(), widget=forms.HiddenInput)


class SheetAdmin(ImportExportModelAdmin, ExportActionModelAdmin):  # type: ignore[misc]
    """Beside a ServiceAdmin: import into one project with preview, export of what the list shows."""

    resource_class: Any
    import_form_class = SheetImportForm
    confirm_form_class = SheetConfirmForm
    export_form_class = SelectableFieldsExportForm
    tmp_storage_class = DiskStorage
    import_operation = "sheets.import"
    export_operation = "sheets.export"
    skip_admin_log = True  # the Action is the log
    show_change_form_export = False

    def get_import_formats(self) -> list[Any]:
        return [XLSX, CSV, JSON]

    def get_export_formats(self) -> list[Any]:
        return [XLSX, CSV, JSON]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self._importable(request).exists())

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff) and may(request, self.export_operation)

    def get_export_queryset(self, request: HttpRequest) -> Any:
        allowed = Project.objects.allowing(request.user, self.export_operation)
        return super().get_export_queryset(request).filter(project__in=allowed)

    def get_valid_export_item_pks(self, request: HttpRequest) -> Any:
        """What may be chosen for an export is what may be exported."""
        return self.get_export_queryset(request).values_list("pk", flat=True)

    def _importable(self, request: HttpRequest) -> Any:
        """Projects into which the person may import, and whose rows of this kind they may change."""
        own = Project.objects.allowing(request.user, self.change_operation)
        return Project.objects.allowing(request.user, self.import_operation).filter(pk__in=own.values("pk"))

    def create_import_form(self, request: HttpRequest) -> Any:
        form = super().create_import_form(request)
        form.fields["project"].queryset = self._importable(request)
        return form

    def create_confirm_form(self, request: HttpRequest, import_form: Any = None) -> Any:
        form = super().create_confirm_form(request, import_form=import_form)
        form.fields["project"].queryset = self._importable(request)
        return form

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial = super().get_confirm_form_initial(request, import_form)
        if import_form is not None:
            initial["project"] = import_form.cleaned_data["project"].pk
        return dict(initial)

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form")
        cleaned = getattr(form, "cleaned_data", None) or {}
        return {"project": cleaned.get("project"), "actor": request.user}

    def process_import(self, request: HttpRequest, **kwargs: Any) -> Any:
        try:
            return super().process_import(request, **kwargs)
        except FileNotFoundError:
            messages.error(request, _("This upload is not there any more. Upload the sheet again."))
            return HttpResponseRedirect("../import/")

    def process_result(self, result: Any, request: HttpRequest) -> Any:
        """Between preview and confirm the project may have changed: then nothing was written."""
        if not result.has_errors() and not result.has_validation_errors():
            return super().process_result(result, request)
        places = [f"{row.number}: {'; '.join(row.error.messages)}" for row in result.invalid_rows[:20]]
        places += [f"{number}: {errors[0].error}" for number, errors in result.row_errors()[:20]]
        places += [str(error.error) for error in result.base_errors[:5]]
        messages.error(request, _("Nothing was imported: some rows have errors.") + " " + " · ".join(places))
        return HttpResponseRedirect("../import/")


__all__ = ["NamedRow", "ServiceResource", "SheetAdmin", "fields"]
