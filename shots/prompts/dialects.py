"""How each family of models wants to be spoken to: which facts, in which order, with which words between.

Every dialect gives sentences of pieces, each with a weight; `shots.prompts.fitting` lays them out and cuts what is too
long, the lightest first.
"""

import re
from collections.abc import Callable, Sequence

from shots.prompts import words
from shots.prompts.facts import Fact
from shots.prompts.fitting import Piece

# What a shot cannot do without is heaviest. A second character weighs a little less than the first.
WEIGHTS = {
    "trigger": 100, "description": 95, "action": 92, "movement": 90, "name": 86, "size": 80, "place": 78, "time": 72,
    "worn": 70, "looks": 68, "weather": 65, "keep": 60, "age": 58, "lighting": 56, "emotion": 55, "angle": 50,
    "mood": 45, "interior": 42, "around": 40, "speech": 35, "camera": 30, "lens": 28, "film_stock": 25, "filters": 20,
    "quality": 10,
}  # fmt: skip
_TAG = re.compile(r"[,;.\n、。，]+")
Sentences = list[list[Piece]]


class Arranger:
    """Takes facts out by key and makes pieces of them."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = facts
        self.cast = sorted({fact.cast for fact in facts if fact.cast >= 0})

    def one(self, key: str, *, cast: int = -1, lead: str = ", ", opening: str = "", tail: str = "") -> list[Piece]:
        return [
            Piece(fact, fact.words, WEIGHTS[key] - min(max(fact.cast, 0), 9), lead, opening, tail)
            for fact in self.facts
            if fact.key == key and fact.cast == cast
        ]

    def some(self, *keys: str, cast: int = -1, opening: str = "") -> list[Piece]:
        return [piece for key in keys for piece in self.one(key, cast=cast, opening=opening)]

    def following(self, lead: str, opening: str) -> list[Piece]:
        """The action after the description, in the same breath; the action as it is when there is no description."""
        after, names = bool(self.one("description")), tuple(self.names())
        return [
            Piece(p.fact, _follows(p.words, names), p.weight, lead, opening) if after else p
            for p in self.one("action", opening="" if opening == "Then " else opening)
        ]

    def names(self) -> list[str]:
        return [fact.words for fact in self.facts if fact.key == "name"]

    def camera(self) -> Sentences:
        """What it is photographed with, how it is lit, what stands before the lens."""
        return [
            self.some("camera", "lens", "film_stock", opening="Shot on "),
            self.one("lighting", opening="Lighting: "),
            self.one("filters", opening="Filters: "),
        ]

    def person(self, cast: int, *keys: str) -> list[Piece]:
        found = self.some(*keys, cast=cast)
        return found + self.one("worn", cast=cast, lead=", wearing ", opening="Wearing ")

    def people(self, *keys: str) -> Sentences:
        return [self.person(cast, *keys) for cast in self.cast]

    def feeling(self) -> list[Piece]:
        return [*self.one("speech"), *self.one("emotion", opening="The emotion is ")]

    def setting(self, *keys: str) -> list[Piece]:
        found = self.some(*keys, opening="The setting is ")
        mood = self.one("mood", opening="The mood is ")
        if found and mood and not mood[0].words.casefold().endswith("mood"):
            mood = self.one("mood", tail=" mood")
        return found + mood


def own(key: str, text: str) -> Piece:
    """Words that no row says: the model's own vocabulary."""
    return Piece(Fact(key, "dialect", text), text, WEIGHTS[key])


def flux(a: Arranger) -> Sentences:
    return [
        a.some("size", "angle"),
        a.one("description"),
        a.one("action"),
        *a.people("trigger", "name", "age", "looks"),
        a.feeling(),
        a.setting("interior", "place", "time", "weather", "around"),
        *a.camera(),
    ]


def qwen(a: Arranger) -> Sentences:
    return [
        a.one("description"),
        a.one("action"),
        *a.people("trigger", "name", "age", "looks"),
        a.feeling(),
        a.setting("interior", "place", "time", "weather", "around"),
        a.some("size", "angle"),
        *a.camera(),
        [own("quality", words.QUALITY["qwen"])],
    ]


def sd(a: Arranger) -> Sentences:
    """Tags: quality, trigger words, framing, people, what happens, feeling, place, photography; each tag once."""
    ordered = [own("quality", words.QUALITY["sd"])]
    ordered += [piece for cast in a.cast for piece in a.one("trigger", cast=cast)]
    ordered += a.some("size", "angle")
    for cast in a.cast:
        ordered += a.some("name", "age", "looks", "worn", cast=cast)
    ordered += a.some("action", "description", "emotion")
    ordered += a.some("place", "interior", "time", "weather", "mood", "around")
    ordered += a.some("lighting", "camera", "lens", "film_stock", "filters")
    seen: set[str] = set()
    tags: list[Piece] = []
    for piece in ordered:
        for tag in filter(None, (part.strip() for part in _TAG.split(piece.words))):
            if tag.casefold() not in seen:
                seen.add(tag.casefold())
                tags.append(Piece(piece.fact, tag, piece.weight))
    return [tags]


def edit(a: Arranger) -> Sentences:
    """An instruction: what shall be another than in the picture, and what shall stay."""
    framing = [
        Piece(piece.fact, words.with_article(piece.words), piece.weight, piece.lead, "Frame it as ")
        if piece.fact.key == "size"
        else Piece(piece.fact, piece.words, piece.weight, piece.lead, "Frame it from: ")
        for piece in a.some("size", "angle")
    ]
    names = a.names()
    shows = a.one("description", opening="Change the picture so that it shows this: ")
    shows += a.following("; then ", "Change the picture so that this happens in it: ")
    kept = f"Keep the faces, hair and bodies of {', '.join(names)} as they are" if names else ""
    people = []
    for cast in a.cast:
        found = a.some("trigger", "name", cast=cast)
        people.append(found + a.one("worn", cast=cast, lead=" wears ", opening="They wear "))
    return [
        shows,
        *[person for person in people if any(piece.fact.key in ("worn", "trigger") for piece in person)],
        a.one("emotion", opening="The expression is "),
        a.some("place", "time", "weather", "mood", opening="Set it in: "),
        framing,
        a.one("lighting", opening="Light it like this: "),
        a.some("film_stock", "filters", opening="Give it the look of "),
        [own("keep", kept or "Keep everything else as it is")],
    ]


def wan(a: Arranger) -> Sentences:
    """The first picture shows how it looks; this says how it moves: the subject, then the camera."""
    return [
        a.one("description"),
        a.one("action"),
        a.feeling(),
        a.one("movement"),
        a.some("size", "angle"),
        *a.people("trigger", "name"),
        a.setting("place", "time", "weather"),
        a.one("lighting", opening="Lighting: "),
    ]


def ltx(a: Arranger) -> Sentences:
    """One paragraph in the present tense, in order of time: the frame, what happens, who and where, the camera."""
    return [
        a.some("size", "angle"),
        a.one("description"),
        a.following("", "Then "),
        a.feeling(),
        *a.people("trigger", "name", "age", "looks"),
        a.setting("interior", "place", "time", "weather", "around"),
        a.one("lighting", opening="Lighting: "),
        a.one("movement"),
    ]


def _follows(text: str, names: tuple[str, ...]) -> str:
    """The words inside a sentence: a small letter unless they begin with a name or an abbreviation."""
    if text.startswith(names) or len(text) < 2 or not text[1].islower():
        return text
    return text[0].lower() + text[1:]


DIALECTS: dict[str, Callable[[Arranger], Sentences]] = {
    "flux": flux, "sd": sd, "qwen": qwen, "edit": edit, "wan": wan, "ltx": ltx,
}  # fmt: skip


def reference(facts: Sequence[Fact], family: str) -> Sentences:
    """A character sheet, or an empty plate of a place: the same words for all, as prose or as tags."""
    a = Arranger(facts)
    if a.cast:
        about = [own("keep", words.SHEET), *a.some("trigger", "name", "age", "looks", cast=0)]
        about += a.one("worn", cast=0, lead=", wearing " if family != "sd" else ", ")
    else:
        about = [own("keep", words.PLATE), *a.some("interior", "place", "time", "weather", "mood", "around")]
    quality = [own("quality", words.QUALITY[family])] if family in words.QUALITY else []
    return [quality + about] if family == "sd" else [about, quality]
