"""Where it plays: headings merged to environments, with weather and mood from the action."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from assets import conditions
from shots.scenario import lexicon
from shots.scenario.elements import Element
from shots.scenario.headings import Heading


@dataclass
class EnvironmentDraft:
    """`time_of_day` as the heading writes it, `weather` in the script's language, or empty."""

    id: str
    location: str
    interior: bool | None
    time_of_day: str
    weather: str
    mood: str


@dataclass
class SceneText:
    """A scene as it stands in the script; `index` counts from 0, `new_place` when the script was not there before.

    `before` names whom the scenes before showed last, newest first: "they" of a first line means them.
    """

    number: str
    heading: str
    line: int
    index: int
    spot: Heading
    elements: list[Element] = field(default_factory=list)
    environment_ref: str = ""
    new_place: bool = True
    before: list[str] = field(default_factory=list)


class Places:
    """Environments by normalised location, side and time; ids count up in story order."""

    def __init__(self, *, korean: bool) -> None:
        self.korean = korean
        self.drafts: list[EnvironmentDraft] = []
        self._known: dict[tuple[str, bool | None, str], EnvironmentDraft] = {}
        self._last_time = ""

    def settle(self, scene: SceneText) -> None:
        """Give the scene its environment, a new one or one that the script was in before."""
        spot = scene.spot
        time = spot.time or (self._last_time if spot.continues else "")
        self._last_time = time
        location = re.sub(r"\s+", " ", spot.location) or ("이름 없는 장소" if self.korean else "Unnamed place")
        key = (
            re.sub(r"\W", "", location).casefold(),
            spot.interior,
            str(conditions.time_of_day(time) or time.casefold()),
        )
        weather, moods = self._air(scene)
        known = self._known.get(key)
        scene.new_place = known is None
        if known is None:
            known = EnvironmentDraft(
                f"ENV-{len(self.drafts) + 1:03d}", location[:160], spot.interior, time, weather, ""
            )
            self._known[key] = known
            self.drafts.append(known)
        known.weather = known.weather or weather
        told = [m for m in known.mood.split(", ") if m]
        known.mood = ", ".join(dict.fromkeys([*told, *moods]))[:120]
        scene.environment_ref = known.id

    def _air(self, scene: SceneText) -> tuple[str, list[str]]:
        told = _action(scene.elements)
        heading = " ".join((scene.spot.text, *scene.spot.notes))
        found = conditions.weather(heading) or conditions.weather(told)
        moods = list(scene.spot.notes[:2])
        if scene.spot.flashback and not any("회상" in m or "flashback" in m.lower() for m in moods):
            moods.append("회상" if self.korean else "flashback")
        spoken = " ".join(e.manner for e in scene.elements if e.kind == "speech")[:1000]
        feeling = lexicon.emotion_of(f"{told} {spoken}", korean=self.korean)
        word = conditions.word_for(found, korean=self.korean) if found else ""
        return word, [*moods, feeling] if feeling else moods


def _action(elements: Sequence[Element]) -> str:
    return " ".join(e.text[:2000] for e in elements[:60] if e.kind in ("action", "insert"))[:6000]
