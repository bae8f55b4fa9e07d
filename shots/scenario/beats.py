"""A scene's elements grouped into beats: what one shot each has to show."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shots.scenario import lexicon
from shots.scenario.characters import Cast, names_only
from shots.scenario.elements import Element
from shots.scenario.names import acted_upon, pronoun_cast, with_particle
from shots.scenario.places import SceneText

ACTION_LIMIT = 7.5
SPEECH_LIMIT = 8.0
EXCHANGE_LIMIT = 6.5
VOICE_OVER_LIMIT = 9.0
LONGEST_TEXT = 500
LONGEST_GAP = 3
MOST_JOINED = 6
MOST_RECENT = 12
_SENTENCE = re.compile(r"(?<=[.!?。…])[\"”']?\s+|\n+|(?<=[。！？])")
_STRONG = re.compile(r"!|！")


@dataclass(frozen=True)
class Line:
    """Something said in a beat; a long speech comes in `of` pieces, of which this is `part`, from 0."""

    name: str
    text: str
    manner: str
    voice_over: bool
    part: int = 0
    of: int = 1

    @property
    def seconds(self) -> float:
        return lexicon.spoken_seconds(self.text)


@dataclass
class Beat:
    """`people` are those whom the action shows, in the order of the text; `kind`: play, insert, caption, place."""

    first: int
    last: int
    kind: str = "play"
    action: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    listener: str = ""
    listing: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.action).strip()

    @property
    def speakers(self) -> list[str]:
        """Who speaks in the picture."""
        return list(dict.fromkeys(line.name for line in self.lines if not line.voice_over))

    @property
    def reaction(self) -> bool:
        """The middle of a long speech is played on the one who listens."""
        line = self.lines[0] if len(self.lines) == 1 and not self.action else None
        return bool(line and self.listener and line.part % 2 and line.part + 1 < line.of)

    @property
    def manner(self) -> str:
        return ", ".join(dict.fromkeys(line.manner for line in self.lines if line.manner))

    @property
    def said(self) -> float:
        return sum(line.seconds for line in self.lines)

    @property
    def acted(self) -> float:
        return lexicon.acted_seconds(self.text) if self.action else 0.0

    def seconds(self) -> float:
        """Length on screen: a voice-over and a short lead-in run at the same time as the picture."""
        if not self.lines:
            return self.acted
        over = all(line.voice_over for line in self.lines) or self.acted < 3
        return max(self.acted, self.said) if over else self.acted * 0.6 + self.said


def beats_of(scene: SceneText, cast: Cast, *, korean: bool) -> list[Beat]:
    """The beats in story order; a scene of nothing but a heading gets one that shows the place."""
    grouping = _Grouping(scene, cast, korean=korean)
    for element in scene.elements:
        if element.text.strip():
            grouping.take(element)
    if not grouping.beats:
        place = ", ".join(part for part in (scene.spot.location or scene.heading, scene.spot.time) if part)
        return [Beat(scene.line or 1, scene.line or 1, kind="place", action=[place])]
    return grouping.beats


class _Grouping:
    def __init__(self, scene: SceneText, cast: Cast, *, korean: bool) -> None:
        self.scene = scene
        self.cast = cast
        self.korean = korean
        self.beats: list[Beat] = []
        self.recent: list[str] = []
        self.voices = cast.voices()

    def take(self, element: Element) -> None:
        if element.kind in ("insert", "caption"):
            self._insert(element)
        elif element.kind == "speech":
            self._speech(element)
        elif names_only(element.text, self.cast.index):
            self._present(element)
        else:
            for piece in _pieces(element.text, self.cast):
                self._action(piece, element)

    def _follows(self, element: Element) -> bool:
        """Does the element stand right under the last beat, with no transition or section between?"""
        return bool(self.beats) and element.first - self.beats[-1].last <= LONGEST_GAP

    def _noticed(self, names: Sequence[str]) -> None:
        for name in reversed(names):
            if name in self.recent:
                self.recent.remove(name)
            self.recent.insert(0, name)
        del self.recent[MOST_RECENT:]

    def _named(self, text: str) -> list[str]:
        return [name for name in self.cast.index.mentions(text) if name not in self.voices]

    def _people(self, text: str) -> list[str]:
        named = self._named(text)
        people = named or pronoun_cast(text, [*self.recent, *[n for n in self.scene.before if n not in self.recent]])
        if len(named) == 1 and acted_upon(text):
            people = [*named, *[n for n in self.recent if n != named[0]][:1]]
        self._noticed(people)
        return people

    def _insert(self, element: Element) -> None:
        last = self.beats[-1] if self.beats else None
        if last is not None and element.kind == "caption" == last.kind and not last.lines:
            last.action.append(element.text)
            last.last = element.last
            return
        people = [] if element.kind == "caption" else self._named(element.text)
        self.beats.append(Beat(element.first, element.last, element.kind, [element.text], people=people))

    def _present(self, element: Element) -> None:
        """A line that lists who is there: the scene opens on them."""
        people = self.cast.index.mentions(element.text)
        self._noticed(people)
        place = self.scene.spot.location
        who = listed(people, korean=self.korean)
        self.beats.append(
            Beat(element.first, element.last, action=[f"{place}. {who}" if place else who], people=people, listing=True)
        )

    def _action(self, text: str, element: Element) -> None:
        people = self._people(text)
        last = self.beats[-1] if self.beats else None
        if (
            self._follows(element)
            and last
            and last.kind == "play"
            and not last.lines
            and len(last.action) < MOST_JOINED
        ):
            together = lexicon.acted_seconds(f"{last.text} {text}") if len(last.text) < LONGEST_TEXT else 99.0
            own = _wants_own_shot(text) or _wants_own_shot(last.text)
            same = not people or not last.people or people[0] in last.people
            if same and together <= 5.2 and min(last.acted, lexicon.acted_seconds(text)) < 2.8 and not own:
                last.action.append(text)
                last.last = element.last
                last.people = list(dict.fromkeys([*last.people, *people]))
                return
        self.beats.append(Beat(element.first, element.last, action=[text], people=people))

    def _speech(self, element: Element) -> None:
        name = self.cast.name_of(element.character)
        pieces = _spoken_pieces(element.text)
        for part, text in enumerate(pieces):
            line = Line(name, text, element.manner if part == 0 else "", element.voice_over, part, len(pieces))
            if line.voice_over:
                self._voice_over(line, element)
            elif not self._joins(line, element, single=len(pieces) == 1):
                self.beats.append(Beat(element.first, element.last, lines=[line], listener=self._listener(name)))
            if not line.voice_over:
                self._noticed([name])

    def _voice_over(self, line: Line, element: Element) -> None:
        """A voice runs over the picture before it while that one lasts; else over the one who is here, or the place."""
        last = self.beats[-1] if self.beats else None
        quiet = last is not None and not last.speakers and last.kind != "caption"
        if last is not None and quiet and self._follows(element) and last.said + line.seconds <= VOICE_OVER_LIMIT:
            last.lines.append(line)
            last.last = element.last
            return
        people = [line.name] if line.name in self.recent else self.recent[:1]
        self.beats.append(Beat(element.first, element.last, lines=[line], people=people))

    def _joins(self, line: Line, element: Element, *, single: bool) -> bool:
        last = self.beats[-1] if self.beats else None
        if last is None or last.kind != "play" or not single or not self._follows(element):
            return False
        speakers = {*last.speakers, line.name}
        if last.lines:
            strong = _STRONG.search(line.text) and line.seconds > 2.2
            fits = (
                last.said + line.seconds <= EXCHANGE_LIMIT
                and len(last.lines) < 3
                and len(speakers) <= 2
                and not strong
                and all(not x.voice_over and x.part == 0 for x in last.lines)
            )
        else:
            others = [n for n in last.people if n != line.name]
            opening = len(self.beats) == 1 and self.scene.new_place and not last.listing
            fits = last.acted < 3.4 and line.seconds <= 4.5 and len(others) < 2 and not opening
            fits = fits and (not last.people or line.name in last.people)
        if fits:
            last.lines.append(line)
            last.last = element.last
            last.people = list(dict.fromkeys([*last.people, line.name])) if last.action else last.people
        return fits

    def _listener(self, speaker: str) -> str:
        return next((name for name in self.recent if name != speaker), "")


def listed(names: Sequence[str], *, korean: bool) -> str:
    """리나와 민준; Lina, Minjun and Suji."""
    if len(names) < 2:
        return "".join(names)
    if korean:
        return f"{with_particle(', '.join(names[:-1]), '과/와')} {names[-1]}"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _wants_own_shot(text: str) -> bool:
    """The script itself names a shot size or a camera move."""
    return bool(lexicon.first_match(text, lexicon.SIZES) or lexicon.first_match(text, lexicon.MOVES[:8]))


def _pieces(text: str, cast: Cast) -> list[str]:
    """A paragraph in pieces that one shot each can show: cut when it grows long or turns to somebody else."""
    pieces: list[str] = []
    subject: list[str] = []
    for sentence in _sentences(text):
        named = cast.index.mentions(sentence)
        joined = f"{pieces[-1]} {sentence}" if pieces else sentence
        turned = bool(named and subject and named[0] not in subject)
        limit = 4.2 if turned else ACTION_LIMIT
        if (
            pieces
            and len(joined) <= LONGEST_TEXT
            and lexicon.acted_seconds(joined) <= limit
            and not _wants_own_shot(sentence)
        ):
            pieces[-1] = joined
        else:
            pieces.append(sentence)
            subject = []
        subject = [*subject, *named]
    return pieces


def _sentences(text: str) -> list[str]:
    """Sentences; one without an end in sight is cut at words, so that no piece grows beyond what a person reads."""
    parts: list[str] = []
    for sentence in _SENTENCE.split(text):
        stripped = (sentence or "").strip()
        at = 0
        while len(stripped) - at > 400:
            cut = stripped.rfind(" ", at + 200, at + 400)
            cut = cut if cut > 0 else at + 400
            parts.append(stripped[at:cut].strip())
            at = cut
        parts.append(stripped[at:].strip())
    return [part for part in parts if part]


def _spoken_pieces(text: str) -> list[str]:
    """A long speech in pieces of a shot's length each."""
    if lexicon.spoken_seconds(text) <= SPEECH_LIMIT + 1:
        return [text]
    pieces: list[str] = []
    for sentence in _sentences(text):
        joined = f"{pieces[-1]} {sentence}" if pieces else sentence
        if pieces and len(joined) <= LONGEST_TEXT and lexicon.spoken_seconds(joined) <= SPEECH_LIMIT:
            pieces[-1] = joined
        else:
            pieces.append(sentence)
    return pieces
