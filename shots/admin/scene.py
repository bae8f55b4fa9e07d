"""Scenes, through `shots.services.scenes`."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from import_export import fields

from aipipeline.history.admin.base import TrackedAdmin
from aipipeline.history.admin.imports import NamedRow, ServiceResource, SheetAdmin
from assets.models import Environment
from shots.models import Scene
from shots.services import scenes


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """The scene service takes an environment by its id."""
    environment = values.get("environment")
    return {**values, "environment": environment.pk} if environment is not None else values


class SceneSheet(ServiceResource):
    """Scenes are found by their code; a code that is not there makes a new scene, whose code the server gives."""

    environment = fields.Field(attribute="environment", column_name="environment", widget=NamedRow(Environment))

    class Meta:
        model = Scene
        fields = ("code", *scenes.EDITABLE)
        export_order = fields
        import_id_fields = ("code",)
        skip_unchanged = True
        report_skipped = True

    def create_row(self, values: dict[str, Any]) -> Any:
        return scenes.create_scene(project=self.project, actor=self.actor, fields=plain(values))  # type: ignore[arg-type]  # imports always have a project

    def update_row(self, row: Any, values: dict[str, Any]) -> None:
        scenes.update_scene(scene=row, actor=self.actor, fields=plain(values))

    def is_editable(self, name: str) -> bool:
        return name in scenes.EDITABLE


@admin.register(Scene)
class SceneAdmin(SheetAdmin, TrackedAdmin):
    resource_class = SceneSheet
    add_operation = change_operation = "shots.edit"
    delete_operation = "shots.delete"
    list_display = ("code", "number", "heading", "environment", "shot_count", "project", "updated_at")
    list_display_links = ("code", "heading")
    list_select_related = ("project", "environment")
    search_fields = ("code", "number", "heading", "synopsis", "project__code")
    autocomplete_fields = ("environment",)
    date_hierarchy = "created_at"
    ordering = ("project", "position", "id")
    readonly_fields = ("code",)
    fieldsets = ((None, {"fields": ("project", ("code", "number"), "heading", "environment", "synopsis")}),)
    add_fieldsets = ((None, {"fields": ("project", "number", "heading", "environment", "synopsis")}),)

    def get_queryset(self, request: HttpRequest) -> Any:
        live = Count("shots", filter=Q(shots__removed_at__isnull=True))
        return super().get_queryset(request).annotate(shot_count_=live)

    @admin.display(description=gettext_lazy("shots"), ordering="shot_count_")
    def shot_count(self, row: Any) -> int:
        return int(row.shot_count_)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        project = values.pop("project")
        return scenes.create_scene(project=project, actor=request.user, fields=plain(values))

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        scenes.update_scene(scene=row, actor=request.user, fields=plain(values), seen=seen)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            scenes.remove_scene(scene=row, actor=request.user)
