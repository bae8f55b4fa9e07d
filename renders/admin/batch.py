"""Batches and seams: what one action started, cancelled and tried again as a whole; and how pictures jump."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.base import ReadOnlyAdmin
from aipipeline.history.admin.display import badge, pretty_json
from renders.models import JobState, RenderBatch, Seam
from renders.models.job import OPEN_STATES
from renders.services.batches import cancel_batch, retry_failed


@admin.register(RenderBatch)
class RenderBatchAdmin(ReadOnlyAdmin):
    """Facts; its jobs are changed together."""

    list_display = ("name", "kind_badge", "project", "actor", "jobs_all", "jobs_open", "jobs_failed", "created_at")
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("project", "actor")
    search_fields = ("title", "project__code", "actor__username", "actor__display_name")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    actions = ("cancel", "retry")
    kind_badge = badge("kind", gettext_lazy("kind"))
    readonly_fields = ("page", "jobs_all", "jobs_open", "jobs_failed")
    fieldsets = (
        (None, {"fields": ("title", ("project", "kind"), ("actor", "created_at"), "page")}),
        (gettext_lazy("Jobs"), {"fields": (("jobs_all", "jobs_open", "jobs_failed"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            super()
            .get_queryset(request)
            .annotate(
                count_all=Count("jobs"),
                count_open=Count("jobs", filter=Q(jobs__state__in=OPEN_STATES)),
                count_failed=Count("jobs", filter=Q(jobs__state=JobState.FAILED)),
            )
        )

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def name(self, row: RenderBatch) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("page"))
    def page(self, row: RenderBatch) -> str:
        return format_html('<a href="{}">{}</a>', reverse("renders:batch", args=[row.pk]), row)

    @admin.display(description=gettext_lazy("jobs"), ordering="count_all")
    def jobs_all(self, row: Any) -> int:
        return int(row.count_all)

    @admin.display(description=gettext_lazy("open"), ordering="count_open")
    def jobs_open(self, row: Any) -> int:
        return int(row.count_open)

    @admin.display(description=gettext_lazy("failed"), ordering="count_failed")
    def jobs_failed(self, row: Any) -> int:
        return int(row.count_failed)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "renders.cancel", None)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "renders.start", None)

    @admin.action(description=gettext_lazy("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        def stop(row: Any) -> None:
            cancel_batch(batch=row, actor=request.user)

        self.each(request, queryset, "renders.cancel", stop, _("Cancelled."))

    @admin.action(description=gettext_lazy("Try again what failed"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        def again(row: Any) -> None:
            retry_failed(batch=row, actor=request.user)

        self.each(request, queryset, "renders.start", again, _("Queued again."))


@admin.register(Seam)
class SeamAdmin(ReadOnlyAdmin):
    """Measured by the machine; the largest jumps first."""

    list_display = ("shots", "percent", "versions", "project", "measured_at")
    list_select_related = (
        "project", "before__shot", "before__character", "before__environment", "after__shot", "after__character",
        "after__environment",
    )  # fmt: skip
    search_fields = ("before__shot__code", "after__shot__code", "project__code")
    date_hierarchy = "measured_at"
    ordering = ("-score", "pk")
    readonly_fields = ("shots", "versions", "percent", "parts")
    fieldsets = ((None, {"fields": ("project", ("shots", "versions"), ("percent", "measured_at"), "parts")}),)

    @admin.display(description=gettext_lazy("from shot to shot"))
    def shots(self, row: Seam) -> str:
        return f"{row.before.owner} → {row.after.owner}"

    @admin.display(description=gettext_lazy("versions"))
    def versions(self, row: Seam) -> str:
        return f"{row.before.label} → {row.after.label}"

    @admin.display(description=gettext_lazy("jump"), ordering="score")
    def percent(self, row: Seam) -> str:
        return f"{row.score:.1%}"

    @admin.display(description=gettext_lazy("parts"))
    def parts(self, row: Seam) -> str:
        return pretty_json(row.details)
