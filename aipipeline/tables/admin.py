"""Custom columns, saved views, labels and sheet mappings in the admin; imported sheets as facts."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.base import ReadOnlyAdmin, TrackedAdmin
from aipipeline.history.admin.display import badge
from aipipeline.history.rows import update_row
from aipipeline.tables.columns import CUSTOM
from aipipeline.tables.models import CustomColumn, SavedView, SheetImport, SheetMapping, TableSettings
from aipipeline.tables.registry import table_of
from aipipeline.tables.services import columns, views


@admin.register(CustomColumn)
class CustomColumnAdmin(TrackedAdmin):
    add_operation = "shots.edit"
    change_operation = delete_operation = "project.edit"
    list_display = ("label", "type", "table", "project", "updated_at")
    list_filter = ("table", ("type", ChoicesDropdownFilter))
    search_fields = ("label", "key", "project__code")
    readonly_fields: tuple[str, ...] = ("table", "key", "type", "position")
    fieldsets = ((None, {"fields": ("project", ("table", "key"), ("label", "type"), "choices")}),)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A column is added in the grid that shows it."""
        return False

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        columns.update_column(
            project=row.project,
            table=table_of(row.table),
            actor=request.user,
            name=f"{CUSTOM}{row.key}",
            fields=values,
        )

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            columns.remove_column(
                project=row.project, table=table_of(row.table), actor=request.user, name=f"{CUSTOM}{row.key}"
            )


@admin.register(SavedView)
class SavedViewAdmin(TrackedAdmin):
    change_operation = delete_operation = "project.edit"
    list_display = ("name", "table", "owner", "shared", "project", "updated_at")
    list_filter = ("table", "shared")
    list_select_related = ("owner", "project")
    search_fields = ("name", "project__code")
    readonly_fields: tuple[str, ...] = ("table", "owner")
    fieldsets = ((None, {"fields": ("project", ("table", "owner"), ("name", "shared"))}),)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A view is saved in the grid that it is of."""
        return False

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        """A personal view is its owner's alone."""
        found = super().scope(rows, request)
        return found if request.user.is_superuser else found.filter(shared=True) | found.filter(owner=request.user)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        views.update_view(view=row, table=table_of(row.table), actor=request.user, fields=values)


@admin.register(TableSettings)
class TableSettingsAdmin(TrackedAdmin):
    change_operation = delete_operation = "project.edit"
    list_display = ("table", "default_view", "project", "updated_at")
    list_filter = ("table",)
    list_select_related = ("default_view", "project")
    readonly_fields: tuple[str, ...] = ("table", "default_view")
    fieldsets = ((None, {"fields": ("project", ("table", "default_view"), "labels")}),)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        columns.write_settings(
            project=row.project,
            table=table_of(row.table),
            actor=request.user,
            tab="",
            labels=columns.clean_labels(table_of(row.table), values["labels"]),
        )


@admin.register(SheetMapping)
class SheetMappingAdmin(TrackedAdmin):
    change_operation = delete_operation = "sheets.import"
    list_display = ("name", "table", "project", "updated_at")
    list_filter = ("table",)
    search_fields = ("name", "project__code")
    readonly_fields: tuple[str, ...] = ("table", "headers", "config")
    fieldsets = ((None, {"fields": ("project", ("name", "table"), ("headers", "config"))}),)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A mapping is saved on the page of an import."""
        return False

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        update_row(row=row, actor=request.user, fields=values, known=("name",), seen=seen)


@admin.register(SheetImport)
class SheetImportAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "state_badge", "project", "author", "created_at")
    list_filter = (("state", ChoicesDropdownFilter), "kind")
    list_select_related = ("project", "author")
    search_fields = ("name", "project__code")
    date_hierarchy = "created_at"
    state_badge = badge("state", gettext_lazy("state"))
    fieldsets = (
        (None, {"fields": (("name", "kind"), ("project", "author"), "state")}),
        (gettext_lazy("Times"), {"fields": (("created_at", "updated_at"),)}),
    )
