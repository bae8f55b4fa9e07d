"""What a reference picture of a character or an environment shows: its prompt, and its facts as plain data."""

import hashlib
from typing import Any

from assets.models import Character, Environment
from shots.prompts.compose import color_of

_CHARACTER = ("name", "role", "age", "description", "default_clothing", "relations")
_ENVIRONMENT = ("name", "location", "interior", "time_of_day", "weather", "mood", "description")


def reference_prompt(owner: Character | Environment) -> str:
    """The words for an engine that paints: a character sheet, or an empty plate of the place."""
    if isinstance(owner, Character):
        triggers = owner.trigger_words if owner.use_lora else ""
        words = ["character sheet, full body, front and side view, plain background", triggers, owner.name, owner.age]
        words += [owner.description, owner.default_clothing]
    else:
        own = owner.prompt or owner.location or owner.name
        words = ["empty environment, no people", own, owner.time_of_day, owner.weather, owner.mood, owner.description]
    return ", ".join(word.strip() for word in words if word.strip())


def reference_subject(owner: Character | Environment) -> dict[str, Any]:
    """The row as plain data, for engines that draw it themselves; `of` says which of the two it is."""
    if isinstance(owner, Character):
        facts = {name: getattr(owner, name) for name in _CHARACTER}
        return {"of": "character", **facts, "color": color_of(owner)}
    return {"of": "environment", **{name: getattr(owner, name) for name in _ENVIRONMENT}}


def reference_seed(owner: Character | Environment) -> int:
    """A stable seed by kind and row."""
    digest = hashlib.sha256(f"{type(owner).__name__}/{owner.pk}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
