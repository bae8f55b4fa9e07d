"""Prompts put together from the shot's own rows: deterministic, and every word's source is known."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from assets.models import Character
from shots.choices import Angle, Movement, ShotSize
from shots.models import Casting, Shot

_SIZE_WORDS = {
    ShotSize.ECU: "extreme close-up", ShotSize.CU: "close-up", ShotSize.MCU: "medium close-up",
    ShotSize.MS: "medium shot", ShotSize.MWS: "medium wide shot", ShotSize.WS: "wide shot",
    ShotSize.EWS: "extreme wide shot", ShotSize.INSERT: "insert shot of a detail",
}  # fmt: skip
_ANGLE_WORDS = {
    Angle.EYE: "eye level", Angle.LOW: "low angle", Angle.HIGH: "high angle", Angle.OVERHEAD: "overhead view",
    Angle.DUTCH: "dutch angle", Angle.OTS: "over-the-shoulder", Angle.POV: "point of view",
}  # fmt: skip
_MOVE_WORDS = {
    Movement.PAN_LEFT: "the camera pans left", Movement.PAN_RIGHT: "the camera pans right",
    Movement.TILT_UP: "the camera tilts up", Movement.TILT_DOWN: "the camera tilts down",
    Movement.PUSH_IN: "the camera slowly pushes in", Movement.PULL_OUT: "the camera slowly pulls out",
    Movement.TRACK_LEFT: "the camera tracks left", Movement.TRACK_RIGHT: "the camera tracks right",
    Movement.CRANE_UP: "the camera rises", Movement.CRANE_DOWN: "the camera descends",
    Movement.HANDHELD: "handheld camera", Movement.ORBIT: "the camera orbits the subject",
}  # fmt: skip
_PALETTE = ("#e0875a", "#5aa9e0", "#8fbf6a", "#c78be0", "#e0c15a", "#e06a8b", "#5ac7b4", "#a69a8b")


# Where a prompt's words can come from.
SOURCES = {
    "camera": gettext_lazy("Camera"),
    "shot": gettext_lazy("Shot"),
    "environment": gettext_lazy("Environment"),
    "preset": gettext_lazy("Cinematic preset"),
    "emotion": gettext_lazy("Emotion"),
    "movement": gettext_lazy("Camera movement"),
}


@dataclass(frozen=True)
class Prompt:
    """`parts` says where the words came from: a key of SOURCES or a character's name, and the words."""

    positive: str
    negative: str
    parts: tuple[tuple[str, str], ...]


def compose(shot: Shot, cast: list[Casting], *, motion: bool = False) -> Prompt:
    """The prompt of a shot: its own text when a person wrote one, else built from its rows."""
    if shot.prompt.strip():
        return Prompt(shot.prompt.strip(), shot.negative_prompt.strip(), (("shot", shot.prompt.strip()),))
    parts: list[tuple[str, str]] = [
        ("camera", f"{_SIZE_WORDS[ShotSize(shot.size)]}, {_ANGLE_WORDS[Angle(shot.angle)]}")
    ]
    parts.append(("shot", _joined(shot.description, shot.action)))
    for casting in cast:
        parts.append((casting.character.name, _character_words(casting)))
    if shot.environment:
        e = shot.environment
        words = (e.prompt or e.location or e.name, e.time_of_day, e.weather, e.mood, e.description)
        parts.append(("environment", ", ".join(w for w in words if w)))
    if shot.preset:
        p = shot.preset
        parts.append(("preset", ", ".join(w for w in (p.camera, p.lens, p.film_stock, p.lighting, p.filters) if w)))
    if shot.emotion:
        parts.append(("emotion", shot.emotion))
    if motion and (words_of_move := _MOVE_WORDS.get(Movement(shot.movement))):
        parts.append(("movement", words_of_move))
    parts = [(source, words) for source, words in parts if words]
    return Prompt(_joined(*(words for _, words in parts)), shot.negative_prompt.strip(), tuple(parts))


def _joined(*texts: str) -> str:
    """Sentences after one another, each once and with one full stop between."""
    sentences = dict.fromkeys(text.strip().rstrip(".") for text in texts)
    return ". ".join(sentence for sentence in sentences if sentence)


def _character_words(casting: Casting) -> str:
    c = casting.character
    triggers = c.trigger_words if (c.use_lora if casting.use_lora is None else casting.use_lora) else ""
    return ", ".join(w for w in (triggers, c.name, c.age, c.description, casting.worn) if w)


def color_of(character: Character) -> str:
    """The character's own colour, or one by the order in which the project's characters were made."""
    return character.color or _PALETTE[character.pk % len(_PALETTE)]


def seed_of(shot: Shot) -> int:
    """The shot's seed, or a stable one by the project's and the shot's code: the same in every database."""
    if shot.seed is not None:
        return shot.seed
    digest = hashlib.sha256(f"{shot.project.code}/{shot.code}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def subject_of(shot: Shot, cast: list[Casting]) -> dict[str, Any]:
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
