"""Shots, characters and environments as plain data, for engines that draw them themselves; colours and seeds."""

import hashlib
from collections.abc import Sequence
from typing import Any

from assets.models import Character, Environment
from shots.models import Casting, Shot

_PALETTE = ("#e0875a", "#5aa9e0", "#8fbf6a", "#c78be0", "#e0c15a", "#e06a8b", "#5ac7b4", "#a69a8b")
_CHARACTER = ("name", "role", "age", "description", "default_clothing", "relations")
_ENVIRONMENT = ("name", "location", "interior", "time_of_day", "weather", "mood", "description")


def color_of(character: Character) -> str:
    """The character's own colour, or one by the order in which the project's characters were made."""
    return character.color or _PALETTE[character.pk % len(_PALETTE)]


def seed_of(shot: Shot) -> int:
    """The shot's seed, or a stable one by the project's and the shot's code: the same in every database."""
    return shot.seed if shot.seed is not None else _seed(f"{shot.project.code}/{shot.code}")


def reference_seed(owner: Character | Environment) -> int:
    """A stable seed by kind and row."""
    return _seed(f"{type(owner).__name__}/{owner.pk}")


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def subject_of(shot: Shot, cast: Sequence[Casting]) -> dict[str, Any]:
    """The shot as plain data, for engines that draw it themselves."""
    environment = shot.environment or (shot.scene.environment if shot.scene else None)
    return {
        "code": shot.code,
        "scene_code": shot.scene.code if shot.scene else "",
        "project_title": shot.project.title,
        "size": shot.size,
        "angle": shot.angle,
        "movement": shot.movement,
        "description": shot.description,
        "action": shot.action,
        "dialogue": shot.dialogue,
        "emotion": shot.emotion,
        "characters": [
            {
                "name": row.character.name,
                "color": color_of(row.character),
                "speaking": row.speaks,
                "description": row.character.description,
                "outfit": row.worn,
            }
            for row in cast
        ],
        "location": (environment.location or environment.name) if environment else "",
        "interior": environment.interior if environment else None,
        "time_of_day": environment.time_of_day if environment else "",
        "weather": environment.weather if environment else "",
        "mood": environment.mood if environment else "",
        "duration_frames": shot.duration_frames,
        "fps": shot.project.fps,
        "camera": shot.preset.camera if shot.preset else "",
    }


def reference_subject(owner: Character | Environment) -> dict[str, Any]:
    """The row as plain data, for engines that draw it themselves; `of` says which of the two it is."""
    if isinstance(owner, Character):
        facts = {name: getattr(owner, name) for name in _CHARACTER}
        return {"of": "character", **facts, "color": color_of(owner)}
    return {"of": "environment", **{name: getattr(owner, name) for name in _ENVIRONMENT}}
