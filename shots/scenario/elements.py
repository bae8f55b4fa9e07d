"""Lines to elements: headings, action, speeches, transitions. One model for every dialect, with line spans."""

import re
from collections import Counter
from dataclasses import dataclass

from shots.scenario import cues
from shots.scenario.headings import Heading, is_act, is_english, parse_heading
from shots.scenario.prose import quoted_speeches

DIALECTS = ("fountain", "korean", "english", "prose")
FILMED = frozenset({"action", "insert", "caption", "speech"})
_FOUNTAIN_MARK = re.compile(r"^(?:Title\s*[:：]|@\S|\.[^.\s]|>\s*\S|!\S|={3,}$|#{1,6} |=\s?[^=\s]|\[\[|/\*|~\S)")
_PLAIN_CUE = re.compile(r"^[^a-z가-힣]*[A-Z][^a-z가-힣]*$")


@dataclass(frozen=True)
class Element:
    """Lines `first` to `last`, counted from 1, inclusive.

    `kind`: title, section, synopsis, cast, heading, action, insert, caption, speech, transition.
    """

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
    """fountain, korean, english or prose: what the headings, the marks and the file's name say."""
    korean = english = marks = 0
    for line in text.split("\n"):
        if len(line) > 250 or not line.strip():
            continue
        stripped = line.strip()
        marks += bool(_FOUNTAIN_MARK.match(stripped))
        if parse_heading(stripped) is not None:
            if is_english(stripped):
                english += 1
            else:
                korean += not stripped.startswith((".", "INT", "EXT"))
    if filename.lower().endswith(".fountain") and (english or marks or not korean):
        return "fountain"
    if korean:
        return "korean"
    if english:
        return "english"
    bilingual = any(re.match(r"^(?:INT|EXT)\b.*[가-힣]", line.strip()) for line in text.split("\n") if len(line) < 200)
    return "korean" if bilingual else "prose"


def read_elements(text: str, dialect: str) -> list[Element]:
    """The elements in order; blank lines, notes, boneyard and page breaks belong to none."""
    return _Reader(text, dialect).read()


class _Reader:
    def __init__(self, text: str, dialect: str) -> None:
        self.raw = cues.without_comments(text).split("\n")
        self.lines = [line.strip() for line in self.raw]
        self.dialect = dialect
        self.elements: list[Element] = []
        self.at = 0
        self.tabbed = self._often(cues.TABBED, stripped=False)
        self.own_line = self._often(cues.CJK_LINE if dialect == "fountain" else cues.OWN_LINE, alone=True)

    def read(self) -> list[Element]:
        self._title_page()
        while self.at < len(self.lines):
            if line := self.lines[self.at]:
                self._one(line)
            self.at += 1
        return self.elements

    def _often(self, pattern: re.Pattern[str], *, stripped: bool = True, alone: bool = False) -> set[str]:
        """Names that stand at the start of two or more lines of this form."""
        found: Counter[str] = Counter()
        for at, line in enumerate(self.lines if stripped else self.raw):
            if (
                not line
                or len(line) > (40 if alone else 400)
                or (alone and (not self._blank(at - 1) or self._blank(at + 1)))
            ):
                continue
            if match := pattern.match(line):
                found[match.group("name").strip()] += 1
        return {name for name, count in found.items() if count >= 2}

    def _blank(self, at: int) -> bool:
        return not 0 <= at < len(self.lines) or not self.lines[at]

    def _next(self) -> str:
        return self.lines[self.at + 1] if self.at + 1 < len(self.lines) else ""

    def _add(self, kind: str, text: str, first: int, last: int | None = None) -> None:
        self.elements.append(Element(kind, text, first + 1, (first if last is None else last) + 1))

    def _title_page(self) -> None:
        while self.at < len(self.lines) and not self.lines[self.at]:
            self.at += 1
        first = self.lines[self.at] if self.at < len(self.lines) else ""
        if not cues.TITLE_KEY.match(first) or len(first) > 200:
            return
        start = self.at
        while self.at < len(self.lines) and self.lines[self.at] and parse_heading(self.lines[self.at]) is None:
            self.at += 1
        self._add("title", "\n".join(self.raw[start : self.at]), start, self.at - 1)

    def _one(self, line: str) -> None:
        at = self.at
        fountain = self.dialect == "fountain"
        if cues.DIVIDER.match(line):
            return
        if fountain and line.startswith("="):
            self._add("synopsis", line.lstrip("= "), at)
        elif fountain and line.startswith("!"):
            self._paragraph(line[1:])
        elif (
            line.startswith(".")
            and line[1:2] not in ("", ".", " ")
            and (forced := parse_heading(line[1:], forced=True))
        ):
            self._heading_of(line[1:], forced)
        elif (heading := self._heading(line)) is not None:
            self._heading_of(line, heading)
        elif self._front_matter(line):
            return
        elif is_act(line) or re.match(r"^#{1,6}(?:\s|[^\s\d#])", line):
            self._add("section", line.strip("# []◇◆"), at)
        elif cues.is_transition(line):
            self._add("transition", line.strip("<> "), at)
        elif line.startswith(">") and line.endswith("<"):
            self._add("caption", cues.without_marks(line.strip("<> \t")), at)
        elif line.startswith(">") and len(line) < 80:
            self._add("transition", line.strip("<> "), at)
        elif match := cues.CAPTION.match(line[:400]):
            self._add("caption", (match.group("text") or match.group("wave")).strip(), at)
        elif match := cues.INSERT.match(line):
            self._paragraph(line[match.end() :], kind="insert")
        elif not self._speech(line):
            self._paragraph(line)

    def _heading_of(self, line: str, heading: Heading) -> None:
        self.elements.append(Element("heading", line.strip(), self.at + 1, self.at + 1, heading=heading))

    def _heading(self, line: str) -> Heading | None:
        heading = parse_heading(line)
        if heading is None or self.dialect != "fountain" or line.startswith(("S#", "#")):
            return heading
        # Fountain wants a blank line before a heading; a heading under a heading is one all the same.
        after_heading = (
            bool(self.elements) and self.elements[-1].kind == "heading" and self.elements[-1].last == self.at
        )
        return heading if self._blank(self.at - 1) or after_heading else None

    def _front_matter(self, line: str) -> bool:
        """A cast list or a synopsis: up to the next blank line (cast lists may have blank lines inside) or heading."""
        cast = bool(cues.CAST_HEAD.match(line[:60]))
        if not cast and not cues.SYNOPSIS_HEAD.match(line[:60]):
            return False
        start = self.at
        if cast and not self._next():
            self.at += 1
        rows: list[str] = []
        while self._next() and parse_heading(self._next()) is None and (not cast or cues.cast_row(self._next())):
            rows.append(self._next())
            self.at += 1
        self._add("cast" if cast else "synopsis", "\n".join(rows), start, self.at)
        return True

    def _speech(self, line: str) -> bool:
        if line.startswith("@") and len(line) < 200:
            name, _open, paren = line[1:].partition("(")
            return self._block(name, f"({paren}" if paren else "")
        if len(line) > 2500:
            return False
        if len(line) <= 80 and self._blank(self.at - 1) and self._next() and self._cue(line):
            return True
        if self.dialect == "fountain":
            return False
        if (match := cues.COLON.match(line)) and cues.is_name(match.group("name")):
            name, paren = match.group("name").strip(), match.group("paren") or ""
            if not match.group("text").strip():
                return self._block(name, paren)
            self._say(name, paren, [match.group("text")], self.at, self.at)
            return True
        if (match := cues.QUOTED.match(line)) and cues.is_name(match.group("name")):
            self._say(match.group("name"), match.group("paren") or "", [match.group("text")], self.at, self.at)
            return True
        if (match := cues.TABBED.match(self.raw[self.at])) and match.group("name") in self.tabbed:
            self._say(match.group("name"), "", [match.group("text")], self.at, self.at)
            return True
        return False

    def _cue(self, line: str) -> bool:
        """A name on a line of its own, with the speech below it."""
        match = cues.CUE.match(line)
        if match and len(match.group("name").strip()) <= 40 and not line.endswith((".", "!", "?", ":", ",")):
            return self._block(match.group("name"), match.group("paren"))
        if self.dialect not in ("korean", "fountain"):
            return False
        match = (cues.CJK_LINE if self.dialect == "fountain" else cues.OWN_LINE).match(line)
        if match is None or not cues.is_name(match.group("name")) or parse_heading(self._next()) is not None:
            return False
        name, following = match.group("name").strip(), self._next()
        certain = bool(match.group("paren")) or name in self.own_line or following.startswith(("(", "（"))
        # "창가" over a line of stage direction is a place; directions end in the plain present, speech seldom does.
        likely = self.dialect == "korean" and " " not in name and len(name) <= 4 and not following.endswith("다.")
        return (certain or likely) and self._block(name, match.group("paren") or "")

    def _block(self, name: str, paren: str) -> bool:
        """Everything up to the next blank line, heading or cue is the speech."""
        start = self.at
        said: list[str] = []
        while self.at + 1 < len(self.lines):
            following = self._next()
            if not following:
                # Fountain keeps a speech open over a line of two spaces.
                if (
                    self.dialect == "fountain"
                    and said
                    and self.raw[self.at + 1].startswith("  ")
                    and not self._blank(self.at + 2)
                ):
                    self.at += 1
                    continue
                break
            if parse_heading(following) is not None or (said and self._begins_speech(following)):
                break
            said.append(following)
            self.at += 1
        if not said or not name.strip(" *_"):
            self.at = start
            return False
        self._say(name.strip(" *_^"), paren, said, start, self.at)
        return True

    def _begins_speech(self, line: str) -> bool:
        if self.dialect == "fountain" or len(line) > 2500:
            return False
        return bool((match := cues.COLON.match(line)) and cues.is_name(match.group("name")))

    def _say(self, name: str, paren: str, said: list[str], first: int, last: int) -> None:
        inner = [part.strip() for part in re.findall(r"[(（]([^)）]*)[)）]?", paren) if part.strip()]
        manner: list[str] = []
        words: list[str] = []
        for line in said:
            rest = line.strip().lstrip("~").strip('"“” ')
            while match := cues.MANNER_LEAD.match(rest):
                manner.append(match.group("manner").strip(" *_"))
                rest = rest[match.end() :]
            rest = cues.without_marks(cues.MANNER_INSIDE.sub(" ", rest)).strip(' "“”')
            if rest:
                words.append(rest)
        voice, detail = cues.extension(inner)
        self.elements.append(
            Element(
                "speech",
                "\n".join(words),
                first + 1,
                last + 1,
                character=re.sub(r"\s+", " ", name.strip()),
                detail=detail,
                manner=", ".join(m for m in manner if m),
                voice_over=voice or cues.narrates(name),
            )
        )

    def _paragraph(self, line: str, kind: str = "action") -> None:
        """Lines up to a blank one, a heading, a transition or a speech are one paragraph."""
        start = self.at
        parts = [line]
        while following := self._next():
            if (
                parse_heading(following) is not None
                or cues.is_transition(following)
                or following.startswith((">", "@", "#"))
                or cues.INSERT.match(following)
                or cues.CAPTION.match(following[:400])
                or self._begins_speech(following)
                or ((match := cues.TABBED.match(self.raw[self.at + 1])) and match.group("name") in self.tabbed)
            ):
                break
            parts.append(following)
            self.at += 1
        text = " ".join(parts).strip()
        if _wrapped(text):
            text = text[1:-1].strip()
        text = cues.without_marks(re.sub(r"\s+", " ", text))
        if self.dialect == "prose" and kind == "action" and (speeches := quoted_speeches(text)):
            for said in speeches:
                if said.speaker:
                    self._say(said.speaker, "", [said.text], start, self.at)
                else:
                    self._add(kind, said.text, start, self.at)
        else:
            self._add(kind, text, start, self.at)


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
