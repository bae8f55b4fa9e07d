"""Background tasks (facts, cancelled by service) and schedules (superusers: they call any task)."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from aipipeline.history.admin.base import ReadOnlyAdmin, ServiceAdmin
from aipipeline.history.admin.display import badge, pretty_json
from celery_workers import services
from celery_workers.models import LedgerTask, Schedule


@admin.register(LedgerTask)
class LedgerTaskAdmin(ReadOnlyAdmin):
    list_display = ("kind", "state_badge", "percent", "message", "project", "actor", "created_at", "finished_at")
    list_filter = (("state", ChoicesDropdownFilter), "kind")
    list_select_related = ("project", "actor")
    search_fields = ("kind", "message", "error", "project__code", "actor__username")
    date_hierarchy = "created_at"
    actions = ("cancel",)
    state_badge = badge("state", gettext_lazy("state"))
    readonly_fields = ("percent", "parameters", "outcome")
    fieldsets = (
        (None, {"fields": (("kind", "state"), ("project", "actor"), ("percent", "message"), "error")}),
        (gettext_lazy("Work"), {"fields": ("parameters", "outcome", ("attempts", "cancel_requested"))}),
        (gettext_lazy("Times"), {"fields": (("created_at", "started_at"), ("finished_at", "lease_until"))}),
    )

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        """Work of no project (backups) is for superusers."""
        return rows if request.user.is_superuser else super().scope(rows, request)

    @admin.display(description=gettext_lazy("progress"), ordering="progress")
    def percent(self, row: LedgerTask) -> str:
        return f"{row.progress:.0%}"

    @admin.display(description=gettext_lazy("parameters"))
    def parameters(self, row: LedgerTask) -> str:
        return pretty_json(row.params)

    @admin.display(description=gettext_lazy("result"))
    def outcome(self, row: LedgerTask) -> str:
        return pretty_json(row.result)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "renders.cancel", None)

    @admin.action(description=gettext_lazy("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        def stop(row: Any) -> None:
            services.cancel_task(task=row, actor=request.user)

        self.each(request, queryset, "renders.cancel", stop, _("Cancelled."))


@admin.register(Schedule)
class ScheduleAdmin(ServiceAdmin):
    project_lookup = ""
    view_operation = add_operation = change_operation = delete_operation = "schedules.manage"
    list_display = ("name", "task", "every_seconds", "enabled", "next_run_at", "last_run_at")
    list_filter = ("enabled",)
    search_fields = ("name", "task")
    readonly_fields = ("last_run_at",)
    fieldsets = (
        (None, {"fields": ("name", "task", "arguments")}),
        (gettext_lazy("When"), {"fields": (("every_seconds", "enabled"), ("next_run_at", "last_run_at"))}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "task":
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=[(name, name) for name in services.known_tasks()])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return services.create_schedule(actor=request.user, fields=values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        services.update_schedule(schedule=row, actor=request.user, fields=values)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            services.remove_schedule(schedule=row, actor=request.user)
