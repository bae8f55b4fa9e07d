"""Jobs, attempts and workers: cancelled, tried again, ordered and drained by service; their history is fact."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.access import AccessMixin
from aipipeline.history.admin.base import ReadOnlyAdmin, ServiceAdmin
from aipipeline.history.admin.display import badge, pretty_json
from aipipeline.history.admin.filters import ProjectFilter
from renders.admin.workflow import of_visible
from renders.models import JobState, RenderAttempt, RenderJob, Worker, WorkerBlock, WorkerFit
from renders.services.control import cancel_job, drain_worker, retry_job, set_priority


class AttemptInline(AccessMixin, TabularInline):  # type: ignore[misc]
    model = RenderAttempt
    project_lookup = "job__project"
    fields = ("number", "state", "worker", "started_at", "finished_at", "error")
    readonly_fields = fields
    extra = 0
    tab = True


@admin.register(RenderJob)
class RenderJobAdmin(ServiceAdmin):
    change_operation = "renders.manage"
    list_display = (
        "owner_name", "workflow", "step", "state_badge", "percent", "priority", "capability", "attempts_made",
        "project", "requested_by", "created_at",
    )  # fmt: skip
    list_filter = (
        ProjectFilter, ("state", ChoicesDropdownFilter), ("step", ChoicesDropdownFilter),
        ("capability", ChoicesDropdownFilter),
    )  # fmt: skip
    list_select_related = ("project", "shot", "character", "environment", "workflow", "requested_by")
    search_fields = ("shot__code", "character__name", "environment__name", "workflow__key", "error", "project__code")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    inlines = (AttemptInline,)
    actions = ("cancel", "retry")
    state_badge = badge("state", gettext_lazy("state"))
    fieldsets = (
        (None, {"fields": (("owner_name", "project"), ("workflow", "step", "kind"), ("state", "priority"))}),
        (
            gettext_lazy("Progress"),
            {
                "fields": (
                    ("percent", "message"),
                    ("attempts_made", "max_attempts"),
                    "error",
                    "blocked_reason",
                    "version",
                )
            },
        ),
        (
            gettext_lazy("Order"),
            {"fields": (("requested_by", "auto_approve"), ("capability", "vram_gb"), "parameters", "sources")},
        ),
        (
            gettext_lazy("Times"),
            {"fields": (("created_at", "not_before"), ("started_at", "finished_at")), "classes": ["collapse"]},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only a waiting job's priority is anybody's to change."""
        fixed = [field.name for field in RenderJob._meta.fields if field.name != "priority"]
        if obj is not None and obj.state != JobState.QUEUED:
            fixed.append("priority")
        return (*fixed, "owner_name", "percent", "parameters", "sources")

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(description=gettext_lazy("of"))
    def owner_name(self, row: RenderJob) -> str:
        return str(row.owner)

    @admin.display(description=gettext_lazy("progress"), ordering="progress")
    def percent(self, row: RenderJob) -> str:
        return f"{row.progress:.0%}"

    @admin.display(description=gettext_lazy("parameters"))
    def parameters(self, row: RenderJob) -> str:
        return pretty_json(row.params)

    @admin.display(description=gettext_lazy("inputs"))
    def sources(self, row: RenderJob) -> str:
        return pretty_json(row.inputs)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        set_priority(job=RenderJob.objects.get(pk=row.pk), actor=request.user, priority=values["priority"])

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "renders.cancel", None)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "renders.start", None)

    @admin.action(description=gettext_lazy("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        def stop(row: Any) -> None:
            cancel_job(job=row, actor=request.user)

        self.each(request, queryset, "renders.cancel", stop, _("Cancelled."))

    @admin.action(description=gettext_lazy("Try again"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        def again(row: Any) -> None:
            retry_job(job=row, actor=request.user)

        self.each(request, queryset, "renders.start", again, _("Queued again."))


@admin.register(RenderAttempt)
class RenderAttemptAdmin(ReadOnlyAdmin):
    project_lookup = "job__project"
    list_display = ("job_name", "number", "state_badge", "worker", "started_at", "finished_at", "error_short")
    list_filter = (("state", ChoicesDropdownFilter),)
    list_select_related = (
        "job__project", "job__shot", "job__character", "job__environment", "worker",
    )  # fmt: skip
    search_fields = ("job__shot__code", "worker__name", "error")
    date_hierarchy = "created_at"
    state_badge = badge("state", gettext_lazy("state"))
    readonly_fields = ("job_name", "kept")
    fieldsets = (
        (None, {"fields": (("job_name", "number"), ("worker", "state"), "error", "log")}),
        (
            gettext_lazy("Times"),
            {"fields": (("created_at", "started_at", "finished_at"), ("lease_until", "heartbeat_at"), "kept")},
        ),
    )

    @admin.display(description=gettext_lazy("job"))
    def job_name(self, row: RenderAttempt) -> str:
        return str(row.job)

    @admin.display(description=gettext_lazy("error"))
    def error_short(self, row: RenderAttempt) -> str:
        return row.error[:80]

    @admin.display(description=gettext_lazy("kept for the next try"))
    def kept(self, row: RenderAttempt) -> str:
        return pretty_json(row.saved)


class OfWorkerInline(AccessMixin, TabularInline):  # type: ignore[misc]
    """What the machine wrote of a worker."""

    project_lookup = ""
    view_operation = "farm.view"
    extra = 0
    tab = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return of_visible(super().get_queryset(request), request, "workflow__").select_related("workflow")


class FitInline(OfWorkerInline):
    model = WorkerFit
    fields = ("workflow", "fits", "reasons", "checked_at")
    readonly_fields = fields


class BlockInline(OfWorkerInline):
    model = WorkerBlock
    fields = ("workflow", "failures", "reason", "since")
    readonly_fields = fields


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Workers write their own rows; people drain them."""

    project_lookup = ""
    view_operation = "farm.view"
    list_display = ("name", "state_badge", "vram_gb", "engines", "endpoint", "queue", "heartbeat_at", "error")
    list_filter = (("state", ChoicesDropdownFilter),)
    search_fields = ("name", "endpoint", "queue")
    actions = ("drain", "resume")
    inlines = (BlockInline, FitInline)
    state_badge = badge("state", gettext_lazy("state"))
    readonly_fields = ("card", "engines")
    fieldsets = (
        (None, {"fields": (("name", "state"), ("queue", "endpoint"), ("vram_gb", "engines"), "error")}),
        (gettext_lazy("GPU"), {"fields": ("card", ("heartbeat_at", "started_at"))}),
    )

    @admin.display(description=gettext_lazy("engines"))
    def engines(self, row: Worker) -> str:
        return ", ".join(row.backends)

    @admin.display(description=gettext_lazy("GPU"))
    def card(self, row: Worker) -> str:
        return pretty_json(row.gpu)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "farm.manage", None)

    @admin.action(description=gettext_lazy("Drain: take nothing new"), permissions=["manage"])
    def drain(self, request: HttpRequest, queryset: Any) -> None:
        self._drain(request, queryset, draining=True)

    @admin.action(description=gettext_lazy("Take work again"), permissions=["manage"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        self._drain(request, queryset, draining=False)

    def _drain(self, request: HttpRequest, rows: Any, *, draining: bool) -> None:
        def change(row: Any) -> None:
            drain_worker(worker=row, actor=request.user, draining=draining)

        self.each(request, rows, "farm.manage", change, _("Changed."))
