"""The columns of the library's sheets, in and out; rows are written by the asset service."""

from typing import Any

from import_export import fields

from aipipeline.history.admin.imports import NamedRow, ServiceResource
from assets.models import Character, CinematicPreset, Environment, LoRA
from assets.services import FIELDS, save_asset


class AssetResource(ServiceResource):
    """Rows are found by their name."""

    def create_row(self, values: dict[str, Any]) -> Any:
        return save_asset(model=self._meta.model, project=self.project, actor=self.actor, fields=values)  # type: ignore[arg-type]  # imports always have a project

    def update_row(self, row: Any, values: dict[str, Any]) -> None:
        save_asset(
            model=self._meta.model, project=row.project, actor=self.actor, fields=values, asset_id=row.pk
        )  # fmt: skip

    def is_editable(self, name: str) -> bool:
        return name in FIELDS[self._meta.model]


class CharacterSheet(AssetResource):
    lora = fields.Field(attribute="lora", column_name="lora", widget=NamedRow(LoRA))

    class Meta:
        model = Character
        fields = tuple(name for name in FIELDS[Character] if name != "outfits")
        export_order = fields
        import_id_fields = ("name",)
        skip_unchanged = True
        report_skipped = True


class EnvironmentSheet(AssetResource):
    class Meta:
        model = Environment
        fields = FIELDS[Environment]
        export_order = fields
        import_id_fields = ("name",)
        skip_unchanged = True
        report_skipped = True


class CinematicPresetSheet(AssetResource):
    class Meta:
        model = CinematicPreset
        fields = FIELDS[CinematicPreset]
        export_order = fields
        import_id_fields = ("name",)
        skip_unchanged = True
        report_skipped = True


class LoRASheet(AssetResource):
    class Meta:
        model = LoRA
        fields = FIELDS[LoRA]
        export_order = fields
        import_id_fields = ("name",)
        skip_unchanged = True
        report_skipped = True
