"""Camera by rule: what the script asks for, then what the beat shows, then rhythm; never chance."""

from dataclasses import dataclass, field

from shots.choices import Angle, Movement, ShotSize
from shots.scenario import lexicon
from shots.scenario.beats import Beat
from shots.scenario.names import speaks_of_people
from shots.scenario.places import SceneText

_TIGHTER = {
    ShotSize.EWS: ShotSize.WS,
    ShotSize.WS: ShotSize.MWS,
    ShotSize.MWS: ShotSize.MS,
    ShotSize.MS: ShotSize.MCU,
    ShotSize.MCU: ShotSize.CU,
    ShotSize.CU: ShotSize.MS,
}
_WIDE = frozenset({ShotSize.EWS, ShotSize.WS, ShotSize.MWS})


@dataclass(frozen=True)
class Camera:
    size: ShotSize
    angle: Angle
    movement: Movement


@dataclass
class Framing:
    """Chooses the camera of a scene's beats one after another, so that neighbours differ."""

    scene: SceneText
    total: int
    _before: Camera | None = None
    _before_cast: list[str] = field(default_factory=list)
    _exchanges: int = 0

    def choose(self, beat: Beat, number: int, cast: list[str]) -> Camera:
        """The camera of the beat that is `number`th (from 1) in its scene."""
        told = f"{beat.text} {beat.manner}"
        asked_size = lexicon.first_match(told, lexicon.SIZES)
        asked_angle = lexicon.first_match(told, lexicon.ANGLES)
        asked_move = lexicon.first_match(told, lexicon.MOVES)
        size = ShotSize(asked_size) if asked_size else self._size(beat, number, cast)
        angle = Angle(asked_angle) if asked_angle else self._angle(beat, cast, size)
        before = self._before
        if not asked_size and before and (size, angle) == (before.size, before.angle) and size in _TIGHTER:
            loose = size == ShotSize.MS and cast != self._before_cast
            size = size if loose else _TIGHTER[size]
        movement = Movement(asked_move) if asked_move else self._movement(beat, number, size)
        if not asked_move and before and movement == before.movement and movement != Movement.STATIC:
            movement = Movement.STATIC
        self._before, self._before_cast = Camera(size, angle, movement), cast
        if beat.speakers:
            self._exchanges += 1
        return self._before

    def _size(self, beat: Beat, number: int, cast: list[str]) -> ShotSize:
        if beat.kind == "insert":
            return ShotSize.INSERT
        if beat.kind == "caption":
            return ShotSize.WS
        outside = self.scene.spot.interior is False
        if beat.kind == "place":
            return ShotSize.EWS if outside else ShotSize.WS
        if number == 1 and beat.action:
            if not self.scene.new_place:
                return ShotSize.MWS if cast else ShotSize.WS
            return ShotSize.WS if cast or not outside else ShotSize.EWS
        if beat.lines and not beat.speakers and not beat.action:
            return ShotSize.CU if cast else ShotSize.WS
        if beat.speakers and not (beat.action and len(beat.speakers) == 1):
            return self._size_of_speech(beat, cast)
        return self._size_of_action(beat, cast)

    def _size_of_speech(self, beat: Beat, cast: list[str]) -> ShotSize:
        if len(beat.speakers) > 1:
            return ShotSize.MS if self._exchanges % 2 == 0 else ShotSize.MCU
        if len(cast) > 1 and beat.action:
            return ShotSize.MS
        line = next(x for x in beat.lines if not x.voice_over)
        if line.part:
            return ShotSize.CU if beat.reaction or line.part + 1 == line.of else ShotSize.MCU
        strong = "!" in line.text or "…" in line.text or "..." in line.text
        if strong and self._exchanges:
            return ShotSize.CU
        return ShotSize.MS if self._exchanges == 0 else ShotSize.MCU

    def _size_of_action(self, beat: Beat, cast: list[str]) -> ShotSize:
        text = beat.text
        if not cast and not speaks_of_people(text):
            small = beat.acted < 3.4 and not lexicon.FAR.search(text) and not lexicon.TRAVEL.search(text)
            return ShotSize.INSERT if small else ShotSize.WS
        if lexicon.TRAVEL.search(text):
            return ShotSize.WS if len(cast) != 1 else ShotSize.MWS
        if lexicon.age_of(text):
            return ShotSize.MS if len(cast) == 1 else ShotSize.MWS
        if len(cast) > 1:
            return ShotSize.MS if lexicon.LOOK.search(text) else ShotSize.MWS
        if lexicon.DETAIL.search(text) and beat.acted < 4.5:
            return ShotSize.CU
        return ShotSize.MCU if lexicon.LOOK.search(text) else ShotSize.MS

    def _angle(self, beat: Beat, cast: list[str], size: ShotSize) -> Angle:
        close = size in (ShotSize.MS, ShotSize.MCU)
        answering = bool(self._exchanges) and bool(beat.listener or len(cast) > 1)
        if beat.speakers and not beat.action and not beat.reaction and close and answering and self._exchanges % 2:
            return Angle.OTS
        return Angle.EYE

    def _movement(self, beat: Beat, number: int, size: ShotSize) -> Movement:
        turn = self.scene.index + number
        if beat.kind == "caption":
            return Movement.STATIC
        if size == ShotSize.INSERT:
            return Movement.PUSH_IN if turn % 2 else Movement.STATIC
        if lexicon.TRAVEL.search(beat.text) and (beat.people or speaks_of_people(beat.text)):
            return Movement.TRACK_RIGHT if turn % 2 else Movement.TRACK_LEFT
        if number == 1 and size in _WIDE:
            if size == ShotSize.EWS:
                return (Movement.PAN_RIGHT, Movement.PUSH_IN, Movement.CRANE_DOWN)[self.scene.index % 3]
            return (Movement.PUSH_IN, Movement.STATIC, Movement.PAN_RIGHT)[self.scene.index % 3]
        if number == self.total and self.total > 2:
            return Movement.PULL_OUT if size in _WIDE else Movement.PUSH_IN
        if size == ShotSize.CU and beat.seconds() >= 2.5:
            return Movement.PUSH_IN
        return Movement.STATIC
