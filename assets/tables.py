"""Characters, environments and cinematic presets as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.tables.columns import Column, ColumnType, Option, Options
from aipipeline.tables.registry import Done, Provider, Sheet, Table, register
from assets.models import Character, CinematicPreset, Environment, LoRA
from assets.presets_rules import FIELDS, LABELS, check
from assets.services.outfits import outfits_as_text

T = ColumnType
# Rules as rows of a list: references are numbers.
_NUMBERS = {rule: number for number, rule in enumerate(LABELS, 1)}


class AssetTable(Table):
    edit_operation = "assets.edit"
    delete_operation = "assets.edit"
    page_kind = ""

    def options(self, project: Project) -> Options:
        return {}

    def apply_batch(
        self,
        *,
        project: Project,
        actor: Any,
        items: Sequence[Mapping[str, Any]] = (),
        create: Sequence[Mapping[str, Any]] = (),
        remove: Sequence[int] = (),
        on_conflict: str = "fail",
        tab: str = "",
        key: str = "",
    ) -> Done:
        from assets.services.batch import apply_batch

        return apply_batch(
            table=self, project=project, actor=actor, items=items, create=create, remove=remove,
            on_conflict=on_conflict, tab=tab, key=key,
        )  # fmt: skip

    def results(self, project: Project, actor: Any, ids: Sequence[int]) -> list[dict[str, Any]]:
        from assets.api.views import asset_json

        return [asset_json(row) for row in self.rows(project).filter(pk__in=ids)]

    def address(self, project: Project) -> str:
        return reverse("assets:edit", args=[project.code, self.page_kind, 0]).replace("/0/", "/{id}/")


class CharacterTable(AssetTable):
    key = "characters"
    label = _("Characters")
    model = Character
    page_kind = "character"
    lookups = ("assets.lora",)
    columns = (
        Column("thumbnail", _("Image"), T.IMAGE, 84, editable=False, source=""),
        Column("name", _("Name"), T.TEXT, 140, required=True, max_length=120,
               aliases=("이름", "인물", "캐릭터", "character")),
        Column("role", _("Role"), T.TEXT, 120, max_length=120, aliases=("역할", "배역")),
        Column("age", _("Age"), T.TEXT, 80, max_length=40, aliases=("나이",)),
        Column("description", _("Description"), T.LONG_TEXT, 320, aliases=("설명", "외모", "appearance")),
        Column("default_clothing", _("Clothing"), T.LONG_TEXT, 240,
               aliases=("의상", "기본 의상", "clothing", "outfit")),
        Column("outfits", _("Outfits"), T.LONG_TEXT, 220, source="", help=_("One a line: name: description"),
               aliases=("의상 목록",)),
        Column("relations", _("Relations"), T.TEXT, 160, max_length=300, hidden=True, aliases=("관계",)),
        Column("color", _("Colour"), T.TEXT, 90, max_length=7, help=_("As #RRGGBB"), aliases=("색", "color")),
        Column("use_lora", _("Use LoRA"), T.TICK, 90, nullable=False, aliases=("lora 사용",)),
        Column("lora", _("LoRA"), T.REFERENCE, 150, options="lora", aliases=("lora",)),
        Column("lora_strength", _("LoRA strength"), T.NUMBER, 100, nullable=False, whole=False, minimum=-2, maximum=2,
               aliases=("lora 강도",)),
        Column("trigger_words", _("Trigger words"), T.TEXT, 180, max_length=300, aliases=("트리거", "트리거 워드")),
        Column("used", _("Shots"), T.NUMBER, 70, editable=False, source=""),
    )  # fmt: skip
    sheets = (
        Sheet("characters", _("Characters"), (
            "name", "role", "age", "description", "default_clothing", "outfits", "relations", "color", "use_lora",
            "lora", "lora_strength", "trigger_words",
        )),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.providers = {"used": _used(Character, "castings__shot"), "outfits": _outfits}

    def cells_of(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: outfits_as_text(value) if name == "outfits" else value for name, value in fields.items()}

    def options(self, project: Project) -> Options:
        rows = LoRA.objects.live().filter(project=project).order_by("name", "id")
        return {"lora": [Option(row.pk, row.name, row.path) for row in rows]}


class EnvironmentTable(AssetTable):
    key = "environments"
    label = _("Environments")
    model = Environment
    page_kind = "environment"
    columns = (
        Column("thumbnail", _("Image"), T.IMAGE, 84, editable=False, source=""),
        Column(
            "name",
            _("Name"),
            T.TEXT,
            200,
            required=True,
            max_length=160,
            aliases=("이름", "장소", "배경", "environment"),
        ),
        Column("location", _("Place"), T.TEXT, 160, max_length=160, aliases=("위치", "로케이션", "location")),
        Column("interior", _("Interior"), T.TICK, 80, aliases=("실내", "int")),
        Column("time_of_day", _("Time of day"), T.TEXT, 100, max_length=40, aliases=("시간", "시간대", "time")),
        Column("weather", _("Weather"), T.TEXT, 100, max_length=40, aliases=("날씨",)),
        Column("mood", _("Mood"), T.TEXT, 140, max_length=120, aliases=("분위기",)),
        Column("description", _("Description"), T.LONG_TEXT, 320, aliases=("설명",)),
        Column("prompt", _("Prompt"), T.LONG_TEXT, 360, aliases=("프롬프트", "배경 프롬프트")),
        Column("used", _("Shots"), T.NUMBER, 70, editable=False, source=""),
    )
    sheets = (
        Sheet("environments", _("Environments"), (
            "name", "location", "interior", "time_of_day", "weather", "mood", "description", "prompt",
        )),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.providers = {"used": _used(Environment, "shot")}


class PresetTable(AssetTable):
    key = "presets"
    label = _("Cinematic presets")
    model = CinematicPreset
    page_kind = "preset"
    ordering = ("name", "id")
    columns = (
        Column("thumbnail", _("Image"), T.IMAGE, 84, editable=False, source=""),
        Column("name", _("Name"), T.TEXT, 180, required=True, max_length=120, aliases=("이름", "프리셋", "preset")),
        Column("warnings", _("Warnings"), T.REFERENCES, 200, editable=False, options="warning", source=""),
        Column("camera", _("Camera"), T.TEXT, 160, max_length=120, aliases=("카메라",)),
        Column("lens", _("Lens"), T.TEXT, 160, max_length=120, aliases=("렌즈",)),
        Column("film_stock", _("Film stock"), T.TEXT, 160, max_length=120, aliases=("필름",)),
        Column("lighting", _("Lighting"), T.TEXT, 220, max_length=200, aliases=("조명",)),
        Column("filters", _("Filters"), T.TEXT, 180, max_length=200, aliases=("필터",)),
        Column("description", _("Description"), T.LONG_TEXT, 320, aliases=("설명",)),
        Column("used", _("Shots"), T.NUMBER, 70, editable=False, source=""),
    )
    sheets = (
        Sheet("presets", _("Cinematic presets"), (
            "name", "camera", "lens", "film_stock", "lighting", "filters", "description",
        )),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.providers = {"used": _used(CinematicPreset, "shot"), "warnings": _warnings}

    def options(self, project: Project) -> Options:
        return {"warning": [Option(_NUMBERS[rule], f"⚠ {label}") for rule, label in LABELS.items()]}


def _used(model: Any, path: str) -> Provider:
    """How many live shots use a row. `path`: the way from the row to its shots."""

    def provider(project: Project, ids: Sequence[int]) -> dict[int, int]:
        wanted = {"pk__in": ids, f"{path}__removed_at": None, f"{path}__isnull": False}
        if path.startswith("castings"):
            wanted["castings__removed_at"] = None
        rows = model.objects.filter(**wanted).annotate(shots_used=Count(path, distinct=True))
        return dict(rows.order_by().values_list("pk", "shots_used"))

    return provider


def _outfits(project: Project, ids: Sequence[int]) -> dict[int, str]:
    rows = Character.objects.filter(pk__in=ids).exclude(outfits=[]).values_list("pk", "outfits")
    return {pk: outfits_as_text(outfits) for pk, outfits in rows}


def _warnings(project: Project, ids: Sequence[int]) -> dict[int, list[int]]:
    """By preset: the numbers of the rules that warn of it; sound ones are left out."""
    rows = CinematicPreset.objects.filter(pk__in=ids).values("pk", *FIELDS)
    found = {row["pk"]: [_NUMBERS[warning.rule] for warning in check(row)] for row in rows}
    return {pk: numbers for pk, numbers in found.items() if numbers}


def register_tables() -> None:
    for table in (CharacterTable(), EnvironmentTable(), PresetTable()):
        register(table)
