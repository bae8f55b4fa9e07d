"""One scene's elements to shots: a wide for a new place, coverage for exchanges, inserts for details."""

import re
from dataclasses import dataclass, field
from typing import Any

from shots.choices import Angle, Movement, ShotSize
from shots.scenario import lexicon
from shots.scenario.elements import Element
from shots.scenario.headings import Heading

MIN_SECONDS, MAX_SECONDS = 1.5, 12.0
SPEECH_LIMIT = 7.0
ACTION_LIMIT = 9.0
_SENTENCE = re.compile(r"(?<=[.!?。…])\s+")


@dataclass
class SceneText:
    """A scene as it stands in the script."""

    number: str
    heading: str
    elements: list[Element]
    spot: Heading | None
    environment_ref: str = ""
    line: int = 0


@dataclass
class DraftShot:
    """A row of the draft; `suggested_duration` in seconds, `span` in lines from 1."""

    scene: str
    shot_number: int
    description: str
    action: str
    emotion: str
    suggested_camera: str
    suggested_duration: float
    environment_ref: str
    span: list[int]
    size: str = ShotSize.MS
    angle: str = Angle.EYE
    movement: str = Movement.STATIC
    dialogue: list[dict[str, Any]] = field(default_factory=list)
    characters: list[str] = field(default_factory=list)


@dataclass
class Beat:
    """What one shot has to show: some action, some speeches, or both."""

    action: list[str] = field(default_factory=list)
    speeches: list[Element] = field(default_factory=list)
    first: int = 0
    last: int = 0
    insert: bool = False

    def seconds(self) -> float:
        acted = sum(lexicon.acted_seconds(text) for text in self.action)
        said = sum(lexicon.spoken_seconds(e.text) for e in self.speeches)
        return max(acted, said) if said and acted < 3 else acted + said

    def take(self, first: int, last: int) -> None:
        self.first = self.first or first
        self.last = max(self.last, last)


def shots_of_scene(scene: SceneText, names: list[str], *, korean: bool) -> list[DraftShot]:
    """The shots of one scene in story order."""
    present: list[str] = []
    told: list[Element] = []
    for element in scene.elements:
        listed = [part.strip() for part in re.split(r"[,，/]", element.text)]
        if element.kind == "action" and all(part in names for part in listed):
            present = listed  # a line of names only: who is there, nothing to show by itself
        else:
            told.append(element)
    beats = _beats(told)
    if not beats:
        place = scene.spot.location or scene.heading if scene.spot else scene.heading
        beats = [Beat(action=[", ".join([place, *present])], first=scene.line, last=scene.line)]
    return [_shot(scene, beat, number, beats, names, korean=korean) for number, beat in enumerate(beats, 1)]


def _beats(elements: list[Element]) -> list[Beat]:
    beats: list[Beat] = []
    for element in elements:
        if not element.text.strip() and element.kind != "speech":
            continue
        if element.kind == "insert":
            beats.append(Beat(action=[element.text], first=element.first, last=element.last, insert=True))
        elif element.kind == "action":
            _add_action(beats, element)
        else:
            _add_speech(beats, element)
    return beats


def _add_action(beats: list[Beat], element: Element) -> None:
    for part in _pieces(element.text):
        last = beats[-1] if beats else None
        short = lexicon.acted_seconds(part) < 2.4
        joins = last is not None and not last.insert and not last.speeches and short and last.seconds() < 5
        if last is not None and joins:
            last.action.append(part)
            last.take(element.first, element.last)
        else:
            beats.append(Beat(action=[part], first=element.first, last=element.last))


def _pieces(text: str) -> list[str]:
    """A long paragraph in pieces that one shot each can show."""
    pieces: list[str] = []
    for sentence in _SENTENCE.split(text[:20_000]):
        joined = f"{pieces[-1]} {sentence}" if pieces else sentence
        if pieces and lexicon.acted_seconds(joined) <= ACTION_LIMIT:
            pieces[-1] = joined
        else:
            pieces.append(sentence)
    return [p for p in pieces if p.strip()]


def _add_speech(beats: list[Beat], element: Element) -> None:
    last = beats[-1] if beats else None
    said = lexicon.spoken_seconds(element.text)
    if last is not None and not last.insert:
        speakers = {e.character for e in last.speeches} | {element.character}
        room = sum(lexicon.spoken_seconds(e.text) for e in last.speeches) + said <= SPEECH_LIMIT
        lead_in = not last.speeches and last.seconds() < 3.2 and len(beats) > 1
        if (last.speeches and room and len(speakers) <= 2 and len(last.speeches) < 3) or lead_in:
            last.speeches.append(element)
            last.take(element.first, element.last)
            return
    beats.append(Beat(speeches=[element], first=element.first, last=element.last))


def _shot(scene: SceneText, beat: Beat, number: int, beats: list[Beat], names: list[str], *, korean: bool) -> DraftShot:
    action = " ".join(beat.action).strip()
    manner = ", ".join(e.manner for e in beat.speeches if e.manner)
    speakers = list(dict.fromkeys(e.character for e in beat.speeches if not e.voice_over))
    seen = [name for name in names if lexicon.names_in(name, action) and name not in speakers]
    cast = [*speakers, *seen]
    told = f"{action} {manner}"
    size, angle, movement = _camera(beat, number, len(beats), cast, told)
    seconds = min(max(beat.seconds(), MIN_SECONDS), MAX_SECONDS)
    return DraftShot(
        scene=scene.number,
        shot_number=number,
        description=_description(scene, beat, action, cast, korean=korean),
        action=", ".join(part for part in (action, manner) if part),
        emotion=lexicon.emotion_of(f"{manner} {action} {' '.join(e.text for e in beat.speeches)}", korean=korean),
        suggested_camera=f"{size}, {angle}, {movement}",
        suggested_duration=round(seconds * 4) / 4,
        environment_ref=scene.environment_ref,
        span=[beat.first, beat.last],
        size=size,
        angle=angle,
        movement=movement,
        dialogue=[{"character": e.character, "text": e.text} for e in beat.speeches if e.text],
        characters=cast[:6],
    )


def _description(scene: SceneText, beat: Beat, action: str, cast: list[str], *, korean: bool) -> str:
    if action:
        return action[:400]
    voice = next((e for e in beat.speeches if e.voice_over), None)
    place = scene.spot.location if scene.spot else ""
    if voice is not None and not cast:
        return f"{place}. {'목소리' if korean else 'Voice-over'}: {voice.character}".strip(". ")
    if len(cast) > 1:
        return f"{cast[0]}, {cast[1]}: {'마주 보고 이야기한다' if korean else 'talk face to face'}"
    who = cast[0] if cast else ""
    return f"{who}: {'말한다' if korean else 'speaks'}"


def _camera(beat: Beat, number: int, total: int, cast: list[str], told: str) -> tuple[str, str, str]:
    size = lexicon.first_match(told, lexicon.SIZES)
    angle = lexicon.first_match(told, lexicon.ANGLES) or Angle.EYE
    movement = lexicon.first_match(told, lexicon.MOVES)
    if beat.insert:
        return size or ShotSize.INSERT, angle, movement or Movement.PUSH_IN
    if not size:
        size = _size_by_rhythm(beat, number, total, cast)
    if angle == Angle.EYE and len(cast) == 2 and beat.speeches and number % 3 == 0:
        angle = Angle.OTS
    if not movement:
        movement = _move_by_rhythm(beat, number, total, size)
    return size, angle, movement


def _size_by_rhythm(beat: Beat, number: int, total: int, cast: list[str]) -> str:
    if number == 1 and beat.action:
        return ShotSize.WS if cast else ShotSize.EWS
    if not beat.speeches:
        if not cast:
            return (ShotSize.WS, ShotSize.INSERT)[number % 2]
        return (ShotSize.MS, ShotSize.MWS, ShotSize.CU)[number % 3]
    if len({e.character for e in beat.speeches}) > 1:
        return ShotSize.MS if number % 2 else ShotSize.MCU
    strong = re.search(r"[!?…]|\.\.\.", " ".join(e.text for e in beat.speeches))
    return ShotSize.CU if strong or number == total else (ShotSize.MCU, ShotSize.MS)[number % 2]


def _move_by_rhythm(beat: Beat, number: int, total: int, size: str) -> str:
    if number == 1 and size in (ShotSize.EWS, ShotSize.WS):
        return Movement.PAN_RIGHT if beat.seconds() >= 5 else Movement.PUSH_IN
    if number == total and total > 2:
        return Movement.PULL_OUT if size in (ShotSize.WS, ShotSize.EWS, ShotSize.MWS) else Movement.PUSH_IN
    if size == ShotSize.CU:
        return Movement.PUSH_IN if number % 2 else Movement.STATIC
    return (Movement.STATIC, Movement.STATIC, Movement.TRACK_LEFT)[number % 3]
