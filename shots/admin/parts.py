"""What belongs to a shot: castings and steps, in lists of their own and inline in the shot."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter

from aipipeline.history.admin.access import may
from aipipeline.history.admin.base import ServiceInline, TrackedAdmin
from aipipeline.history.admin.display import badge
from aipipeline.history.admin.forms import ServiceForm
from aipipeline.projects.errors import NotAllowed
from shots.models import ALLOWED, Casting, ShotState, ShotStep
from shots.services import castings, steps

APPROVALS = frozenset({ShotState.APPROVED, ShotState.FINAL})


class CastingForm(ServiceForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            for name in ("shot", "character"):
                if name in self.fields:
                    self.fields[name].disabled = True  # another character is another casting


class StepForm(ServiceForm):
    """Offers only the states that the step may go to from where it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "state" in self.fields and self.instance.pk is not None:
            allowed = {self.instance.state, *ALLOWED[self.instance.state]}
            field: Any = self.fields["state"]
            field.choices = [choice for choice in ShotState.choices if choice[0] in allowed]


def write_step(request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
    """Who and until when, then the state; approving needs the right to approve."""
    state = values.pop("state", None)
    if values:
        steps.plan_step(step=ShotStep.objects.get(pk=row.pk), actor=request.user, fields=values, seen=seen)
    if state is None:
        return
    held = ShotStep.objects.select_related("shot__project").get(pk=row.pk)
    if {state, held.state} & APPROVALS and not may(request, "shots.approve", held.project):
        raise NotAllowed(_("Only leads approve and reopen steps in this project."))
    reason = values.get("reason", held.reason)
    steps.move_step(shot=held.shot, step=held.step, to=state, actor=request.user, reason=reason)


class CastingInline(ServiceInline):
    model = Casting
    form = CastingForm
    fields = ("character", "outfit", "use_lora", "strength", "speaks", "order", "seen_at")
    autocomplete_fields = ("character",)
    add_operation = change_operation = delete_operation = "shots.edit"

    def create_row(self, request: HttpRequest, parent: Any, values: dict[str, Any]) -> Any:
        return castings.add_casting(shot=parent, actor=request.user, **values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        castings.update_casting(casting=row, actor=request.user, fields=values, seen=seen)

    def remove_row(self, request: HttpRequest, row: Any) -> None:
        castings.remove_casting(casting=row, actor=request.user)


class StepInline(ServiceInline):
    model = ShotStep
    form = StepForm
    fields = ("step", "state", "assignee", "due_date", "reason", "seen_at")
    readonly_fields = ("step",)
    autocomplete_fields = ("assignee",)
    change_operation = "shots.edit"
    can_delete = False

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        write_step(request, row, values, seen)


@admin.register(Casting)
class CastingAdmin(TrackedAdmin):
    form = CastingForm
    add_operation = change_operation = delete_operation = "shots.edit"
    list_display = ("shot", "character", "outfit", "use_lora", "strength", "speaks", "project", "updated_at")
    list_filter = ("speaks", "use_lora")
    list_select_related = ("project", "shot", "character")
    search_fields = ("shot__code", "character__name", "outfit", "project__code")
    autocomplete_fields = ("shot", "character")
    ordering = ("project", "shot__position", "order", "id")
    fieldsets = (
        (None, {"fields": ("project", ("shot", "character"), "outfit", ("speaks", "order"))}),
        (gettext_lazy("LoRA"), {"fields": (("use_lora", "strength"),)}),
    )
    add_fieldsets = ((None, {"fields": (("shot", "character"), "outfit", "use_lora", "strength", "speaks", "order")}),)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("project",) if obj is None else None

    def action_project(self, row: Any) -> Any:
        return row.shot.project if row.shot_id else None

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        shot = values.pop("shot")
        if not may(request, "shots.edit", shot.project):
            raise NotAllowed()
        return castings.add_casting(shot=shot, actor=request.user, **values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        castings.update_casting(casting=row, actor=request.user, fields=values, seen=seen)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            castings.remove_casting(casting=row, actor=request.user)


@admin.register(ShotStep)
class ShotStepAdmin(TrackedAdmin):
    form = StepForm
    change_operation = "shots.edit"
    list_display = ("shot", "step", "state_badge", "assignee", "due_date", "reason", "project", "updated_at")
    list_filter = (("state", ChoicesDropdownFilter), ("step", ChoicesDropdownFilter), ("due_date", RangeDateFilter))
    list_select_related = ("project", "shot", "assignee")
    search_fields = ("shot__code", "assignee__username", "assignee__display_name", "reason", "project__code")
    autocomplete_fields = ("assignee",)
    date_hierarchy = "due_date"
    readonly_fields = ("shot", "step", "approved_version")
    state_badge = badge("state", gettext_lazy("state"))
    ordering = ("project", "shot__position", "id")
    fieldsets = (
        (None, {"fields": ("project", ("shot", "step"), ("state", "reason"), "approved_version")}),
        (gettext_lazy("Planning"), {"fields": (("assignee", "due_date"),)}),
    )

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        write_step(request, row, values, seen)
