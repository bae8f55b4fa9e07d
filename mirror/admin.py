"""Mirrors in the admin, through their services. What was copied is a fact of millions of rows and is not listed."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.base import ServiceAdmin
from aipipeline.history.admin.display import badge, pretty_json
from aipipeline.history.admin.filters import ProjectFilter
from mirror.models import MirrorTarget
from mirror.services import targets


@admin.register(MirrorTarget)
class MirrorTargetAdmin(ServiceAdmin):
    add_operation = change_operation = delete_operation = "mirror.manage"
    list_display = ("name", "project", "location", "state_badge", "last_at", "next_run_at", "enabled")
    list_filter = (ProjectFilter, ("last_state", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter), "enabled")
    list_select_related = ("project", "task")
    search_fields = ("name", "path", "bucket", "prefix", "project__code", "project__title")
    date_hierarchy = "last_at"
    state_badge = badge("last_state", gettext_lazy("last run"))
    readonly_fields = ("state_badge", "last_at", "next_run_at", "last_message", "outcome")
    fieldsets = (
        (None, {"fields": (("project", "name"), "kind", "path")}),
        (
            gettext_lazy("S3 storage"),
            {"fields": (("endpoint_url", "region"), ("bucket", "prefix"), ("key_variable", "secret_variable"))},
        ),
        (gettext_lazy("When and how"), {"fields": (("every_minutes", "enabled"), ("limit_mb", "kinds"))}),
        (
            gettext_lazy("Runs"),
            {"fields": (("state_badge", "last_at", "next_run_at"), "last_message", "outcome")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *(("project",) if obj is not None else ()))

    @admin.display(description=gettext_lazy("result"))
    def outcome(self, row: MirrorTarget) -> str:
        return pretty_json(row.last_result)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return targets.create_target(project=values.pop("project"), actor=request.user, fields=values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        targets.update_target(target=row, actor=request.user, fields=values)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            targets.remove_target(target=row, actor=request.user)
