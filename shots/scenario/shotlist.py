"""One scene to shots: beats with their cast, camera, feeling and length, worded for a shot list."""

from dataclasses import dataclass, field
from typing import Any

from shots.choices import Angle, Movement, ShotSize
from shots.scenario import lexicon
from shots.scenario.beats import Beat, beats_of, listed
from shots.scenario.characters import Cast
from shots.scenario.framing import Framing
from shots.scenario.names import with_particle
from shots.scenario.places import SceneText

MIN_SECONDS, MAX_SECONDS = 1.5, 12.0
MOST_CHARACTERS = 6


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
    size: str = ShotSize.MS.value
    angle: str = Angle.EYE.value
    movement: str = Movement.STATIC.value
    dialogue: list[dict[str, Any]] = field(default_factory=list)
    characters: list[str] = field(default_factory=list)


def shots_of_scene(scene: SceneText, cast: Cast, *, korean: bool) -> list[DraftShot]:
    """The shots of one scene in story order."""
    beats = beats_of(scene, cast, korean=korean)
    framing = Framing(scene, len(beats))
    return [_shot(scene, beat, number, framing, korean=korean) for number, beat in enumerate(beats, 1)]


def _shot(scene: SceneText, beat: Beat, number: int, framing: Framing, *, korean: bool) -> DraftShot:
    shown = [beat.listener] if beat.reaction else [*beat.people, *beat.speakers]
    people = list(dict.fromkeys(shown))[:MOST_CHARACTERS]
    camera = framing.choose(beat, number, people)
    if camera.angle == Angle.OTS and beat.listener and beat.listener not in people:
        people.append(beat.listener)
    seconds = min(max(beat.seconds(), MIN_SECONDS), MAX_SECONDS)
    felt = f"{beat.manner} {beat.text}" if people else ""
    return DraftShot(
        scene=scene.number,
        shot_number=number,
        description=_description(scene, beat, people, korean=korean),
        action=_action(beat),
        emotion=lexicon.emotion_of(felt, korean=korean),
        suggested_camera=f"{camera.size.value}, {camera.angle.value}, {camera.movement.value}",
        suggested_duration=round(seconds * 4) / 4,
        environment_ref=scene.environment_ref,
        span=[beat.first, beat.last],
        size=camera.size.value,
        angle=camera.angle.value,
        movement=camera.movement.value,
        dialogue=[{"character": line.name, "text": line.text, "voice_over": line.voice_over} for line in beat.lines],
        characters=people,
    )


def _action(beat: Beat) -> str:
    """What is done: the directions, and how the lines are said, each with its speaker."""
    manners = [f"{line.name}: {line.manner}" for line in beat.lines if line.manner]
    done = beat.text if beat.kind == "play" else ""
    return " / ".join(part for part in (done, *manners) if part)


def _description(scene: SceneText, beat: Beat, people: list[str], *, korean: bool) -> str:
    """What the picture shows, in a sentence; with action that is the script's own."""
    if beat.action:
        return beat.text[:600]
    place = scene.spot.location
    if not beat.speakers:
        if people:
            return _silent(people, korean=korean)
        return place or ("빈 화면, 목소리만" if korean else "Empty frame, voice only")
    names = beat.speakers
    if beat.reaction:
        if korean:
            return f"{with_particle(beat.listener, '이/가')} {names[0]}의 말을 듣는다"
        return f"{beat.listener} listens to {names[0]}"
    manner = beat.manner if len(names) == 1 else ""
    if korean:
        if len(names) > 1:
            return f"{with_particle(listed(names, korean=True), '이/가')} 마주 보고 이야기한다"
        how = f" ({manner})" if manner else ""
        other = f"{beat.listener}에게 " if beat.listener else ""
        return f"{with_particle(names[0], '이/가')} {other}말한다{how}"
    if len(names) > 1:
        return f"{listed(names, korean=False)} talk face to face"
    other = f" to {beat.listener}" if beat.listener else ""
    return f"{names[0]} speaks{other}{f' ({manner})' if manner else ''}"


def _silent(people: list[str], *, korean: bool) -> str:
    who = listed(people, korean=korean)
    return f"말없이 있는 {who}" if korean else f"{who}, silent"
