"""Shots, through `shots.services.editing`; their sheet is the one of the shot list."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.base import TrackedAdmin
from aipipeline.history.admin.display import badge, thumbnail
from aipipeline.history.admin.imports import SheetAdmin
from shots.admin.parts import CastingInline, StepInline
from shots.api.forms import as_ranges
from shots.models import Shot
from shots.providers import thumbnails_of
from shots.resources import ShotSheet, TechnicalSheet
from shots.services import editing
from shots.services.locks import unlock_shots


@admin.register(Shot)
class ShotAdmin(SheetAdmin, TrackedAdmin):
    resource_classes = [ShotSheet, TechnicalSheet]
    add_operation = change_operation = "shots.edit"
    delete_operation = "shots.delete"
    list_display = (
        "picture", "code", "status_badge", "lock", "scene", "description_short", "size", "movement",
        "duration_frames", "project",
    )  # fmt: skip
    list_display_links = ("code",)
    list_filter = (
        ("status", ChoicesDropdownFilter), ("current_step", ChoicesDropdownFilter), ("size", ChoicesDropdownFilter),
        "locked", "seen_by_person",
    )  # fmt: skip
    list_select_related = ("project", "scene")
    search_fields = ("code", "description", "action", "dialogue", "scene__code", "project__code")
    autocomplete_fields = ("scene", "environment", "preset")
    date_hierarchy = "updated_at"
    ordering = ("project", "position", "id")
    inlines = (CastingInline, StepInline)
    actions = ("restore", "confirm_shots", "unlock")
    readonly_fields = ("code", "status", "current_step", "locked", "position", "cut", "seen_by_person", "scenario")
    status_badge = badge("status", gettext_lazy("status"))
    fieldsets = (
        (None, {"fields": ("project", ("code", "scene"), ("current_step", "status", "locked"))}),
        (gettext_lazy("Story"), {"fields": ("description", "action", "dialogue", "emotion", "environment")}),
        (
            gettext_lazy("Camera"),
            {"fields": (("size", "angle", "movement"), ("duration_frames", "handles"), "preset")},
        ),
        (gettext_lazy("Generation"), {"fields": ("prompt", "negative_prompt", ("seed", "workflow"))}),
        (
            gettext_lazy("Origin and cut"),
            {"fields": (("scenario", "seen_by_person"), ("position", "cut")), "classes": ["collapse"]},
        ),
    )
    add_fieldsets = (
        (None, {"fields": ("project", "scene")}),
        (gettext_lazy("Story"), {"fields": ("description", "action", "dialogue", "emotion", "environment")}),
        (
            gettext_lazy("Camera"),
            {"fields": (("size", "angle", "movement"), ("duration_frames", "handles"), "preset")},
        ),
    )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The pictures of the page's shots, in one query."""
        page = super().get_changelist_instance(request)
        rows = list(page.result_list)
        found = thumbnails_of(rows)
        for row in rows:
            row.picture_id = found.get(row.pk)
        page.result_list = rows
        return page

    @admin.display(description=gettext_lazy("picture"))
    def picture(self, row: Any) -> str:
        return thumbnail(getattr(row, "picture_id", None))

    @admin.display(description=gettext_lazy("locked"), ordering="locked")
    def lock(self, row: Shot) -> str:
        return format_html('<span class="material-symbols-outlined">{}</span>', "lock") if row.locked else ""

    @admin.display(description=gettext_lazy("description"))
    def description_short(self, row: Shot) -> str:
        return row.description if len(row.description) <= 60 else f"{row.description[:60]}…"

    @admin.display(description=gettext_lazy("cut in – out (frames)"))
    def cut(self, row: Shot) -> str:
        return f"{row.cut_in} – {'' if row.cut_out is None else row.cut_out}"

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        project = values.pop("project")
        return editing.create_shot(project=project, actor=request.user, **_ids(values))

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        item = {"id": row.pk, "revision": seen, "fields": _ids(values)}
        editing.update_shots(project=row.project, actor=request.user, items=[item])

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        editing.remove_shots(project=rows[0].project, actor=request.user, ids=[row.pk for row in rows])

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "shots.confirm", None)

    @admin.action(description=gettext_lazy("Confirm: build folders and lock"), permissions=["confirm"])
    def confirm_shots(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """To the page that says what would happen, and does it."""
        chosen: dict[Any, list[int]] = {}
        for row in queryset.filter(removed_at__isnull=True).select_related("project"):
            chosen.setdefault(row.project, []).append(row.pk)
        if len(chosen) != 1:
            self.message_user(request, _("Choose shots of one project."), messages.WARNING)
            return None
        ((project, ids),) = chosen.items()
        return redirect(f"{reverse('shots:confirm', args=[project.code])}?shots={as_ranges(ids)}")

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "shots.unlock", None)

    @admin.action(description=gettext_lazy("Unlock the structure"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: Any) -> None:
        chosen: dict[Any, list[int]] = {}
        for row in queryset.filter(locked=True, removed_at__isnull=True).select_related("project"):
            chosen.setdefault(row.project, []).append(row.pk)

        def open_up(project: Any) -> None:
            reason = str(_("Unlocked in the administration."))
            unlock_shots(project=project, actor=request.user, ids=chosen[project], reason=reason)

        self.each(request, chosen, "shots.unlock", open_up, _("Unlocked."))


def _ids(values: dict[str, Any]) -> dict[str, Any]:
    """Relations by id, so that the service checks that they lie in the project."""
    return {name: getattr(value, "pk", value) for name, value in values.items()}
