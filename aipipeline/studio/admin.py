"""Notes and notifications in the admin: they hang on rows of every app."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from aipipeline.history.admin.access import may
from aipipeline.history.admin.base import ReadOnlyAdmin, TrackedAdmin
from aipipeline.notes.models import Note, Notification
from aipipeline.studio import notes


@admin.register(Note)
class NoteAdmin(TrackedAdmin):
    """People change their own notes; leads change everybody's."""

    add_operation = change_operation = delete_operation = "notes.write"
    list_display = ("text_short", "on", "author", "frame", "resolved", "project", "created_at")
    list_filter = ("resolved", "target_model")
    list_select_related = ("project", "author")
    search_fields = ("text", "author__username", "author__display_name", "project__code")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    readonly_fields = ("author", "on")
    fieldsets = ((None, {"fields": ("project", ("on", "author"), "text", ("frame", "resolved"), "region")}),)
    add_fieldsets = ((None, {"fields": ("project", ("target_model", "target_id"), "text", "frame")}),)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "target_model":
            names = [(label, apps.get_model(label)._meta.verbose_name) for label in notes.TARGETS]
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=names)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def _own(self, request: HttpRequest, obj: Any) -> bool:
        return obj is None or obj.author_id == request.user.pk or may(request, "project.edit", obj.project)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._own(request, obj)

    @admin.display(description=gettext_lazy("text"))
    def text_short(self, row: Note) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("on"))
    def on(self, row: Note) -> str:
        try:
            kind = apps.get_model(row.target_model)._meta.verbose_name
        except (LookupError, ValueError):
            kind = row.target_model
        return f"{kind} {row.target_id}"

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return notes.write_note(actor=request.user, **values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        notes.update_note(note=row, actor=request.user, fields=values, seen=seen)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        notes.remove_notes(notes=rows, actor=request.user)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """One's own; superusers see everybody's."""

    view_operation = "activity.view"
    project_lookup = ""
    list_display = ("text", "kind", "user", "project", "created_at", "read_at")
    list_filter = ("kind",)
    list_select_related = ("user", "project")
    search_fields = ("text", "kind", "user__username")
    date_hierarchy = "created_at"

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        return rows if request.user.is_superuser else rows.filter(user=request.user)
