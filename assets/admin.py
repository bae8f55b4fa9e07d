"""Characters, environments, cinematic presets and LoRAs in the admin, through `assets.services`."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from aipipeline.history.admin.base import TrackedAdmin
from aipipeline.history.admin.forms import ServiceForm
from aipipeline.history.admin.imports import SheetAdmin
from assets.models import Character, CinematicPreset, Environment, LoRA
from assets.resources import CharacterSheet, CinematicPresetSheet, EnvironmentSheet, LoRASheet
from assets.services import remove_asset, save_asset


class OutfitLines(forms.CharField):
    """Outfits as lines that people can write: "name: description"."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(
            f"{o.get('name', '')}: {o.get('description', '')}".rstrip(": ") if isinstance(o, dict) else str(o)
            for o in value
        )

    def to_python(self, value: Any) -> Any:
        found = []
        for line in str(value or "").splitlines():
            name, _colon, description = line.partition(":")
            if line.strip() and not name.strip():
                raise forms.ValidationError(_("Every outfit needs a name before its colon."))
            if name.strip():
                found.append({"name": name.strip(), "description": description.strip()})
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))


class CharacterForm(ServiceForm):
    outfits = OutfitLines(
        label=gettext_lazy("Outfits"), required=False, help_text=gettext_lazy("One per line — name: description")
    )


class AssetAdmin(SheetAdmin, TrackedAdmin):
    add_operation = change_operation = delete_operation = "assets.edit"
    list_select_related: tuple[str, ...] = ("project",)
    date_hierarchy = "created_at"
    ordering = ("project", "name")

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        project = values.pop("project")
        return save_asset(model=self.model, project=project, actor=request.user, fields=values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        save_asset(
            model=self.model, project=row.project, actor=request.user, fields=values, asset_id=row.pk, seen=seen
        )  # fmt: skip

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            remove_asset(model=self.model, project=row.project, actor=request.user, asset_id=row.pk)


@admin.register(Character)
class CharacterAdmin(AssetAdmin):
    form = CharacterForm
    resource_class = CharacterSheet
    list_display = ("name", "swatch", "role", "age", "wardrobe", "use_lora", "lora", "project", "updated_at")
    list_filter = ("use_lora",)
    list_select_related = ("project", "lora")
    search_fields = ("name", "description", "role", "trigger_words", "project__code")
    autocomplete_fields = ("lora",)
    fieldsets = (
        (None, {"fields": ("project", ("name", "role"), "age", "description", "relations", "color")}),
        (gettext_lazy("Wardrobe"), {"fields": ("default_clothing", "outfits")}),
        (gettext_lazy("LoRA"), {"fields": ("use_lora", ("lora", "lora_strength"), "trigger_words")}),
    )

    @admin.display(description=gettext_lazy("colour"))
    def swatch(self, row: Character) -> str:
        if not row.color:
            return "—"
        return format_html(
            '<svg class="aip-swatch" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="{}"/></svg>',
            row.color,
        )

    @admin.display(description=gettext_lazy("outfits"))
    def wardrobe(self, row: Character) -> int:
        return len(row.outfits)


@admin.register(Environment)
class EnvironmentAdmin(AssetAdmin):
    resource_class = EnvironmentSheet
    list_display = ("name", "location", "interior", "time_of_day", "weather", "mood", "project", "updated_at")
    list_filter = ("interior",)
    search_fields = ("name", "location", "description", "mood", "project__code")
    fieldsets = (
        (None, {"fields": ("project", "name", ("location", "interior"), "description")}),
        (gettext_lazy("Look"), {"fields": (("time_of_day", "weather"), "mood", "prompt")}),
    )


@admin.register(CinematicPreset)
class CinematicPresetAdmin(AssetAdmin):
    resource_class = CinematicPresetSheet
    list_display = ("name", "camera", "lens", "film_stock", "lighting", "project", "updated_at")
    search_fields = ("name", "camera", "lens", "film_stock", "lighting", "description", "project__code")
    fieldsets = (
        (None, {"fields": ("project", "name", "description")}),
        (gettext_lazy("Camera"), {"fields": (("camera", "lens"), ("film_stock", "filters"), "lighting")}),
    )


@admin.register(LoRA)
class LoRAAdmin(AssetAdmin):
    resource_class = LoRASheet
    list_display = ("name", "path", "base_model", "strength", "trigger_words", "project", "updated_at")
    list_filter = ("base_model",)
    search_fields = ("name", "path", "base_model", "trigger_words", "project__code")
    fieldsets = (
        (None, {"fields": ("project", ("name", "base_model"), "path")}),
        (gettext_lazy("Use"), {"fields": ("strength", "trigger_words")}),
    )
