"""Filters of lists: a project that the person may see, and rows that were removed."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from aipipeline.projects.models import Project


class ProjectFilter(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    title = _("project")
    parameter_name = "of_project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Project.objects.visible_to(request.user).order_by("code").values_list("pk", "code", "title")
        return [(str(pk), f"{code} · {title}") for pk, code, title in rows[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value() or ""
        return queryset.filter(project=int(wanted)) if wanted.isascii() and wanted.isdigit() else queryset


class RemovedFilter(DropdownFilter):  # type: ignore[misc]
    """Lists show what is there; what was removed is one choice away."""

    title = _("removed")
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("only", _("Removed only")), ("also", _("With removed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "also":
            return queryset
        return queryset.filter(removed_at__isnull=self.value() != "only")
