"""What the shot list knows of each row, for the metadata files of the production tree."""

from collections.abc import Mapping
from typing import Any

from aipipeline.projects.models import Project
from assets.metadata import register_part
from assets.models import Environment
from shots.models import Casting, Scene, Shot, ShotStep
from shots.prompts import compose
from shots.prompts.compose import seed_of

_CHARACTER = (
    "name", "description", "default_clothing", "age", "role", "relations", "outfits", "color", "use_lora",
    "lora_strength", "trigger_words",
)  # fmt: skip
_ENVIRONMENT = (
    "name", "location", "interior", "time_of_day", "weather", "mood", "description", "prompt",
)  # fmt: skip
_SHOT = (
    "code", "description", "action", "dialogue", "emotion", "size", "angle", "movement", "duration_frames",
    "prompt", "negative_prompt", "seed", "workflow", "cut_in", "cut_out", "handles", "locked",
)  # fmt: skip


def register() -> None:
    register_part("project", _projects)
    register_part("scenario", lambda rows: {row.pk: {} for row in rows})
    register_part("edit", lambda rows: {row.pk: {} for row in rows})
    register_part("character", lambda rows: _fields(rows, _CHARACTER))
    register_part("environment", lambda rows: _fields(rows, _ENVIRONMENT))
    register_part("scene", _scenes)
    register_part("shot", _shots)


def _fields(rows: list[Any], names: tuple[str, ...]) -> dict[Any, dict[str, Any]]:
    return {row.pk: {"id": row.pk, **{name: getattr(row, name) for name in names}} for row in rows}


def _projects(rows: list[Project]) -> Mapping[Any, Mapping[str, Any]]:
    names = (
        "code",
        "title",
        "description",
        "fps",
        "width",
        "height",
        "steps",
        "engine",
        "naming",
        "language",
    )
    return _fields(rows, names)


def _scenes(rows: list[Scene]) -> Mapping[Any, Mapping[str, Any]]:
    environments = {e.pk: e.name for e in Environment.objects.filter(pk__in=[r.environment_id for r in rows])}
    return {
        row.pk: {
            "id": row.pk,
            "code": row.code,
            "number": row.number,
            "heading": row.heading,
            "synopsis": row.synopsis,
            "position": row.position,
            "environment": environments.get(row.environment_id or 0),
        }
        for row in rows
    }


def _shots(rows: list[Shot]) -> Mapping[Any, Mapping[str, Any]]:
    ids = [row.pk for row in rows]
    full = {
        s.pk: s for s in Shot.objects.filter(pk__in=ids).select_related("project", "scene", "environment", "preset")
    }
    casts: dict[int, list[Casting]] = {}
    for casting in Casting.objects.live().filter(shot__in=ids).select_related("character"):
        casts.setdefault(casting.shot_id, []).append(casting)
    steps: dict[int, dict[str, str]] = {}
    for step in ShotStep.objects.live().filter(shot__in=ids):
        steps.setdefault(step.shot_id, {})[step.step] = step.state
    facts = _fields(list(full.values()), _SHOT)
    for pk, shot in full.items():
        cast = casts.get(pk, [])
        facts[pk].update(
            scene=shot.scene.code if shot.scene else None,
            environment=shot.environment.name if shot.environment else None,
            preset=shot.preset.name if shot.preset else None,
            position=shot.position,
            fps=shot.project.fps,
            steps=steps.get(pk, {}),
            composed_prompt=compose(shot, cast).positive,
            used_seed=seed_of(shot),
            casting=[_casting(row) for row in cast],
        )
    return facts


def _casting(row: Casting) -> dict[str, Any]:
    names = ("outfit", "use_lora", "strength", "speaks", "order")
    return {"character": row.character.name, **{name: getattr(row, name) for name in names}}
