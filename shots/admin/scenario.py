"""Scenarios: their text is edited here, their breakdown on the scenario page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.base import TrackedAdmin
from aipipeline.history.admin.display import badge, pretty_json
from shots.models import Scenario
from shots.services import scenarios


@admin.register(Scenario)
class ScenarioAdmin(TrackedAdmin):
    add_operation = change_operation = delete_operation = "scenario.edit"
    list_display = ("title", "state_badge", "dialect", "characters", "project", "author", "updated_at")
    list_filter = (("state", ChoicesDropdownFilter),)
    list_select_related = ("project", "author")
    search_fields = ("title", "source_name", "text", "project__code")
    date_hierarchy = "created_at"
    readonly_fields = ("state", "dialect", "author", "source_name", "breakdown")
    state_badge = badge("state", gettext_lazy("state"))
    fieldsets = (
        (None, {"fields": ("project", "title", "text")}),
        (gettext_lazy("Breakdown"), {"fields": (("state", "dialect"), ("author", "source_name"), "breakdown")}),
    )
    add_fieldsets = ((None, {"fields": ("project", "title", "text")}),)
    actions = ("restore", "analyse")

    @admin.display(description=gettext_lazy("characters"))
    def characters(self, row: Scenario) -> int:
        return len(row.proposal.get("characters", []))

    @admin.display(description=gettext_lazy("draft breakdown"))
    def breakdown(self, row: Scenario) -> str:
        return pretty_json(row.proposal) if row.proposal else "—"

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return scenarios.add_scenario(
            project=values["project"],
            actor=request.user,
            data=values["text"].encode(),
            filename="scenario.txt",
            title=values.get("title", ""),
        )

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        scenarios.update_scenario(scenario=row, actor=request.user, fields=values, seen=seen)

    @admin.action(description=gettext_lazy("Break the text down again"), permissions=["change"])
    def analyse(self, request: HttpRequest, queryset: Any) -> None:
        def again(row: Any) -> None:
            scenarios.analyse_scenario(scenario=row, actor=request.user)

        rows = queryset.filter(removed_at__isnull=True)
        self.each(request, rows, "scenario.edit", again, _("Broken down again."))
