"""Elements to a breakdown: characters, places, scenes, and shots as an assistant director would list them."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from shots.scenario import lexicon
from shots.scenario.characters import Cast, CharacterDraft
from shots.scenario.elements import FILMED, Element, detect_dialect, read_elements
from shots.scenario.headings import Heading
from shots.scenario.places import EnvironmentDraft, Places, SceneText
from shots.scenario.reading import ScenarioError, ScriptText
from shots.scenario.shotlist import DraftShot, shots_of_scene

MOST_SHOTS = 10_000
_NOWHERE = Heading("", "", "", None, "")


@dataclass
class SceneDraft:
    number: str
    heading: str
    environment_ref: str
    span: list[int]


@dataclass
class Breakdown:
    """Everything that `./aip analyse` prints; durations in seconds, spans in lines from 1.

    Each line of the text is in the span of a shot, the line of a scene's heading, or in `unused`.
    """

    dialect: str
    title: str = ""
    characters: list[CharacterDraft] = field(default_factory=list)
    environments: list[EnvironmentDraft] = field(default_factory=list)
    scenes: list[SceneDraft] = field(default_factory=list)
    dialogue: list[dict[str, Any]] = field(default_factory=list)
    shots: list[DraftShot] = field(default_factory=list)
    unused: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form of the analyse contract."""
        return asdict(self)


def analyse(script: ScriptText) -> Breakdown:
    """Break a text down; always an answer, with warnings where the text says little. Deterministic.

    ScenarioError for more than MOST_SHOTS shots: no production has as many, and pages are made for that many.
    """
    dialect = detect_dialect(script.text, script.filename)
    elements = read_elements(script.text, dialect)
    korean = lexicon.mostly_korean(script.text)
    found = Breakdown(dialect=dialect, title=_title(elements))
    cast = Cast(elements, korean=korean)
    places = Places(korean=korean)
    bare: list[str] = []
    before: list[str] = []
    for scene in _scenes(elements, found.warnings):
        scene.before = before
        places.settle(scene)
        shots = shots_of_scene(scene, cast, korean=korean)
        found.shots.extend(shots)
        if len(found.shots) > MOST_SHOTS:
            raise ScenarioError(
                str(_("The text has more than %(limit)s shots. Send it in parts, for example episode by episode."))
                % {"limit": MOST_SHOTS}
            )
        seen = [name for shot in reversed(shots[-6:]) for name in shot.characters]
        before = list(dict.fromkeys([*seen, *before]))[:6]
        if not any(e.kind in FILMED and e.text for e in scene.elements):
            bare.append(scene.number)
        last = max((e.last for e in scene.elements), default=scene.line)
        first = scene.line or scene.elements[0].first
        found.scenes.append(SceneDraft(scene.number, scene.heading, scene.environment_ref, [first, last]))
    found.characters = list(cast.drafts.values())
    found.environments = places.drafts
    found.dialogue = [
        {"character": cast.name_of(e.character), "text": e.text, "line": e.first}
        for e in elements
        if e.kind == "speech" and e.text
    ]
    found.unused = _unused(script.text, found, elements)
    if bare:
        found.warnings.append(
            _("Only a heading, so one establishing shot each: scene %(numbers)s.") % {"numbers": _listed(bare)}
        )
    if not found.shots:
        found.warnings.append(_("There is nothing to film in this text."))
    return found


def _listed(numbers: Sequence[str]) -> str:
    return ", ".join(numbers[:20]) + (" …" if len(numbers) > 20 else "")


def _title(elements: Sequence[Element]) -> str:
    if not elements or elements[0].kind != "title":
        return ""
    match = re.search(
        r"^\s*(?:title|제목|작품명)\s*[:：][ \t]*(.*(?:\n(?:\t| {3,}).*)*)", elements[0].text, re.I | re.M
    )
    return re.sub(r"[*_\s]+", " ", match.group(1)).strip()[:200] if match else ""


def _scenes(elements: Sequence[Element], warnings: list[str]) -> list[SceneText]:
    scenes: list[SceneText] = []
    numbers = _Numbers()
    for element in elements:
        if element.kind == "heading" and element.heading is not None:
            number = numbers.free(element.heading.number, len(scenes) + 1)
            scenes.append(SceneText(number, element.text, element.first, len(scenes), element.heading))
        elif element.kind in FILMED:
            if not scenes:
                scenes.append(SceneText(numbers.free("", 1), "", 0, 0, _NOWHERE))
            scenes[-1].elements.append(element)
    if scenes and not scenes[0].heading:
        warnings.append(
            _("No scene headings were found: everything is one default scene.")
            if len(scenes) == 1
            else _("The text before the first scene heading became a scene of its own.")
        )
    return scenes


class _Numbers:
    """Scene numbers, made unique: chapters restart theirs, so scene 1 of the second chapter becomes 1-2."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def free(self, wanted: str, place: int) -> str:
        number = (wanted or str(place)).rstrip(".")[:16]
        self._seen[number] = self._seen.get(number, 0) + 1
        while self._seen[number] > 1:
            repeated = f"{number}-{self._seen[number]}"
            if repeated not in self._seen:
                self._seen[repeated] = 1
                return repeated
            self._seen[number] += 1
        return number


def _unused(text: str, found: Breakdown, elements: Sequence[Element]) -> list[dict[str, Any]]:
    """Lines that no shot and no scene heading carries, each with the reason: its kind, or "note"."""
    kinds: dict[int, str] = {}
    for element in elements:
        for line in range(element.first, element.last + 1):
            kinds[line] = element.kind
    carried = {e.first for e in elements if e.kind == "heading"}
    for first, last in {(shot.span[0], shot.span[1]) for shot in found.shots}:
        carried.update(n for n in range(first, last + 1) if kinds.get(n) in FILMED)
    return [
        {"line": n, "text": line.strip()[:200], "kind": kinds.get(n, "note")}
        for n, line in enumerate(text.split("\n"), 1)
        if line.strip() and n not in carried
    ]
