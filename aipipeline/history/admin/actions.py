"""What people did."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.base import ReadOnlyAdmin
from aipipeline.history.admin.display import badge, changes_table, pretty_json
from aipipeline.history.models import Action


@admin.register(Action)
class ActionAdmin(ReadOnlyAdmin):
    """A record: it is read here, and undone where the work is done."""

    list_display = ("created_at", "kind", "actor", "project", "rows", "state_badge", "undoable")
    list_filter = (("state", ChoicesDropdownFilter), "undoable")
    list_select_related = ("actor", "project")
    search_fields = ("kind", "actor__username", "actor__display_name", "project__code")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    state_badge = badge("state", gettext_lazy("state"))
    readonly_fields = ("changed", "parameters", "left_out")
    fieldsets = (
        (None, {"fields": (("kind", "actor"), ("project", "created_at"), ("state", "undoable", "undone_at"))}),
        (gettext_lazy("What changed"), {"fields": ("changed", "left_out")}),
        (gettext_lazy("Parameters"), {"fields": ("parameters", "sequence", "tab"), "classes": ["collapse"]}),
    )

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        """Of the studio's own actions (people, schedules) only superusers see anything."""
        return rows if request.user.is_superuser else super().scope(rows, request)

    @admin.display(description=gettext_lazy("rows"))
    def rows(self, row: Action) -> int:
        return len(row.changes)

    @admin.display(description=gettext_lazy("changes"))
    def changed(self, row: Action) -> str:
        return changes_table(row.changes)

    @admin.display(description=gettext_lazy("parameters"))
    def parameters(self, row: Action) -> str:
        return pretty_json(row.params)

    @admin.display(description=gettext_lazy("left out by undo"))
    def left_out(self, row: Action) -> str:
        return pretty_json(row.skipped) if row.skipped else "—"
