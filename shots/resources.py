"""The columns of each sheet, declared once as django-import-export resources."""

from typing import Any

from import_export import fields, resources
from import_export.widgets import Widget

from assets.models import Character, Environment
from shots.models import Shot


class NameWidget(Widget):  # type: ignore[misc]  # the library has no types
    """A related row by its name or code."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(getattr(value, "code", "") or getattr(value, "name", "") or "") if value else ""


class CastWidget(Widget):  # type: ignore[misc]
    """The names of a shot's characters, in order, with commas."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(row.character.name for row in getattr(obj, "cast", []))


class SheetResource(resources.ModelResource):  # type: ignore[misc]
    """Numbers stay numbers: spreadsheets sort and sum them."""

    title = ""
    widths: dict[str, int] = {}

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        value = super().export_field(field, instance, **kwargs)
        raw = getattr(instance, field.attribute or "", None)
        return raw if isinstance(raw, int) and not isinstance(raw, bool) else value


class ShotResource(SheetResource):
    scene = fields.Field(attribute="scene", column_name="scene", widget=NameWidget())
    environment = fields.Field(attribute="environment", column_name="environment", widget=NameWidget())
    preset = fields.Field(attribute="preset", column_name="preset", widget=NameWidget())
    characters = fields.Field(attribute="pk", column_name="characters", widget=CastWidget())

    title = "Shots"
    widths = {
        "description": 48,
        "action": 40,
        "dialogue": 40,
        "prompt": 48,
        "negative_prompt": 30,
        "characters": 22,
        "environment": 24,
    }

    class Meta:
        model = Shot
        fields = (
            "id", "code", "scene", "description", "action", "dialogue", "emotion", "characters", "environment",
            "preset",
            "size", "angle", "movement", "duration_frames", "status", "prompt", "negative_prompt", "seed", "workflow",
        )  # fmt: skip
        export_order = fields

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        if field.column_name == "characters":
            return CastWidget().render(None, instance)
        return super().export_field(field, instance, **kwargs)


class TechnicalResource(ShotResource):
    title = "Technical"

    class Meta:
        model = Shot
        fields = ("id", "code", "scene", "size", "angle", "movement", "duration_frames", "seed", "workflow", "status")
        export_order = fields


class EnvironmentResource(SheetResource):
    title = "Environments"
    widths = {"description": 48, "prompt": 60, "name": 28}

    class Meta:
        model = Environment
        fields = ("id", "name", "location", "interior", "time_of_day", "weather", "mood", "description", "prompt")
        export_order = fields


class CharacterResource(SheetResource):
    title = "Characters"
    widths = {"description": 48, "default_clothing": 36}

    class Meta:
        model = Character
        fields = (
            "id", "name", "role", "age", "description", "default_clothing", "relations", "color", "use_lora",
            "lora_strength", "trigger_words",
        )  # fmt: skip
        export_order = fields
