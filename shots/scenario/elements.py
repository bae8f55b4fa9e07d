"""Lines to elements: headings, action, speeches, transitions. One model for every dialect, with line spans."""

import re
from collections import Counter
from dataclasses import dataclass

from shots.scenario.headings import Heading, is_act, parse_heading

_TITLE_KEY = re.compile(r"^(?:[A-Za-z][A-Za-z ]{1,20}|제목|작가|각본|극본|감독|원작|부제|연락처|날짜|저자|글)\s*[:：]")
_COLON = re.compile(r"^(?P<name>[^:：()\[\]\"“”.!?…,]{1,24}?)\s*(?P<paren>\([^)]{0,60}\))?\s*[:：]\s*(?P<text>.*)$")
_TABBED = re.compile(r"^(?P<name>[가-힣A-Za-z0-9]{1,10})(?:\t+| {2,})(?P<text>\S.*)$")
_OWN_LINE = re.compile(r"^(?P<name>[가-힣][가-힣A-Za-z0-9 ]{0,9})\s*(?P<paren>\([^)]{1,40}\))?$")
_CUE = re.compile(r"^(?P<name>[^a-z()가-힣]*[A-Z][^a-z()가-힣]*?)\s*(?P<paren>(?:\([^)]*\)\s*)*)\^?$")
_TRANSITION = re.compile(
    r"^(?:[A-Z][A-Z ]+TO:|FADE (?:IN|OUT|TO BLACK)[.:]?|CUT TO:?|DISSOLVE.*|SMASH CUT.*|"
    r"(?:페이드|디졸브|컷\s*투|암전|장면 전환|F\.?\s?[IO]|O\.?\s?L)[^가-힣]*(?:인|아웃|투)?[.:]?|THE END\.?|-?\s*끝\s*-?)$"
)
_INSERT = re.compile(r"^(?:INSERT\b|인서트)", re.IGNORECASE)
_NO_NAMES = {
    "제목", "장소", "시간", "시간대", "등장인물", "배경", "주의", "메모", "작가", "줄거리", "시놉시스", "기획의도", "로그라인",
    "note", "cut to", "fade in", "fade out", "효과음", "자막", "음악", "인서트", "insert", "bgm", "time", "place",
}  # fmt: skip
_VOICE = {
    "n",
    "na",
    "v.o",
    "vo",
    "v.o.",
    "o.s",
    "o.s.",
    "e",
    "off",
    "독백",
    "내레이션",
    "나레이션",
    "목소리",
    "전화",
    "cont'd",
    "f",
}


@dataclass
class Element:
    """`kind`: heading, action, insert, speech, transition, section, synopsis, title. Lines count from 1, inclusive."""

    kind: str
    text: str
    first: int
    last: int
    heading: Heading | None = None
    character: str = ""
    detail: str = ""
    manner: str = ""
    voice_over: bool = False


def detect_dialect(text: str, filename: str) -> str:
    """fountain, korean, english or prose: what the headings and the file's name say."""
    korean = english = 0
    for line in text.split("\n"):
        stripped = line.strip().lstrip(".")
        if len(stripped) > 200 or (heading := parse_heading(stripped)) is None:
            continue
        if re.match(r"^(?:INT|EXT|EST|I/E)", stripped, re.IGNORECASE) and not re.search("[가-힣]", heading.text):
            english += 1
        else:
            korean += 1
    if filename.lower().endswith(".fountain"):
        return "fountain"
    if korean:
        return "korean"
    return "english" if english else "prose"


def read_elements(text: str, dialect: str) -> tuple[list[Element], list[int]]:
    """The elements in order, and the numbers of lines that belong to none (notes, boneyard, page breaks)."""
    return _Reader(text, dialect).read()


class _Reader:
    def __init__(self, text: str, dialect: str) -> None:
        self.lines = _without_comments(text).split("\n")
        self.original = text.split("\n")
        self.dialect = dialect
        self.elements: list[Element] = []
        self.at = 0
        tabbed = Counter(m.group("name") for line in self.lines if len(line) < 400 and (m := _TABBED.match(line)))
        self.tab_names = {name for name, count in tabbed.items() if count >= 2}

    def read(self) -> tuple[list[Element], list[int]]:
        self._title_page()
        while self.at < len(self.lines):
            line = self.lines[self.at].strip()
            if line:
                self._one(line)
            self.at += 1
        covered = {n for e in self.elements for n in range(e.first, e.last + 1)}
        unused = [n for n, line in enumerate(self.original, 1) if line.strip() and n not in covered]
        return self.elements, unused

    def _title_page(self) -> None:
        while self.at < len(self.lines) and not self.lines[self.at].strip():
            self.at += 1
        first = self.lines[self.at].strip() if self.at < len(self.lines) else ""
        if not _TITLE_KEY.match(first) or len(first) > 120 or _TRANSITION.match(first):
            return
        start = self.at
        while self.at < len(self.lines) and self.lines[self.at].strip():
            if parse_heading(self.lines[self.at].strip()):
                break
            self.at += 1
        self._add("title", "\n".join(self.lines[start : self.at]), start, self.at - 1)

    def _add(self, kind: str, text: str, first: int, last: int | None = None, **more: object) -> None:
        self.elements.append(Element(kind, text, first + 1, (first if last is None else last) + 1, **more))  # type: ignore[arg-type]

    def _one(self, line: str) -> None:
        at = self.at
        if re.match(r"^={3,}$", line) or re.match(r"^[-_*~─—=]{3,}$", line):
            return
        if line.startswith("=") and self.dialect == "fountain":
            self._add("synopsis", line.lstrip("= "), at)
        elif line.startswith("~") and line.endswith("~"):
            self._add("insert", line.strip("~ "), at)
        elif line.startswith("!") and self.dialect == "fountain":
            self._paragraph(line[1:])
        elif line.startswith(".") and not line.startswith("..") and (heading := parse_heading(line[1:], forced=True)):
            self._add("heading", line[1:].strip(), at, heading=heading)
        elif (heading := self._heading(line)) is not None:
            self._add("heading", line, at, heading=heading)
        elif re.match(r"^#+\s", line) or is_act(line):
            self._add("section", line.lstrip("# ").strip("[]"), at)
        elif line.startswith(">") and line.endswith("<") and not _TRANSITION.match(line.strip("<> ")):
            self._add("insert", line.strip("<> "), at)
        elif (line.startswith(">") and len(line) < 80) or _TRANSITION.match(line):
            self._add("transition", line.strip("<> "), at)
        elif _INSERT.match(line):
            self._paragraph(line, kind="insert")
        elif not self._speech(line):
            self._paragraph(line)

    def _heading(self, line: str) -> Heading | None:
        if self.dialect == "fountain" and not self._blank_before() and not line.startswith(("S#", "#")):
            return None
        return parse_heading(line)

    def _blank_before(self) -> bool:
        return self.at == 0 or not self.lines[self.at - 1].strip()

    def _next(self) -> str:
        return self.lines[self.at + 1].strip() if self.at + 1 < len(self.lines) else ""

    def _speech(self, line: str) -> bool:
        if line.startswith("@"):
            name, paren = _name_and_paren(line[1:])
            return self._block(name, paren)
        if len(line) > 2000:
            return False
        if len(line) <= 80 and self.dialect != "korean" and self._blank_before() and self._next():
            match = _CUE.match(line)
            if match and len(match.group("name").strip()) <= 40 and not line.endswith((".", "!", "?")):
                return self._block(match.group("name").strip(), match.group("paren"))
        if self.dialect == "fountain":
            return False
        if (match := _COLON.match(line)) and _is_name(match.group("name")):
            name, paren = match.group("name").strip(), match.group("paren") or ""
            if not match.group("text").strip():
                return self._block(name, paren)
            self._say(name, paren, [match.group("text")], self.at, self.at)
            return True
        if (match := _TABBED.match(self.lines[self.at])) and match.group("name") in self.tab_names:
            self._say(match.group("name"), "", [match.group("text")], self.at, self.at)
            return True
        if self.dialect == "korean" and self._blank_before() and self._next() and (match := _OWN_LINE.match(line)):
            next_is_heading = parse_heading(self._next()) is not None
            if not next_is_heading and len(match.group("name").split()) <= 2 and _is_name(match.group("name")):
                return self._block(match.group("name").strip(), match.group("paren") or "")
        return False

    def _block(self, name: str, paren: str) -> bool:
        """A cue on its own line: everything up to the next blank line is the speech."""
        start = self.at
        said: list[str] = []
        while self._next():
            said.append(self._next())
            self.at += 1
        if not said or not name.strip():
            self.at = start
            return False
        self._say(name, paren, said, start, self.at)
        return True

    def _say(self, name: str, paren: str, said: list[str], first: int, last: int) -> None:
        inner = [part.strip() for part in re.findall(r"\(([^)]*)\)", paren)]
        if match := re.match(r"^(.+?)\s*\(([^)]*)\)\s*$", name):
            name, inner = match.group(1), [match.group(2), *inner]
        manner: list[str] = []
        words: list[str] = []
        for line in said:
            rest = line.strip().strip('"“”')
            while match := re.match(r"^[*\[]?\(([^)]*)\)[*\]]?\s*", rest):
                manner.append(match.group(1).strip())
                rest = rest[match.end() :]
            if rest.strip():
                words.append(re.sub(r"\s*\(([^)]*)\)\s*", " ", rest).strip(' _*"“”'))
        voice = any(part.lower().rstrip(".") in {v.rstrip(".") for v in _VOICE} for part in inner)
        detail = ", ".join(p for p in inner if p.lower().rstrip(".") not in {v.rstrip(".") for v in _VOICE})
        voice = voice or name in ("나레이션", "내레이션", "나레이터", "NARRATOR", "NARRATION")
        self._add(
            "speech", "\n".join(w for w in words if w), first, last,
            character=name.strip(), detail=detail, manner=", ".join(manner), voice_over=voice,
        )  # fmt: skip

    def _paragraph(self, line: str, kind: str = "action") -> None:
        """Lines up to a blank one, a heading or a speech are one paragraph of action."""
        start = self.at
        parts = [line]
        while self._next():
            following = self._next()
            if parse_heading(following) or _TRANSITION.match(following) or following.startswith((">", "@", "#")):
                break
            looks_said = (match := _COLON.match(following)) and _is_name(match.group("name"))
            if self.dialect != "fountain" and looks_said:
                break
            parts.append(following)
            self.at += 1
        text = " ".join(p.strip() for p in parts).strip()
        if _wrapped(text):
            text = text[1:-1].strip()
        self._add(kind, text.strip("*_ "), start, self.at)


def _wrapped(text: str) -> bool:
    """True when one pair of parentheses holds the whole text."""
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return place == len(text) - 1
    return False


def _name_and_paren(text: str) -> tuple[str, str]:
    match = re.match(r"^([^(]*)(.*)$", text.strip())
    assert match is not None  # the pattern takes any text
    return match.group(1).strip(), match.group(2)


def _is_name(text: str) -> bool:
    """Could this be a character's name? Short, no sentence, not one of the words that head other lines."""
    name = text.strip()
    if not name or name.lower() in _NO_NAMES or len(name) > 20 or len(name.split()) > 3:
        return False
    if re.search("[가-힣]", name):
        return len(name) <= 12 and not name.endswith(("다", "요", "까"))
    return bool(re.match(r"^[A-Z]", name)) and not re.match(r"^\d", name)


def _without_comments(text: str) -> str:
    """Boneyard and notes blanked out, line by line, so that line numbers stay."""

    def blank(match: "re.Match[str]") -> str:
        return "\n" * match.group(0).count("\n")

    text = re.sub(r"/\*.*?\*/", blank, text, flags=re.DOTALL) if "*/" in text else text
    return re.sub(r"\[\[.*?\]\]", blank, text, flags=re.DOTALL) if "]]" in text else text
