"""Workflows (declared by the engines, switched here), the graphs that people brought, and render presets."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import fields
from import_export.widgets import JSONWidget
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.base import ReadOnlyAdmin, ServiceAdmin, TrackedAdmin
from aipipeline.history.admin.display import pretty_json
from aipipeline.history.admin.imports import NamedRow, ServiceResource, SheetAdmin
from aipipeline.projects.models import Project
from renders.models import RenderPreset, Workflow, WorkflowGraph
from renders.services import presets
from renders.services.control import WORKFLOW_FIELDS, update_workflow
from renders.services.experience import forget


def of_visible(rows: Any, request: HttpRequest, way: str = "") -> Any:
    """Rows of workflows that are for all, or that a project of this person's brought; `way` leads to the workflow.

    What a project brought holds its prompts.
    """
    mine = Project.objects.visible_to(request.user)
    return rows.filter(Q(**{f"{way}project": None}) | Q(**{f"{way}project__in": mine}))


@admin.register(Workflow)
class WorkflowAdmin(ServiceAdmin):
    """What an engine declares is read; whether it is used is decided here."""

    project_lookup = ""
    view_operation = "farm.view"
    change_operation = "farm.manage"
    list_display = ("key", "title", "backend", "step", "output_kind", "vram_gb", "version", "enabled")
    list_filter = ("backend", ("step", ChoicesDropdownFilter), ("output_kind", ChoicesDropdownFilter), "enabled")
    search_fields = ("key", "title", "backend")
    ordering = ("key",)
    actions = ("forget",)
    fieldsets = (
        (None, {"fields": ("key", "title", "enabled")}),
        (
            gettext_lazy("As the engine declares it"),
            {"fields": (("backend", "version"), ("step", "output_kind", "vram_gb"), "inputs", "defaults")},
        ),
    )

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        return of_visible(rows, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return tuple(field.name for field in Workflow._meta.fields if field.name not in WORKFLOW_FIELDS)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        update_workflow(workflow=row, actor=request.user, fields=values)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "farm.manage", None)

    @admin.action(description=gettext_lazy("Forget what was learned: memory and times"), permissions=["manage"])
    def forget(self, request: HttpRequest, queryset: Any) -> None:
        def drop(row: Any) -> None:
            forget(workflow=row, actor=request.user)

        self.each(request, queryset, "farm.manage", drop, _("Forgotten."))


@admin.register(WorkflowGraph)
class WorkflowGraphAdmin(ReadOnlyAdmin):
    """The versions of brought graphs: never changed, since jobs and versions point at them."""

    project_lookup = ""
    view_operation = "farm.view"
    list_display = ("workflow", "number", "nodes_count", "source", "author", "created_at")
    list_filter = ("workflow",)
    list_select_related = ("workflow", "author")
    search_fields = ("workflow__key", "workflow__title", "source", "sha256")
    date_hierarchy = "created_at"
    ordering = ("workflow__key", "-number")
    readonly_fields = ("nodes_count", "slot_map", "graph")
    fieldsets = (
        (None, {"fields": (("workflow", "number"), ("author", "created_at"), "source", "sha256")}),
        (gettext_lazy("Slot map"), {"fields": ("slot_map",), "classes": ["collapse"]}),
        (gettext_lazy("Graph"), {"fields": ("nodes_count", "graph"), "classes": ["collapse"]}),
    )

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        return of_visible(rows, request, "workflow__")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        opened = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        return rows if opened else rows.defer("about")

    @admin.display(description=gettext_lazy("nodes"))
    def nodes_count(self, row: WorkflowGraph) -> int:
        return len(row.nodes)

    @admin.display(description=gettext_lazy("slot map"))
    def slot_map(self, row: WorkflowGraph) -> str:
        return pretty_json(row.about)

    @admin.display(description=gettext_lazy("graph"))
    def graph(self, row: WorkflowGraph) -> str:
        return pretty_json(row.nodes)


class RenderPresetSheet(ServiceResource):
    workflow = fields.Field(attribute="workflow", column_name="workflow", widget=NamedRow(Workflow, "key"))
    params = fields.Field(attribute="params", column_name="params", widget=JSONWidget())

    class Meta:
        model = RenderPreset
        fields = ("name", "workflow", "params")
        export_order = fields
        import_id_fields = ("name",)
        skip_unchanged = True
        report_skipped = True

    def create_row(self, values: dict[str, Any]) -> Any:
        return presets.create_preset(project=self.project, actor=self.actor, fields=values)  # type: ignore[arg-type]  # imports always have a project

    def update_row(self, row: Any, values: dict[str, Any]) -> None:
        presets.update_preset(preset=row, actor=self.actor, fields=values)


@admin.register(RenderPreset)
class RenderPresetAdmin(SheetAdmin, TrackedAdmin):
    resource_class = RenderPresetSheet
    add_operation = change_operation = delete_operation = "renders.start"
    list_display = ("name", "workflow", "project", "author", "updated_at")
    list_filter = ("workflow__backend",)
    list_select_related = ("project", "workflow", "author")
    search_fields = ("name", "workflow__key", "workflow__title", "project__code")
    autocomplete_fields = ("workflow",)
    readonly_fields = ("author",)
    date_hierarchy = "created_at"
    fieldsets = ((None, {"fields": ("project", "name", "workflow", "shared", "params", "author")}),)
    add_fieldsets = ((None, {"fields": ("project", "name", "workflow", "shared", "params")}),)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        project = values.pop("project")
        return presets.create_preset(project=project, actor=request.user, fields=values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        presets.update_preset(preset=row, actor=request.user, fields=values, seen=seen)
