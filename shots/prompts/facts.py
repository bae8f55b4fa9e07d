"""What the rows of a shot, a character or an environment say, field by field, before any dialect arranges it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assets.conditions import time_of_day, weather, word_for
from assets.models import Character, Environment
from shots.choices import Angle, Movement, ShotSize
from shots.models import Casting, Shot
from shots.prompts import words
from shots.prompts.language import cleaned, is_foreign

# Of longer texts nothing behind this is looked at: no model reads a tenth of it.
LONGEST = 20_000
_ENDS = re.compile(r"[\s.,;:、。，]+$")
_FAMILY_OF_MODEL = (
    ("kontext", {"flux", "edit"}), ("flux", {"flux", "edit"}), ("qwen", {"qwen", "edit"}), ("wan", {"wan"}),
    ("ltx", {"ltx"}), ("sd", {"sd", "edit"}), ("stable", {"sd", "edit"}),
)  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """One field's words. `written`: the text as it stands in the row when `words` are not the same.

    `key` says what it is to a dialect ("size", "worn", …), `cast` the place of its character in the cast, from 0.
    """

    key: str
    source: str
    words: str
    field: str = ""
    kind: str = ""
    row: int = 0
    written: str = ""
    cast: int = -1


class Reader:
    """Reads fields with their translations, and keeps the texts that are not in English."""

    def __init__(self, wordings: Mapping[str, str]) -> None:
        self._wordings = wordings
        self.texts: list[str] = []
        self.untranslated: list[str] = []
        # Those that the vocabulary of conditions says; a person may have said it better.
        self.known: list[str] = []

    def read(self, text: str, *, condition: str = "") -> tuple[str, str]:
        """(words, written): the words to use, and the row's own text when they are another one."""
        whole = cleaned(text[:LONGEST])
        if not is_foreign(whole):
            return _ENDS.sub("", whole), ""
        if found := self._wordings.get(whole):
            self.texts.append(whole)
            return _ENDS.sub("", cleaned(found)), whole
        if known := _condition(whole, condition):
            self.known.append(whole)
            return known, whole
        self.texts.append(whole)
        self.untranslated.append(whole)
        return _ENDS.sub("", whole), whole

    def whole(self, text: str) -> tuple[str, str]:
        """A text that people laid out themselves: as it is, lines and all, or its translation."""
        key = cleaned(text)
        if not is_foreign(key):
            return text.strip(), ""
        self.texts.append(key)
        if found := self._wordings.get(key):
            return found.strip(), key
        self.untranslated.append(key)
        return text.strip(), key


def _condition(text: str, condition: str) -> str:
    """Times of day and weathers are a vocabulary: they need no translation."""
    found = time_of_day(text) if condition == "time" else weather(text) if condition == "weather" else None
    return word_for(found, korean=False) if found else ""


def facts_of_shot(shot: Shot, cast: Sequence[Casting], reader: Reader, *, family: str) -> list[Fact]:
    """Everything that a shot's rows say to a model of this family; empty fields give no fact."""
    facts = [
        Fact("size", "camera", words.SIZES[ShotSize(shot.size)], "shot.size", "shot", shot.pk),
        Fact("angle", "camera", words.ANGLES[Angle(shot.angle)], "shot.angle", "shot", shot.pk),
        *_texts(reader, "shot", "shot", shot, ("description", "action")),
    ]
    if same(facts, "description", "action"):
        facts = [fact for fact in facts if fact.key != "action"]
    people: list[Fact] = []
    for place, casting in enumerate(cast):
        people += facts_of_casting(casting, reader, place, family)
    facts += people
    names = {fact.cast: fact.words for fact in people if fact.key == "name"}
    facts += _speech(shot, [names[n] for n, row in enumerate(cast) if row.speaks and n in names])
    facts += _texts(reader, "emotion", "shot", shot, ("emotion",))
    scene = shot.scene
    environment = shot.environment or (scene.environment if scene else None)
    if environment:
        facts += facts_of_environment(environment, reader)
    if shot.preset:
        names_of_look = ("camera", "lens", "film_stock", "lighting", "filters")
        facts += _texts(reader, "preset", "preset", shot.preset, names_of_look)
    move = words.MOVES.get(Movement(shot.movement), words.STILL)
    move = words.HANDHELD if shot.movement == Movement.HANDHELD else move
    return [*facts, Fact("movement", "movement", move, "shot.movement", "shot", shot.pk)]


def facts_of_casting(casting: Casting, reader: Reader, place: int, family: str) -> list[Fact]:
    """A character as it plays here: the casting's outfit and LoRA before the character's own."""
    character = casting.character
    strength = casting.effective_strength
    facts = facts_of_character(character, reader, place, triggers=bool(strength) and lora_fits(character, family))
    field = "casting.outfit" if casting.outfit else "character.default_clothing"
    return [*facts, *person_fact(character, reader, place, "worn", casting.worn, field)]


def facts_of_character(character: Character, reader: Reader, place: int, *, triggers: bool) -> list[Fact]:
    """Who somebody is; what they wear is the caller's to add."""
    facts: list[Fact] = []
    if triggers and (found := trigger_words(character)):
        facts.append(Fact("trigger", character.name, found, "character.trigger_words", "character", character.pk,
                          cast=place))  # fmt: skip
    for key in ("name", "age", "description"):
        as_key = "looks" if key == "description" else key
        facts += person_fact(character, reader, place, as_key, getattr(character, key), f"character.{key}")
    return facts


def person_fact(character: Character, reader: Reader, place: int, key: str, text: str, field: str) -> list[Fact]:
    if not text.strip():
        return []
    found, written = reader.read(text)
    return [Fact(key, character.name, found, field, "character", character.pk, written, place)]


def trigger_words(character: Character) -> str:
    """The character's own, and those of its LoRA file that are not among them; never translated."""
    found: dict[str, str] = {}
    for text in (character.trigger_words, character.lora.trigger_words if character.lora else ""):
        for part in filter(None, map(cleaned, text.split(","))):
            found.setdefault(part.casefold(), part)
    return ", ".join(found.values())


def lora_fits(character: Character, family: str) -> bool:
    """False when the library says that the character's LoRA was made for another model; unsaid counts as fitting."""
    base = character.lora.base_model.casefold() if character.lora else ""
    made_for = next((families for name, families in _FAMILY_OF_MODEL if name in base), None)
    return made_for is None or family in made_for or family in ("", "none")


def facts_of_environment(environment: Environment, reader: Reader) -> list[Fact]:
    """A place at a time. Its own prompt says it best, else the location, else its name."""
    field = next((name for name in ("prompt", "location", "name") if getattr(environment, name).strip()), "name")
    facts = []
    if environment.interior is not None:
        inside = "interior" if environment.interior else "exterior"
        facts.append(Fact("interior", "environment", inside, "environment.interior", "environment", environment.pk))
    named = (
        ("place", field, ""), ("time", "time_of_day", "time"), ("weather", "weather", "weather"), ("mood", "mood", ""),
        ("around", "description", ""),
    )  # fmt: skip
    for key, name, condition in named:
        if text := getattr(environment, name).strip():
            found, written = reader.read(text, condition=condition)
            facts.append(Fact(key, "environment", found, f"environment.{name}", "environment", environment.pk, written))
    if same(facts, "place", "around"):
        facts = [fact for fact in facts if fact.key != "around"]
    return facts


def _texts(reader: Reader, source: str, kind: str, row: Any, names: Sequence[str]) -> list[Fact]:
    facts = []
    for name in names:
        if text := getattr(row, name).strip():
            found, written = reader.read(text)
            facts.append(Fact(name, source, found, f"{kind}.{name}", kind, row.pk, written))
    return facts


def _speech(shot: Shot, speakers: list[str]) -> list[Fact]:
    if not shot.dialogue.strip() or not speakers:
        return []
    who = " and ".join(speakers) if len(speakers) < 3 else f"{', '.join(speakers[:-1])} and {speakers[-1]}"
    said = f"{who} {'is' if len(speakers) == 1 else 'are'} speaking"
    return [Fact("speech", "dialogue", said, "shot.dialogue", "shot", shot.pk)]


def same(facts: Sequence[Fact], one: str, other: str) -> bool:
    """True when two facts are there and say the same."""
    found = {fact.key: fact.words.casefold() for fact in facts if fact.key in (one, other)}
    return len(found) == 2 and found[one] == found[other]
