"""Path maps: where the workstations see the folders of the server."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from aipipeline.history.admin.base import ServiceAdmin
from renders.models import PathMap
from renders.services.path_maps import create_path_map, remove_path_map, update_path_map


@admin.register(PathMap)
class PathMapAdmin(ServiceAdmin):
    project_lookup = ""
    view_operation = add_operation = change_operation = delete_operation = "paths.manage"
    list_display = ("__str__", "windows", "macos", "linux")
    search_fields = ("server", "windows", "macos", "linux")
    ordering = ("server",)
    fieldsets = ((None, {"fields": ("server", "windows", "macos", "linux")}),)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return create_path_map(actor=request.user, fields=values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        update_path_map(path_map=PathMap.objects.get(pk=row.pk), actor=request.user, fields=values)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            remove_path_map(path_map=row, actor=request.user)
