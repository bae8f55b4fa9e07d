"""Who plays: cues merged to characters, with what the text tells of age, looks, clothing, relations and role."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from shots.scenario import cues, lexicon
from shots.scenario.elements import Element
from shots.scenario.names import CastIndex

_RELATION = re.compile(
    r"(?:[가-힣]{1,6}의 )?(?:외?손녀|외?손자|아들|딸|막내딸|큰딸|엄마|어머니|아빠|아버지|외?할머니|외?할아버지|누나|언니|형|오빠|여?동생|친구|단짝|"
    r"아내|남편|애인|연인|여자친구|남자친구|동료|상사|후배|선배|이웃|조카|삼촌|이모|고모|스승|제자)"
    r"|(?:[A-Z][a-z]+'s )?(?:mother|father|son|daughter|sister|brother|wife|husband|friend|neighbou?r|grandmother|grandfather|partner|boss|colleague)",
    re.I,
)
_INTRO_KO = re.compile(
    r"(?P<name>[가-힣]{2,5})\s?\((?P<detail>(?:[^()]{0,30}[,/]\s?)?\d{1,3}\s?(?:세|살|대)?[^()]{0,40})\)"
)
_INTRO_EN = re.compile(
    r"\b(?P<name>[A-Z][A-Z'’]+(?: [A-Z][A-Z'’]+){0,2})\s?\((?P<detail>[^()]{0,20}\d{1,3}s?\b[^()]{0,60})\)"
)
_SENTENCE = re.compile(r"(?<=[.!?。…])\s+")
_NOT_INTRO = frozenset({"과거", "현재", "자막", "오후", "오전", "시간", "나이", "회상"})
MOST = 500


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


def voice_role(*, korean: bool) -> str:
    return "나레이션" if korean else "voice-over"


class Cast:
    """The characters of a script, and who is meant by a cue."""

    def __init__(self, elements: Sequence[Element], *, korean: bool) -> None:
        self.korean = korean
        self.drafts: dict[str, CharacterDraft] = {}
        self._heard: dict[str, list[bool]] = {}
        self._alias: dict[str, str] = {}
        self._collect(elements)
        self.index = CastIndex(self.drafts)
        shown = (name for e in elements if e.kind in ("action", "insert") for name in self.index.mentions(e.text))
        self._named = Counter(shown)
        self._describe(elements)
        self._roles()

    def name_of(self, cue: str) -> str:
        """The character that a cue means: one spelling for 민준, 민준(N) and for Lina and LINA."""
        return self._alias.get(cue.casefold(), cue)

    def voices(self) -> set[str]:
        """Those who are only ever heard."""
        return {name for name, draft in self.drafts.items() if draft.role == voice_role(korean=self.korean)}

    def _draft(self, cue: str) -> CharacterDraft | None:
        name = self._alias.setdefault(cue.casefold(), cue)
        if name not in self.drafts:
            if len(self.drafts) >= MOST:
                return None
            self.drafts[name] = CharacterDraft(name=name)
        return self.drafts[name]

    def _collect(self, elements: Sequence[Element]) -> None:
        for element in elements:
            if element.kind == "cast":
                for number, line in enumerate(element.text.split("\n")):
                    self._cast_row(line, element.last - element.text.count("\n") + number)
            elif element.kind == "speech" and (draft := self._draft(element.character)) is not None:
                self._heard.setdefault(draft.name, []).append(element.voice_over)
                draft.spans.append([element.first, element.last])
                if element.detail:
                    take_detail(draft, element.detail)
            elif element.kind == "action" and "(" in element.text:
                for match in (_INTRO_KO if self.korean else _INTRO_EN).finditer(element.text[:4000]):
                    if lexicon.age_of(f"({match.group('detail')})") and match.group("name") not in _NOT_INTRO:
                        self._draft(match.group("name"))

    def _cast_row(self, line: str, number: int) -> None:
        row = cues.cast_row(line)
        if row is None or (draft := self._draft(row[0])) is None:
            return
        _name, paren, rest = row
        draft.spans.append([number, number])
        for text in (paren, rest):
            if text:
                draft.age = draft.age or lexicon.age_of(f"({text})")
                draft.clothing = draft.clothing or lexicon.clothing_of(text)
                if not draft.relations and (match := _RELATION.search(text)):
                    draft.relations = match.group(0)
        draft.description = draft.description or (rest or paren)[:240]

    def _describe(self, elements: Sequence[Element]) -> None:
        """The first action that names a character says how they look: its sentence, and what follows of them."""
        waiting = {n for n, d in self.drafts.items() if not d.description or not d.clothing}
        for element in elements:
            if not waiting:
                return
            if element.kind != "action":
                continue
            sentences = _SENTENCE.split(element.text[:8000])
            named = [self.index.mentions(s) for s in sentences]
            for name in dict.fromkeys(n for names in named for n in names):
                if name not in waiting:
                    continue
                if names_only(element.text, self.index) or cues.is_device(name):
                    continue
                waiting.discard(name)
                at = next(i for i, names in enumerate(named) if name in names)
                told = [sentences[at]]
                while at + 1 < len(sentences) and not named[at + 1] and _portrays(sentences[at + 1]):
                    at += 1
                    told.append(sentences[at])
                self._introduce(self.drafts[name], told, alone=len(named[at]) < 2, element=element)

    def _introduce(self, draft: CharacterDraft, told: list[str], *, alone: bool, element: Element) -> None:
        text = " ".join(told)
        at = text.lower().find(draft.name.lower())
        # What stands before another's name is about the other: 도현(61세)이 서윤을 … gives its age to 도현.
        match = (
            re.match(r"[^()（）]{0,4}[(（]([^()（）]{1,80})[)）]", text[at + len(draft.name) :]) if at >= 0 else None
        )
        if match:
            take_detail(draft, match.group(1), bare_age=True)
        draft.description = draft.description or text.strip()[:240]
        if alone:
            draft.clothing = draft.clothing or lexicon.clothing_of(text)
            draft.age = draft.age or lexicon.age_of(text)
        elif not draft.clothing:
            others = [n for n in self.index.mentions(told[0]) if n != draft.name]
            cut = min((told[0].find(n) for n in others if told[0].find(n) > at), default=len(told[0]))
            before = told[0][:at] if not any(0 <= told[0].find(n) < at for n in others) else ""
            draft.clothing = lexicon.clothing_of(before + " " + " ".join([told[0][at:cut], *told[1:]]))
        draft.spans.append([element.first, element.last])

    def _roles(self) -> None:
        for name, draft in self.drafts.items():
            heard = self._heard.get(name, [])
            if cues.narrates(name) or cues.is_device(name) or (heard and all(heard) and not self._named[name]):
                draft.role = voice_role(korean=self.korean)
        speaking = [n for n, d in self.drafts.items() if not d.role and self._heard.get(n)]
        if speaking:
            lead = max(speaking, key=lambda n: len(self._heard[n]) + self._named[n])
            self.drafts[lead].role = "주인공" if self.korean else "lead"


def names_only(text: str, index: CastIndex) -> bool:
    """A line that only lists who is there: (리나, 민준)."""
    if len(text) > 200:
        return False
    parts = [part.strip() for part in re.split(r"[,，/]", text)]
    return all(" " not in part and any(len(part) - len(name) <= 1 for name in index.mentions(part)) for part in parts)


def _portrays(sentence: str) -> bool:
    """Does a sentence without a name go on about looks? Fragments and pronouns do, new actions do not."""
    fragment = not re.search(r"다\.$|\b(?:is|are|was|[a-z]+s)\b", sentence)
    return (
        fragment
        or bool(re.match(r"(?:그[는의가]?|그녀[는의가]?|He|She|His|Her)\b", sentence))
        or bool(lexicon.clothing_of(sentence))
    )


def take_detail(draft: CharacterDraft, detail: str, *, bare_age: bool = False) -> None:
    """리나(손녀, 20세, 밝은 성격): an age, a relation, and the rest as description."""
    rest: list[str] = []
    for part in (p.strip() for p in re.split(r"[,/]", detail)):
        age = lexicon.age_of(part) or (part if bare_age and re.fullmatch(r"\d{1,2}", part) else "")
        if age:
            draft.age = draft.age or age
        elif _RELATION.fullmatch(part):
            draft.relations = draft.relations or part
        elif 1 < len(part) <= 60:
            rest.append(part)
    draft.clothing = draft.clothing or lexicon.clothing_of(detail)
    # A lone word behind a cue ("민준 (웃으며)") is how a line is said, not what a person is like.
    if rest and not draft.description and ("성격" in detail or draft.age or draft.relations):
        draft.description = ", ".join(rest)
