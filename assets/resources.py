"""The sheets of the library in the admin. LoRA files are no table: their sheet is declared here."""

from typing import Any

from aipipeline.history.admin.imports import ServiceResource
from aipipeline.tables.resources import sheet_resource
from assets.models import LoRA
from assets.services import FIELDS, save_asset
from assets.tables import CharacterTable, EnvironmentTable, PresetTable

CharacterSheet = sheet_resource("CharacterSheet", CharacterTable, "characters")
EnvironmentSheet = sheet_resource("EnvironmentSheet", EnvironmentTable, "environments")
CinematicPresetSheet = sheet_resource("CinematicPresetSheet", PresetTable, "presets")


class LoRASheet(ServiceResource):
    """Rows are found by their name."""

    class Meta:
        model = LoRA
        fields = FIELDS[LoRA]
        export_order = fields
        import_id_fields = ("name",)
        skip_unchanged = True
        report_skipped = True

    def create_row(self, values: dict[str, Any]) -> Any:
        return save_asset(model=LoRA, project=self.project, actor=self.actor, fields=values)  # type: ignore[arg-type]  # imports always have a project

    def update_row(self, row: Any, values: dict[str, Any]) -> None:
        save_asset(model=LoRA, project=row.project, actor=self.actor, fields=values, asset_id=row.pk)

    def is_editable(self, name: str) -> bool:
        return name in FIELDS[LoRA]
