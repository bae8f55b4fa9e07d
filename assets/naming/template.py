"""The template language: `{project}_{shot:03}<_{comment}>.{ext}` is parsed once and filled many times.

`{token}` is a part of the NameContext, `{token:spec}` the same with `upper`, `lower` or a width (`03`: the number
in it padded to 3 digits, with the letters after it). `<…>` is an optional part: it vanishes when every token in it
is empty. Everything else stands for itself. There are no loops, no conditions, no code.
"""

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from assets.naming.context import NameContext
from assets.naming.words import FORBIDDEN, MAX_PART_BYTES, cut, hangs, is_reserved, safe_name

TOKENS = (
    "project", "scene", "shot", "kind", "version", "character", "environment", "artist", "date", "ext", "comment",
)  # fmt: skip
MAX_TEMPLATE = 200
MAX_TOKENS = 12
MAX_DEPTH = 3
_WIDTH = re.compile(r"0[1-9]")
_NUMBER = re.compile(r"([0-9]+)([^0-9]*)\Z")
_WIDE = frozenset({"project", "scene", "shot", "version", "character", "environment"})


class TemplateError(ValueError):
    """A template that cannot be used: what is wrong, and where (a slice of its text) when it has a place."""

    def __init__(self, message: str, place: int | None = None, length: int = 1) -> None:
        self.message, self.place, self.length = message, place, length
        super().__init__(message)


@dataclass(frozen=True)
class Literal:
    text: str


@dataclass(frozen=True)
class Token:
    name: str
    spec: str = ""


@dataclass(frozen=True)
class Optional:
    body: "tuple[Element, ...]"


Element = Literal | Token | Optional


def value_of(token: Token, names: NameContext) -> str:
    """The text of a token in a context; "" when it has nothing to say."""
    if token.name == "version":
        width = int(token.spec) if token.spec.isdigit() else 3
        text = f"v{names.version:0{width}d}" if names.version else ""
    elif token.name == "date":
        text = names.date.isoformat().replace("-", "") if names.date else ""
    else:
        text = getattr(names, token.name)
        if token.spec.isdigit():
            return _padded(text, int(token.spec))
    if token.spec == "upper":
        return unicodedata.normalize("NFC", text.upper())
    if token.spec == "lower":
        return unicodedata.normalize("NFC", text.lower())
    return text


def _padded(text: str, width: int) -> str:
    """The last number of a code with what follows it, `A-10B` -> `010B`; a code without a number as it is."""
    found = _NUMBER.search(text)
    if found is None:
        return text
    digits, tail = found.groups()
    return digits.lstrip("0").rjust(width, "0") + tail


@dataclass(frozen=True)
class Template:
    """A parsed template. `source` is the text it was made of."""

    source: str
    body: tuple[Element, ...]

    def fill(self, names: NameContext) -> str:
        """The text as the template says, before the last care for filesystems."""
        return unicodedata.normalize("NFC", _fill(self.body, names))

    def format(self, names: NameContext) -> str:
        """A path (or a name, of a template without `/`) that every filesystem takes; never empty."""
        parts = [finish(part) for part in self.fill(names).split("/") if part]
        return "/".join(parts) or "_"

    def tokens(self) -> Iterator[Token]:
        """Every token in order, those of optional parts too."""
        return _tokens(self.body)

    def required(self) -> frozenset[str]:
        """The tokens that stand outside of optional parts."""
        return frozenset(element.name for element in self.body if isinstance(element, Token))

    def also(self, *more: Element) -> "Template":
        return Template(self.source, (*self.body, *more))


def _fill(body: tuple[Element, ...], names: NameContext) -> str:
    text = []
    for element in body:
        if isinstance(element, Literal):
            text.append(element.text)
        elif isinstance(element, Token):
            text.append(value_of(element, names))
        elif any(value_of(token, names) for token in _tokens(element.body)):
            text.append(_fill(element.body, names))
    return "".join(text)


def _tokens(body: tuple[Element, ...]) -> Iterator[Token]:
    for element in body:
        if isinstance(element, Token):
            yield element
        elif isinstance(element, Optional):
            yield from _tokens(element.body)


def finish(part: str) -> str:
    """The last care for one part of a path: no dot or space at its ends, no device's name, at most 255 bytes.

    A longer one keeps its start, its extension and a digest of the whole, so that two of them stay two.
    """
    part = part.strip(" .") or "_"
    if is_reserved(part):
        part = f"_{part}"
    if len(part.encode()) <= MAX_PART_BYTES:
        return part
    stem, dot, ext = part.rpartition(".")
    tail = f"~{hashlib.sha256(part.encode()).hexdigest()[:8]}"
    tail += dot + ext if stem and len(ext.encode()) <= 16 else ""
    return cut(part, MAX_PART_BYTES - len(tail.encode())).rstrip(" .") + tail


def parse_template(source: str, allowed: tuple[str, ...] = TOKENS) -> Template:
    """Parse a template; TemplateError names the first thing that is wrong, its place and the remedy."""
    if not source.strip():
        raise TemplateError(_("The template is empty."))
    if len(source) > MAX_TEMPLATE:
        raise TemplateError(
            _("A template has at most %(limit)d characters.") % {"limit": MAX_TEMPLATE}, MAX_TEMPLATE, len(source)
        )
    template = Template(source, _Parser(source, allowed).body(0))
    if sum(1 for _token in template.tokens()) > MAX_TOKENS:
        raise TemplateError(_("A template has at most %(limit)d tokens.") % {"limit": MAX_TOKENS})
    return template


class _Parser:
    def __init__(self, source: str, allowed: tuple[str, ...]) -> None:
        self.source, self.allowed, self.at = source, allowed, 0

    def body(self, depth: int, opened: int = 0) -> tuple[Element, ...]:
        found: list[Element] = []
        while self.at < len(self.source):
            char = self.source[self.at]
            if char == "{":
                found.append(self._token())
            elif char == "<":
                found.append(self._optional(depth))
            elif char == ">" and depth:
                return tuple(found)
            elif char in "}>":
                raise TemplateError(_("%(sign)s closes nothing that was opened.") % {"sign": char}, self.at)
            else:
                found.append(self._literal())
        if depth:
            raise TemplateError(_("This optional part is not closed: a > is missing."), opened)
        return tuple(found)

    def _optional(self, depth: int) -> Optional:
        opened = self.at
        if depth >= MAX_DEPTH:
            raise TemplateError(_("Optional parts lie too deep in one another."), opened)
        self.at += 1
        part = Optional(self.body(depth + 1, opened))
        self.at += 1
        if not any(True for _token in _tokens(part.body)):
            raise TemplateError(
                _("An optional part needs a token: it vanishes when the token is empty."), opened, self.at - opened
            )
        return part

    def _token(self) -> Token:
        opened = self.at
        closed = self.source.find("}", opened)
        other = self.source.find("{", opened + 1)
        if closed < 0 or -1 < other < closed:
            raise TemplateError(_("This token is not closed: a } is missing."), opened)
        self.at = closed + 1
        name, colon, spec = self.source[opened + 1 : closed].partition(":")
        length = self.at - opened
        if name not in TOKENS:
            raise TemplateError(_unknown(name, self.allowed), opened, length)
        if name not in self.allowed:
            words = {"name": f"{{{name}}}", "names": _listed(self.allowed)}
            raise TemplateError(_("%(name)s has no place here. Use %(names)s.") % words, opened, length)
        if colon:
            _check_spec(name, spec, opened, length)
        return Token(name, spec)

    def _literal(self) -> Literal:
        start = self.at
        while self.at < len(self.source) and self.source[self.at] not in "{}<>":
            _check_char(self.source, self.at)
            self.at += 1
        return Literal(unicodedata.normalize("NFC", self.source[start : self.at]))


def _unknown(name: str, allowed: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name.strip().lower()[:40], allowed, 1, 0.4)
    words = {"name": f"{{{name[:40]}}}", "near": f"{{{near[0]}}}" if near else "", "names": _listed(allowed)}
    if near:
        return _("There is no token %(name)s. Did you mean %(near)s?") % words
    return _("There is no token %(name)s. Use %(names)s.") % words


def _listed(names: tuple[str, ...]) -> str:
    return " ".join(f"{{{name}}}" for name in names)


def _check_spec(name: str, spec: str, place: int, length: int) -> None:
    if spec in ("upper", "lower") and name not in ("date", "ext"):
        return
    if _WIDTH.fullmatch(spec) and name in _WIDE:
        return
    ways = [":03"] if name in _WIDE else []
    ways += [] if name in ("date", "ext") else [":upper", ":lower"]
    words = {"spec": f":{spec[:20]}", "name": f"{{{name}}}", "ways": " ".join(ways)}
    if ways:
        raise TemplateError(_("%(name)s knows no %(spec)s. It takes %(ways)s.") % words, place, length)
    raise TemplateError(_("%(name)s takes nothing after a colon.") % words, place, length)


def _check_char(source: str, at: int) -> None:
    char = source[at]
    if char == "/":
        return
    if char == "\\":
        raise TemplateError(_("Write / between folders, not \\."), at)
    if char == ":" and at == 1 and source[0].isalpha():
        raise TemplateError(_("A template begins in the project's folder: it names no drive."), 0, 2)
    if char in FORBIDDEN:
        raise TemplateError(_("Windows refuses %(sign)s in a name.") % {"sign": char}, at)
    if unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp"):
        words = {"code": f"U+{ord(char):04X}"}
        raise TemplateError(_("A control character (%(code)s) cannot be in a name.") % words, at)
    if char == " ":
        return
    if hangs(char) and (at == 0 or source[at - 1] in "{}<>/"):
        raise TemplateError(_("%(sign)s hangs on the character before it: write it whole.") % {"sign": f"◌{char}"}, at)
    if not hangs(char) and safe_name(char) != char and char != ".":
        words = {"code": f"U+{ord(char):04X}"}
        raise TemplateError(_("An invisible character (%(code)s) cannot be in a name.") % words, at)
