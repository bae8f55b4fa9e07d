"""What the farm found out by itself: what servers have, which workers failed at what, and where work fits."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.history.admin.base import ReadOnlyAdmin
from renders.admin.workflow import of_visible
from renders.models import Experience, WorkerBlock, WorkerFit
from renders.services.blocks import lift_block


class OfTheFarm(ReadOnlyAdmin):
    """Written by workers; of the whole studio."""

    project_lookup = ""
    view_operation = "farm.view"

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        return of_visible(rows, request, "workflow__")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "farm.manage", None)


@admin.register(WorkerFit)
class WorkerFitAdmin(OfTheFarm):
    list_display = ("worker", "workflow", "fits", "why", "checked_at")
    list_filter = ("fits", "worker", "workflow__backend")
    list_select_related = ("worker", "workflow")
    search_fields = ("worker__name", "workflow__key", "workflow__title")
    date_hierarchy = "checked_at"
    ordering = ("fits", "worker__name", "workflow__key")
    readonly_fields = ("why",)
    fieldsets = ((None, {"fields": (("worker", "workflow"), ("fits", "checked_at"), "why")}),)

    @admin.display(description=gettext_lazy("reasons"))
    def why(self, row: WorkerFit) -> str:
        return " ".join(map(str, row.reasons)) or "—"


@admin.register(WorkerBlock)
class WorkerBlockAdmin(OfTheFarm):
    list_display = ("worker", "workflow", "failures", "reason", "since")
    list_filter = ("worker",)
    list_select_related = ("worker", "workflow")
    search_fields = ("worker__name", "workflow__key", "workflow__title", "reason")
    date_hierarchy = "since"
    ordering = ("-since",)
    actions = ("lift",)
    fieldsets = ((None, {"fields": (("worker", "workflow"), ("failures", "since"), "reason")}),)

    @admin.action(description=gettext_lazy("Lift: let the worker take it again"), permissions=["manage"])
    def lift(self, request: HttpRequest, queryset: Any) -> None:
        def let(row: Any) -> None:
            lift_block(worker=row.worker, workflow=row.workflow.key, actor=request.user)

        rows = list(queryset.select_related("worker", "workflow"))
        self.each(request, rows, "farm.manage", let, _("The block is lifted."))


@admin.register(Experience)
class ExperienceAdmin(OfTheFarm):
    """Forgotten by workflow, at the workflow."""

    list_display = (
        "workflow", "size", "vram_gb", "gpu", "succeeded", "out_of_memory", "failed", "each_took", "updated_at",
    )  # fmt: skip
    list_filter = ("vram_gb", "gpu", "workflow__backend")
    list_select_related = ("workflow",)
    search_fields = ("workflow__key", "workflow__title", "gpu")
    date_hierarchy = "updated_at"
    ordering = ("workflow__key", "width", "height", "frames", "vram_gb")
    readonly_fields = ("size", "each_took")
    fieldsets = (
        (None, {"fields": ("workflow", ("size", "vram_gb", "gpu"))}),
        (gettext_lazy("Attempts"), {"fields": (("succeeded", "out_of_memory", "failed"), ("each_took", "updated_at"))}),
    )

    @admin.display(description=gettext_lazy("size"), ordering="width")
    def size(self, row: Experience) -> str:
        return f"{row.width}×{row.height}×{row.frames}"

    @admin.display(description=gettext_lazy("seconds each"))
    def each_took(self, row: Experience) -> str:
        return f"{row.seconds / row.succeeded:.1f}" if row.succeeded else "—"
