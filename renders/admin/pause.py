"""Pauses: made on the farm page; here their reason is put right, and deleting one lets the work go on."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import CharField, OuterRef, Q, Subquery
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.base import ServiceAdmin
from aipipeline.projects.models import Project
from renders.models import Pause, PauseScope, Workflow
from renders.services import pauses


@admin.register(Pause)
class PauseAdmin(ServiceAdmin):
    project_lookup = ""
    view_operation = "farm.view"
    change_operation = delete_operation = "farm.manage"
    list_display = ("what", "scope", "reason", "actor", "since")
    list_filter = (("scope", ChoicesDropdownFilter),)
    list_select_related = ("actor",)
    search_fields = ("reason", "key", "actor__username", "actor__display_name")
    date_hierarchy = "since"
    ordering = ("scope", "key")
    readonly_fields = ("what", "scope", "actor", "since")
    fieldsets = ((None, {"fields": (("scope", "what"), "reason", ("actor", "since"))}),)

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        """Those of projects that the person does not see are not shown."""
        seen = _text_keys(Project.objects.visible_to(request.user)).values("text")
        return rows.filter(~Q(scope=PauseScope.PROJECT) | Q(key__in=seen))

    def get_queryset(self, request: HttpRequest) -> Any:
        def told(model: Any, name: str) -> Subquery:
            return Subquery(_text_keys(model.objects.all()).filter(text=OuterRef("key")).values(name)[:1])

        rows = super().get_queryset(request)
        return rows.annotate(project_code=told(Project, "code"), workflow_title=told(Workflow, "title"))

    @admin.display(description=gettext_lazy("of"), ordering="key")
    def what(self, row: Any) -> str:
        if row.scope == PauseScope.PROJECT:
            return str(row.project_code or row.key)
        return str(row.workflow_title or row.key) if row.scope == PauseScope.WORKFLOW else pauses.label_of(row)

    def action_project(self, row: Any) -> Project | None:
        return pauses.project_of(row)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        pauses.explain(row=row, reason=values["reason"], actor=request.user)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            pauses.resume(scope=row.scope, key=row.key, actor=request.user)


def _text_keys(rows: Any) -> Any:
    return rows.order_by().annotate(text=Cast("pk", CharField()))
