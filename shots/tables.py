"""The shot list as a table: its columns, and the services that write them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project, User
from aipipeline.projects.permissions import allows
from aipipeline.tables.columns import Column, ColumnType, Option, Options
from aipipeline.tables.registry import Done, Sheet, Table, register
from assets.models import Character, CinematicPreset, Environment
from shots.choices import Angle, Movement, ShotSize
from shots.models import Casting, Scene, Shot, ShotState, ShotStep, Step
from shots.models.shot import MAX_FRAMES

T = ColumnType


class ShotTable(Table):
    key = "shots"
    label = _("Shots")
    model = Shot
    edit_operation = "shots.edit"
    delete_operation = "shots.delete"
    ordering = ("position", "id")
    movable = True
    flags = ("locked", "seen_by_person")
    name_column = "code"
    makes = frozenset({"scene", "characters", "environment"})
    children = {"shots.casting": "shot_id", "shots.shotstep": "shot_id"}
    lookups = (
        "shots.scene", "assets.character", "assets.environment", "assets.cinematicpreset", "projects.membership",
    )  # fmt: skip
    columns = (
        Column("thumbnail", _("Image"), T.IMAGE, 84, editable=False, source=""),
        Column("code", _("Shot"), T.CODE, 96, editable=False,
               aliases=("샷", "컷", "shot", "cut", "shot code", "컷번호", "샷번호")),
        Column("scene", _("Scene"), T.REFERENCE, 104, options="scene", aliases=("씬", "씬번호", "신", "scene no")),
        Column("description", _("Description"), T.LONG_TEXT, 250,
               aliases=("설명", "내용", "화면", "content", "화면 설명")),
        Column("characters", _("Characters"), T.REFERENCES, 140, options="characters", source="",
               aliases=("인물", "등장인물", "캐릭터", "cast", "배우")),
        Column("size", _("Size"), T.CHOICE, 96, options="size", nullable=False,
               aliases=("사이즈", "샷 사이즈", "샷사이즈", "shot size", "shot type", "크기")),
        Column("movement", _("Camera"), T.CHOICE, 96, options="movement", nullable=False,
               aliases=("카메라", "무브", "카메라 무브", "카메라 워크", "camera movement", "move")),
        Column("duration_frames", _("Length"), T.DURATION, 96, nullable=False, minimum=1, maximum=MAX_FRAMES,
               aliases=("길이", "초", "시간", "duration", "length", "sec", "frames", "프레임", "러닝타임")),
        Column("status", _("Status"), T.STATUS, 104, options="status", nullable=False, aliases=("상태", "진행")),
        Column("dialogue", _("Dialogue"), T.LONG_TEXT, 240, aliases=("대사", "내레이션", "dialog", "vo")),
        Column("action", _("Action"), T.LONG_TEXT, 240, aliases=("액션", "동작", "지문")),
        Column("environment", _("Environment"), T.REFERENCE, 170, options="environment",
               aliases=("장소", "배경", "로케이션", "location", "place")),
        Column("angle", _("Angle"), T.CHOICE, 120, options="angle", nullable=False,
               aliases=("앵글", "카메라 앵글", "camera angle")),
        Column("assignee", _("Assignee"), T.PERSON, 130, options="person", source="",
               aliases=("담당", "담당자", "작업자")),
        Column("due_date", _("Due"), T.DATE, 110, source="", aliases=("마감", "마감일", "기한")),
        Column("preset", _("Cinematic preset"), T.REFERENCE, 150, options="preset", aliases=("프리셋",)),
        Column("emotion", _("Emotion"), T.TEXT, 110, max_length=80, hidden=True, aliases=("감정", "정서")),
        Column("current_step", _("Step"), T.CHOICE, 110, editable=False, options="step", hidden=True),
        Column("prompt", _("Prompt"), T.LONG_TEXT, 320, hidden=True, aliases=("프롬프트",)),
        Column("negative_prompt", _("Negative prompt"), T.LONG_TEXT, 240, hidden=True,
               aliases=("네거티브", "네거티브 프롬프트")),
        Column("seed", _("Seed"), T.NUMBER, 120, hidden=True, minimum=0, maximum=2**53 - 1, aliases=("시드",)),
        Column("workflow", _("Workflow"), T.CHOICE, 150, options="workflow", hidden=True, aliases=("워크플로",)),
        Column("stale", _("Out of date"), T.TEXT, 200, editable=False, source="", hidden=True),
        Column("handles", _("Handles"), T.NUMBER, 90, hidden=True, nullable=False, minimum=0, maximum=1000,
               aliases=("핸들",)),
    )  # fmt: skip
    sheets = (
        Sheet("shots", _("Shots"), (
            "code", "scene", "description", "action", "dialogue", "emotion", "characters", "environment", "preset",
            "size", "angle", "movement", "duration_frames", "status", "assignee", "due_date", "prompt",
            "negative_prompt", "seed", "workflow", "handles",
        )),
        Sheet("technical", _("Technical specs"), (
            "code", "scene", "size", "angle", "movement", "duration_frames", "preset", "seed", "workflow", "handles",
            "status",
        ), with_custom=False),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.providers = {"characters": cast_of, "assignee": _planned("assignee_id"), "due_date": _planned("due_date")}
        self.workflows: list[Any] = []

    def options(self, project: Project) -> Options:
        scenes = Scene.objects.live().filter(project=project).order_by("position", "id")
        people = Character.objects.live().filter(project=project).order_by("name", "id")
        places = Environment.objects.live().filter(project=project).order_by("name", "id")
        presets = CinematicPreset.objects.live().filter(project=project).order_by("name", "id")
        members = User.objects.filter(memberships__project=project, is_active=True).distinct().order_by("username")
        return {
            "scene": [Option(s.pk, s.code, s.heading) for s in scenes.only("code", "heading")],
            "characters": [Option(c.pk, c.name, c.role, c.color) for c in people.only("name", "role", "color")],
            "environment": [Option(e.pk, e.name, e.location) for e in places.only("name", "location")],
            "preset": [Option(p.pk, p.name, p.camera) for p in presets.only("name", "camera")],
            "person": [Option(user.pk, str(user), user.username) for user in members],
            "size": _options(ShotSize.choices, with_key=True),
            "angle": _options(Angle.choices),
            "movement": _options(Movement.choices),
            "status": _options(ShotState.choices),
            "step": _options(Step.choices),
            "workflow": [option for provider in self.workflows for option in provider(project)],
        }

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
        from shots.services.batch import apply_batch

        done = apply_batch(
            project=project, actor=actor, items=items, create=create, remove=remove, on_conflict=on_conflict, tab=tab,
            key=key,
        )  # fmt: skip
        return Done(
            changed=[shot.pk for shot in done.changed],
            created=[shot.pk for shot in done.created],
            removed=done.removed,
            conflicts=done.conflicts,
        )

    def results(self, project: Project, actor: Any, ids: Sequence[int]) -> list[dict[str, Any]]:
        from shots.api.forms import shots_json
        from shots.selectors import shots_of

        return shots_json(list(shots_of(project, actor).filter(pk__in=ids)))

    def clean_json(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        from shots.api.forms import clean_cells

        return clean_cells(fields, status=True)

    def make_option(self, *, project: Project, actor: Any, options: str, text: str, tab: str = "") -> Any:
        from assets.services import save_asset
        from shots.services.scenes import create_scene

        if options == "scene":
            return create_scene(project=project, actor=actor, fields={"heading": text}, tab=tab).pk
        model = {"characters": Character, "environment": Environment}[options]
        return save_asset(model=model, project=project, actor=actor, fields={"name": text}, tab=tab).pk

    def move(
        self,
        *,
        project: Project,
        actor: Any,
        ids: Sequence[int],
        before: int | None,
        tab: str = "",
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        from shots.services.editing import reorder_shots

        reorder_shots(project=project, actor=actor, ids=ids, before=before, tab=tab, fields=fields)

    def moves(self, actor: Any, project: Project) -> dict[str, list[str]]:
        from shots.services.moves import may_move

        if not allows(actor, "shots.edit", project):
            return {}
        approves = allows(actor, "shots.approve", project)
        return {
            str(now): [str(to) for to in ShotState.values if may_move(approves, now, to)] for now in ShotState.values
        }

    def address(self, project: Project) -> str:
        return reverse("shots:detail", args=[project.code, 0]).replace("/0/", "/{id}/")


def _options(choices: Sequence[tuple[str, Any]], *, with_key: bool = False) -> list[Option]:
    return [Option(key, str(label), key if with_key else "") for key, label in choices]


def cast_of(project: Project, ids: Sequence[int]) -> dict[int, list[int]]:
    """By shot: the ids of its characters in order. One query."""
    found: dict[int, list[int]] = {}
    rows = Casting.objects.live().filter(shot__in=ids, character__removed_at=None).order_by("order", "id")
    for shot_id, character_id in rows.values_list("shot_id", "character_id"):
        found.setdefault(shot_id, []).append(character_id)
    return found


def _planned(name: str) -> Any:
    """What is planned for the step that a shot is at."""

    def provider(project: Project, ids: Sequence[int]) -> dict[int, Any]:
        from django.db.models import F

        rows = ShotStep.objects.live().filter(shot__in=ids, step=F("shot__current_step")).exclude(**{name: None})
        return {
            shot_id: value if isinstance(value, int) else value.isoformat()
            for shot_id, value in rows.values_list("shot_id", name)
        }

    return provider


def register_tables() -> None:
    register(ShotTable())
