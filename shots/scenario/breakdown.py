"""Elements to a breakdown: characters, places, scenes, and shots as an assistant director would list them."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from assets import conditions
from shots.scenario import lexicon
from shots.scenario.elements import Element, detect_dialect, read_elements
from shots.scenario.headings import Heading
from shots.scenario.reading import ScriptText
from shots.scenario.shotlist import DraftShot, SceneText, shots_of_scene

NARRATOR = "나레이션"


@dataclass
class CharacterDraft:
    """`spans` are [first line, last line] of the places that tell of the character."""

    name: str
    description: str = ""
    clothing: list[str] = field(default_factory=list)
    age: str = ""
    role: str = ""
    relations: str = ""
    spans: list[list[int]] = field(default_factory=list)


@dataclass
class EnvironmentDraft:
    id: str
    location: str
    interior: bool | None
    time_of_day: str
    weather: str
    mood: str


@dataclass
class SceneDraft:
    number: str
    heading: str
    environment_ref: str
    span: list[int]


@dataclass
class Breakdown:
    """Everything that `./aip analyse` prints; durations in seconds, spans in lines from 1."""

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
    """Break a text down; always an answer, with warnings where the text says little. Deterministic."""
    dialect = detect_dialect(script.text, script.filename)
    elements, unused = read_elements(script.text, dialect)
    found = Breakdown(dialect=dialect)
    lines = script.text.split("\n")
    found.unused = [{"line": n, "text": lines[n - 1].strip()[:200]} for n in unused]
    if elements and elements[0].kind == "title":
        found.title = _title(elements[0].text)
    korean = lexicon.has_hangul(script.text)
    _characters(found, elements, korean)
    scenes = _scenes(found, elements)
    names = [c.name for c in found.characters]
    for scene in scenes:
        found.shots.extend(shots_of_scene(scene, names, korean=korean))
        if not scene.elements:
            found.warnings.append(
                _("Scene %(number)s is only a heading; it got one establishing shot.") % {"number": scene.number}
            )
    if not found.shots:
        found.warnings.append(_("There is nothing to film in this text."))
    found.dialogue = [
        {"character": e.character, "text": e.text, "line": e.first} for e in elements if e.kind == "speech" and e.text
    ]
    return found


def _title(text: str) -> str:
    match = re.search(r"(?:title|제목)\s*[:：]\s*(.+)", text, re.IGNORECASE)
    return match.group(1).strip(" _*")[:200] if match else ""


def _characters(found: Breakdown, elements: list[Element], korean: bool) -> None:
    by_name: dict[str, CharacterDraft] = {}
    heard: dict[str, list[bool]] = {}
    shown = " ".join(e.text for e in elements if e.kind in ("action", "insert"))
    for element in elements:
        if element.kind != "speech":
            continue
        name = re.sub(r"\s+", " ", element.character)
        draft = by_name.setdefault(name, CharacterDraft(name=name))
        draft.spans.append([element.first, element.last])
        heard.setdefault(name, []).append(element.voice_over)
        if element.detail:
            _take_detail(draft, element.detail)
    for name, draft in by_name.items():
        if all(heard[name]) and not lexicon.names_in(name, shown):
            draft.role = NARRATOR if korean else "voice-over"
    counts = {name: len(draft.spans) for name, draft in by_name.items()}
    speaking = [n for n in counts if by_name[n].role not in (NARRATOR, "voice-over")]
    if speaking:
        lead = max(speaking, key=lambda n: counts[n])
        by_name[lead].role = by_name[lead].role or ("주인공" if korean else "lead")
    for element in elements:
        if element.kind in ("action", "insert"):
            for name, draft in by_name.items():
                if not draft.description and lexicon.names_in(name, element.text):
                    _describe(draft, element)
    found.characters = list(by_name.values())


def _take_detail(draft: CharacterDraft, detail: str) -> None:
    """리나(손녀, 20세, 밝은 성격): an age, a relation, and the rest as description."""
    rest: list[str] = []
    for part in (p.strip() for p in re.split(r"[,/]", detail)):
        if not part:
            continue
        age = lexicon.age_of(part)
        if age:
            draft.age = draft.age or age
        elif re.fullmatch(
            r"(?:손녀|손자|아들|딸|엄마|어머니|아빠|아버지|할머니|할아버지|누나|언니|형|오빠|동생|친구|아내|남편|애인)",
            part,
        ):
            draft.relations = draft.relations or part
        elif len(part) <= 40:
            rest.append(part)
    if rest and not draft.description and ("성격" in detail or draft.age or draft.relations):
        draft.description = ", ".join(rest)


def _describe(draft: CharacterDraft, element: Element) -> None:
    """The first sentence that shows the character says how they look."""
    sentence = next(
        (s for s in re.split(r"(?<=[.!?])\s+", element.text) if lexicon.names_in(draft.name, s)), element.text
    )
    match = re.search(re.escape(draft.name) + r"\s*\(([^)]{1,60})\)", sentence)
    if match:
        _take_detail(draft, match.group(1))
    draft.description = draft.description or sentence.strip()[:240]
    draft.clothing = draft.clothing or lexicon.clothing_of(sentence)
    draft.age = draft.age or lexicon.age_of(sentence)
    draft.spans.append([element.first, element.last])


def _scenes(found: Breakdown, elements: list[Element]) -> list[SceneText]:
    scenes: list[SceneText] = []
    environments: dict[tuple[str, bool | None, str], EnvironmentDraft] = {}
    taken: set[str] = set()
    current: SceneText | None = None
    for element in elements:
        if element.kind == "heading" and element.heading is not None:
            number = _free_number(element.heading.number, taken, len(scenes) + 1)
            current = SceneText(
                number=number, heading=element.text, elements=[], spot=element.heading, line=element.first
            )
            scenes.append(current)
        elif element.kind in ("action", "insert", "speech"):
            if current is None:
                current = SceneText(number=_free_number("", taken, 1), heading="", elements=[], spot=None)
                scenes.append(current)
                found.warnings.append(_("The text before the first scene heading became a scene of its own."))
            current.elements.append(element)
    if len(scenes) == 1 and scenes[0].spot is None:
        found.warnings[:] = [_("No scene headings were found: everything is one default scene.")]
    for scene in scenes:
        environment = _environment(scene, environments)
        scene.environment_ref = environment.id
        last = scene.elements[-1].last if scene.elements else scene.line
        first = scene.line or scene.elements[0].first
        found.scenes.append(SceneDraft(scene.number, scene.heading, environment.id, [first, last]))
    found.environments = list(environments.values())
    return scenes


def _free_number(wanted: str, taken: set[str], place: int) -> str:
    number = wanted or str(place)
    while number in taken:
        # Chapters restart their numbers; scene 1 of the second chapter becomes 1-2.
        stem, _dash, tail = number.partition("-")
        number = f"{stem}-{int(tail) + 1 if tail.isdigit() else 2}"
    taken.add(number)
    return number


def _environment(scene: SceneText, known: dict[tuple[str, bool | None, str], EnvironmentDraft]) -> EnvironmentDraft:
    spot = scene.spot or Heading("", "", "", None, "")
    action = " ".join(e.text for e in scene.elements if e.kind in ("action", "insert"))[:4000]
    location = re.sub(r"\s+", " ", spot.location) or _("Unnamed place")
    key = (location.casefold(), spot.interior, str(conditions.time_of_day(spot.time) or spot.time))
    weather = conditions.weather(f"{spot.text} {action}")
    mood = ", ".join([*spot.notes[:2], *_moods(action)])[:120]
    if key in known:
        draft = known[key]
        draft.weather = draft.weather or (str(weather) if weather else "")
        return draft
    known[key] = EnvironmentDraft(
        id=f"ENV-{len(known) + 1:03d}",
        location=location,
        interior=spot.interior,
        time_of_day=spot.time,
        weather=str(weather) if weather else "",
        mood=mood,
    )
    return known[key]


def _moods(action: str) -> list[str]:
    word = lexicon.emotion_of(action, korean=lexicon.has_hangul(action))
    return [word] if word else []
