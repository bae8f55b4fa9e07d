"""The base of every admin: saves, inlines and deletes go through services, as one Action, refused in the form."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline

from aipipeline.history.admin.access import AccessMixin, project_of
from aipipeline.history.admin.filters import ProjectFilter, RemovedFilter
from aipipeline.history.admin.forms import ServiceForm
from aipipeline.history.rows import remove_rows, restore_rows
from aipipeline.history.services import one_action
from aipipeline.projects.errors import PipelineError
from aipipeline.projects.models import Project

RECORD_FIELDS = ("revision", "created_at", "updated_at")
RECORD = (gettext_lazy("Record"), {"fields": RECORD_FIELDS, "classes": ["collapse"]})


class ServiceAdmin(AccessMixin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Subclasses say which service makes, changes and removes a row; this class does everything around it."""

    form = ServiceForm
    change_form_before_template = "admin/studio/seen.html"
    warn_unsaved_form = True
    compressed_fields = True
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False

    # --- what a subclass writes ----------------------------------------------------------------------
    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """Make a row of these cleaned values, by its service, and return it."""
        raise NotImplementedError

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        """Change these fields, by the service; `seen` is the revision that the person had."""
        raise NotImplementedError

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """Remove rows of one project, by the service."""
        raise NotImplementedError

    # --- saving ----------------------------------------------------------------------------------------
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        request._admin_row = obj  # type: ignore[attr-defined]  # which project related rows must lie in
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "_admin_refusal", None)
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """A refusal of a service takes the whole save back and is shown in the form, with what was typed."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except PipelineError as error:
            if request.method != "POST":
                raise
            request._admin_refusal = error  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: `save_related` writes the row and its inlines as one action."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        row, values = form.instance, form.touched()
        kind = f"{self.opts.model_name}.{'update' if change else 'create'}"
        with one_action(project=self.action_project(row), actor=request.user, kind=kind):
            if not change:
                row.pk = self.create_row(request, values).pk
            elif values:
                self.update_row(request, row, values, form.seen_revision)
            for formset in formsets:
                formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
                if inline := getattr(formset, "aip_inline", None):  # the others only show facts
                    inline.save_rows(request, row, formset)
        row.refresh_from_db()

    def action_project(self, row: Any) -> Project | None:
        """The project whose history the save belongs to."""
        return project_of(row)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj is not None else []

    # --- deleting --------------------------------------------------------------------------------------
    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """What is removed is marked as removed: nothing hangs on it that would go too."""
        rows = list(objs)
        refused = {str(self.opts.verbose_name) for row in rows if not self.has_delete_permission(request, row)}
        return [str(row) for row in rows], {self.opts.verbose_name_plural: len(rows)}, refused, []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_queryset(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: Iterable[Any]) -> None:
        by_project: dict[Any, list[Any]] = {}
        for row in queryset:
            by_project.setdefault(self.action_project(row), []).append(row)
        with transaction.atomic():
            for project, rows in by_project.items():
                kind = f"{self.opts.model_name}.remove"
                with one_action(project=project, actor=request.user, kind=kind):
                    self.remove_rows(request, rows)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except PipelineError as error:
            messages.error(request, str(error.message))
            return HttpResponseRedirect(self._address("change", object_id))

    def changelist_view(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        try:
            response: HttpResponse = super().changelist_view(request, extra_context)
        except PipelineError as error:
            messages.error(request, str(error.message))
            return HttpResponseRedirect(request.get_full_path())
        return response

    def _address(self, view: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{view}", args=args)

    def each(self, request: HttpRequest, rows: Iterable[Any], operation: str, do: Any, done: str) -> None:
        """Run `do` on every row that the person may do it to; say what happened, and what refused and why."""
        count = 0
        for row in rows:
            try:
                if not self._may(request, operation, row):
                    messages.error(request, f"{row}: " + _("You may not do this in this project."))
                    continue
                do(row)
                count += 1
            except PipelineError as error:
                messages.error(request, f"{row}: {error.message}")
        if count:
            messages.success(request, f"{done} ({count})")


class TrackedAdmin(ServiceAdmin):
    """Rows with revisions and soft deletion. Removed rows are shown on demand and can be brought back."""

    actions: tuple[str, ...] = ("restore",)

    def get_list_filter(self, request: HttpRequest) -> Any:
        own = list(super().get_list_filter(request))
        return [*([ProjectFilter] if self.project_lookup == "project" else []), *own, RemovedFilter]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ("project",) if obj is not None and self.project_lookup == "project" else ()
        return (*super().get_readonly_fields(request, obj), *fixed, *RECORD_FIELDS)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = list(super().get_fieldsets(request, obj))
        return [*found, RECORD] if obj is not None else found

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        remove_rows(rows=rows, actor=request.user)

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return self.has_delete_permission(request)

    @admin.action(description=gettext_lazy("Bring removed rows back"), permissions=["restore"])
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        by_project: dict[Any, list[Any]] = {}
        for row in queryset.filter(removed_at__isnull=False):
            if self._may(request, self.delete_operation, row):
                by_project.setdefault(self.action_project(row), []).append(row)
        with transaction.atomic():
            for rows in by_project.values():
                restore_rows(rows=rows, actor=request.user)
        count = sum(map(len, by_project.values()))
        messages.success(request, _("%(count)d brought back.") % {"count": count})


class ServiceInline(AccessMixin, TabularInline):  # type: ignore[misc]
    """Rows of a form's row, saved by services within the form's action. `seen_at` must be among the fields."""

    form = ServiceForm
    extra = 0
    tab = True
    show_change_link = False

    def create_row(self, request: HttpRequest, parent: Any, values: dict[str, Any]) -> Any:
        raise NotImplementedError

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        raise NotImplementedError

    def remove_row(self, request: HttpRequest, row: Any) -> None:
        raise NotImplementedError

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.aip_inline = self
        return formset

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows.filter(removed_at__isnull=True) if hasattr(self.model, "removed_at") else rows

    def save_rows(self, request: HttpRequest, parent: Any, formset: Any) -> None:
        """Write what the person changed, and tell the log what that was."""
        for form in formset.initial_forms:
            row = form.instance
            if form in formset.deleted_forms:
                self.remove_row(request, row)
                formset.deleted_objects.append(row)
            elif values := form.touched():
                self.update_row(request, row, values, form.seen_revision)
                formset.changed_objects.append((row, list(values)))
        for form in formset.extra_forms:
            if form.has_changed() and form not in formset.deleted_forms:
                row = self.create_row(request, parent, form.touched())
                formset.new_objects.append(row)


class ReadOnlyAdmin(AccessMixin, ModelAdmin):  # type: ignore[misc]
    """Facts: seen, searched and filtered, never edited here."""

    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False

    each = ServiceAdmin.each

    def get_list_filter(self, request: HttpRequest) -> Any:
        own = list(super().get_list_filter(request))
        return [*([ProjectFilter] if self.project_lookup == "project" else []), *own]

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
