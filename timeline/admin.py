"""The cut in the admin: edits, tracks, clips and markers through `timeline.services.parts`; movies are facts."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.access import may
from aipipeline.history.admin.base import ReadOnlyAdmin, ServiceInline, TrackedAdmin
from aipipeline.history.admin.display import badge, pretty_json
from aipipeline.projects.errors import NotAllowed
from timeline.models import Clip, Edit, Marker, Movie, Track
from timeline.services import parts


class TrackInline(ServiceInline):
    model = Track
    fields = ("kind", "index", "name", "muted", "seen_at")
    readonly_fields = ("kind", "index")
    change_operation = "timeline.edit"
    can_delete = False

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        parts.update_track(track=row, actor=request.user, fields=values, seen=seen)


class MarkerInline(ServiceInline):
    model = Marker
    fields = ("frame", "name", "comment", "color", "seen_at")
    add_operation = change_operation = delete_operation = "timeline.edit"

    def create_row(self, request: HttpRequest, parent: Any, values: dict[str, Any]) -> Any:
        return parts.create_marker(edit=parent, actor=request.user, fields=values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        parts.update_marker(marker=row, actor=request.user, fields=values, seen=seen)

    def remove_row(self, request: HttpRequest, row: Any) -> None:
        parts.remove_markers(markers=[row], actor=request.user)


@admin.register(Edit)
class EditAdmin(TrackedAdmin):
    """A project's cut is made with the project's first shots, so it is neither added nor removed here."""

    change_operation = "timeline.edit"
    list_display = ("name", "project", "current", "start_frame", "updated_at")
    list_filter = ("current",)
    list_select_related = ("project",)
    search_fields = ("name", "project__code", "project__title")
    date_hierarchy = "updated_at"
    readonly_fields = ("current",)
    inlines = (TrackInline, MarkerInline)
    fieldsets = ((None, {"fields": ("project", ("name", "current"), "start_frame")}),)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        parts.update_edit(edit=row, actor=request.user, fields=values, seen=seen)


class PartAdmin(TrackedAdmin):
    """A part of an edit: its project is the edit's."""

    def action_project(self, row: Any) -> Any:
        return row.edit.project

    def edit_of(self, request: HttpRequest, values: dict[str, Any]) -> Edit:
        edit: Edit = values.pop("edit")
        if not may(request, "timeline.edit", edit.project):
            raise NotAllowed()
        return edit


@admin.register(Track)
class TrackAdmin(PartAdmin):
    add_operation = change_operation = delete_operation = "timeline.edit"
    list_display = ("name", "kind_badge", "index", "muted", "edit", "project", "updated_at")
    list_filter = (("kind", ChoicesDropdownFilter), "muted")
    list_select_related = ("project", "edit__project")
    search_fields = ("name", "edit__name", "project__code")
    autocomplete_fields = ("edit",)
    kind_badge = badge("kind", gettext_lazy("kind"))
    fieldsets = ((None, {"fields": ("project", "edit", ("kind", "index"), ("name", "muted"))}),)
    add_fieldsets = ((None, {"fields": ("edit", ("kind", "index"), ("name", "muted"))}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ("edit", "kind", "index") if obj is not None else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return parts.create_track(edit=self.edit_of(request, values), actor=request.user, fields=values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        parts.update_track(track=row, actor=request.user, fields=values, seen=seen)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        parts.remove_tracks(tracks=rows, actor=request.user)


@admin.register(Clip)
class ClipAdmin(TrackedAdmin):
    """Clips are made by the cut; here they are fixed to a version, slipped and switched off."""

    change_operation = delete_operation = "timeline.edit"
    list_display = ("shot", "track", "primary", "version", "source_in", "record_in", "duration_frames", "enabled")
    list_filter = ("primary", "enabled")
    list_select_related = (
        "project", "shot", "track", "version__shot", "version__character", "version__environment",
    )  # fmt: skip
    search_fields = ("shot__code", "track__name", "project__code")
    autocomplete_fields = ("version",)
    readonly_fields = ("track", "shot", "primary")
    ordering = ("project", "shot__position", "record_in", "id")
    fieldsets = (
        (None, {"fields": ("project", ("track", "shot"), ("primary", "enabled"), "version")}),
        (gettext_lazy("Frames"), {"fields": (("source_in", "record_in", "duration_frames"),)}),
    )

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        parts.update_clip(clip=row, actor=request.user, fields=values, seen=seen)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        parts.remove_clips(clips=rows, actor=request.user)


@admin.register(Marker)
class MarkerAdmin(PartAdmin):
    add_operation = change_operation = delete_operation = "timeline.edit"
    list_display = ("frame", "name", "comment", "color", "edit", "author", "updated_at")
    list_display_links = ("frame", "name")
    list_select_related = ("project", "edit__project", "author")
    search_fields = ("name", "comment", "project__code")
    autocomplete_fields = ("edit",)
    readonly_fields = ("author",)
    fieldsets = ((None, {"fields": ("project", "edit", ("frame", "color"), "name", "comment", "author")}),)
    add_fieldsets = ((None, {"fields": ("edit", ("frame", "color"), "name", "comment")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *(("edit",) if obj is not None else ()))

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return parts.create_marker(edit=self.edit_of(request, values), actor=request.user, fields=values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        parts.update_marker(marker=row, actor=request.user, fields=values, seen=seen)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        parts.remove_markers(markers=rows, actor=request.user)


@admin.register(Movie)
class MovieAdmin(ReadOnlyAdmin):
    list_display = ("path", "kind_badge", "frames", "frame_size", "file_size", "project", "created_at")
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("project",)
    search_fields = ("path", "project__code")
    date_hierarchy = "created_at"
    kind_badge = badge("kind", gettext_lazy("kind"))
    readonly_fields = ("frame_size", "file_size", "facts")
    fieldsets = (
        (None, {"fields": (("project", "edit"), ("kind", "created_at"), "path")}),
        (gettext_lazy("Media"), {"fields": (("frames", "frame_size", "file_size"), "signature", "task", "facts")}),
    )

    @admin.display(description=gettext_lazy("frame size"))
    def frame_size(self, row: Movie) -> str:
        return f"{row.width}×{row.height}"

    @admin.display(description=gettext_lazy("file size"), ordering="size")
    def file_size(self, row: Movie) -> str:
        return filesizeformat(row.size)

    @admin.display(description=gettext_lazy("details"))
    def facts(self, row: Movie) -> str:
        return pretty_json(row.details)
