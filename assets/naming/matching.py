"""A template read backwards: every context that it would have turned into a given text.

No regular expression is run over the text as a whole. The template is a small graph; for each (place in the
graph, place in the text) it is worked out once whether the rest can be read at all, and only ways that can are
walked. The work grows with the text's length times a name's length, whatever the text.
"""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from assets.naming.context import DEFAULT_SCENE, KINDS, NameContext
from assets.naming.template import Element, Literal, Template, Token, value_of
from assets.naming.words import fold, is_reserved

# What a row of the project is known by; the rest of a name is read by its shape.
IDENTITY = ("project", "scene", "shot", "character", "environment", "unique")
MAX_READINGS = 20
_MAX_STEPS = 20_000
_VERSION = re.compile(r"[vV]([0-9]{1,9})")
_DATE = re.compile(r"[0-9]{8}")
_EXT = re.compile(r"[0-9A-Za-z]{1,16}")


class NotRead(ValueError):
    """A text that no template of the project would have written; the message says why."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@dataclass(frozen=True)
class Reading:
    """One way to read a text: the context, and where in the text the template ended."""

    names: NameContext
    end: int


class Index:
    """The contexts that exist, by what one template makes of their identity; built once, then looked up."""

    def __init__(self, template: Template, entries: Sequence[tuple[NameContext, NameContext]]) -> None:
        """`entries`: what a context is called (with the default scene filled in), and the context itself."""
        self.tokens = tuple(dict.fromkeys(token for token in template.tokens() if token.name in IDENTITY))
        self.values: dict[Token, set[str]] = {token: set() for token in self.tokens}
        lengths: dict[Token, set[int]] = {token: set() for token in self.tokens}
        self.found: dict[tuple[str, ...], list[NameContext]] = {}
        for shown, names in entries:
            values = [value_of(token, shown) for token in self.tokens]
            for token, value in zip(self.tokens, values, strict=True):
                self.values[token].add(fold(value))
                # Capitals and small letters may differ in number: ß and SS, ﬁ and FI.
                lengths[token] |= {len(value), len(fold(value))}
            self.found.setdefault(tuple(fold(value) for value in values), []).append(names)
        self.lengths = {token: sorted(found, reverse=True) for token, found in lengths.items()}


@dataclass(frozen=True)
class _Node:
    element: Element | None
    follow: int
    other: int = -1
    inside: bool = False


def _graph(template: Template) -> tuple[list[_Node], int]:
    nodes: list[_Node] = [_Node(None, -1)]

    def add(body: Sequence[Element], follow: int, inside: bool) -> int:
        for element in reversed(body):
            if isinstance(element, Literal | Token):
                nodes.append(_Node(element, follow, inside=inside))
            else:
                nodes.append(_Node(element, add(element.body, follow, True), other=follow))
            follow = len(nodes) - 1
        return follow

    return nodes, add(template.body, 0, False)


class Matcher:
    """Reads one text by one template. `index`: only what exists; `given`: parts that are known already."""

    def __init__(
        self,
        template: Template,
        text: str,
        *,
        folder: bool,
        index: Index | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self.template, self.text, self.folder, self.index = template, text, folder, index
        self.given = dict(given or {})
        self.nodes, self.start = _graph(template)
        self.can: dict[tuple[int, int], bool] = {}
        self.steps = 0
        shown = self._shown(NameContext(**self.given))
        self.fixed = {token: value_of(token, shown) for token in template.tokens() if token.name in self.given}

    def readings(self, *, whole: bool = True) -> list[Reading]:
        """At most MAX_READINGS + 1 different readings; `whole=False` takes a path that goes on below."""
        found: list[Reading] = []
        for values, end in self._walk(self.start, 0, {}):
            if whole and end != len(self.text):
                continue
            for names in self._contexts(values):
                reading = Reading(names, end)
                if reading not in found and self._says(names, end):
                    found.append(reading)
                if len(found) > MAX_READINGS:
                    return found
        return found

    def _shown(self, names: NameContext) -> NameContext:
        return names.but(scene=DEFAULT_SCENE) if self.folder and not names.scene else names

    def _says(self, names: NameContext, end: int) -> bool:
        return fold(self.template.fill(self._shown(names))) == fold(self.text[:end])

    def _contexts(self, values: dict[Token, str]) -> Iterator[NameContext]:
        parts: dict[str, Any] = {}
        for token, text in values.items():
            if self.index is not None and token.name in IDENTITY and token.name not in self.given:
                continue
            if text and (not token.spec or token.name not in parts):
                parts[token.name] = _parsed(token, text)
        parts |= self.given
        if self.index is None:
            names = NameContext(**parts)
            # A value that a context would not hold as it is was never written by a template.
            if all(getattr(names, name) == value for name, value in parts.items()):
                yield names
            return
        key = tuple(fold(values.get(token, "")) for token in self.index.tokens)
        for known in self.index.found.get(key, ())[: MAX_READINGS + 1]:
            yield known.but(**parts)

    def _walk(self, at: int, pos: int, values: dict[Token, str]) -> Iterator[tuple[dict[Token, str], int]]:
        if not self._feasible(at, pos):
            return
        self.steps += 1
        if self.steps > _MAX_STEPS:
            raise NotRead(_("This name can be read in too many ways."))
        node = self.nodes[at]
        if node.element is None:
            yield values, pos
            return
        if node.other >= 0:
            yield from self._walk(node.other, pos, values)
            yield from self._walk(node.follow, pos, values)
            return
        for end in self._ends(node, pos):
            more = values
            if isinstance(node.element, Token):
                text = self.text[pos:end]
                if fold(values.get(node.element, text)) != fold(text):
                    continue
                more = {**values, node.element: text}
            yield from self._walk(node.follow, end, more)

    def _feasible(self, at: int, pos: int) -> bool:
        known = self.can.get((at, pos))
        if known is None:
            node = self.nodes[at]
            if node.element is None:
                known = pos == len(self.text) or self.text[pos] == "/"
            elif node.other >= 0:
                known = self._feasible(node.other, pos) or self._feasible(node.follow, pos)
            else:
                known = any(self._feasible(node.follow, end) for end in self._ends(node, pos))
            self.can[at, pos] = known
        return known

    def _ends(self, node: _Node, pos: int) -> Iterator[int]:
        element = node.element
        if isinstance(element, Literal):
            yield from self._of(pos, [element.text])
            return
        assert isinstance(element, Token)
        if element in self.fixed:
            yield from self._of(pos, [self.fixed[element]])
            return
        if self.index is not None and element.name in IDENTITY:
            known = self.index.values[element]
            for length in self.index.lengths[element]:
                end = pos + length
                if (length or node.inside) and end <= len(self.text) and fold(self.text[pos:end]) in known:
                    yield end
            return
        yield from self._shaped(element, pos)
        if node.inside:
            yield pos

    def _of(self, pos: int, words: Sequence[str]) -> Iterator[int]:
        for word in words:
            # ß may have become SS: the same name to a filesystem, of another length.
            for length in {len(word), len(fold(word))}:
                if pos + length <= len(self.text) and fold(self.text[pos : pos + length]) == fold(word):
                    yield pos + length

    def _shaped(self, token: Token, pos: int) -> Iterator[int]:
        """Where a token that begins at `pos` could end, by the shape of its value; longest first."""
        if token.name == "unique":
            return
        if token.name == "kind":
            yield from self._of(pos, KINDS)
        elif token.name == "version":
            width = int(token.spec) if token.spec.isdigit() else 3
            if found := _VERSION.match(self.text, pos):
                digits = found[1]
                # v001 and v1000 are written by :03, v0001 and v01 are not.
                long = range(len(digits), width, -1) if digits[0] != "0" else ()
                yield from (pos + 1 + length for length in (*long, *([width] if len(digits) >= width else [])))
        elif token.name == "date":
            if _DATE.match(self.text, pos) and _day(self.text[pos : pos + 8]):
                yield pos + 8
        elif token.name == "ext":
            if found := _EXT.match(self.text, pos):
                yield from range(found.end(), pos, -1)
        else:
            slash = self.text.find("/", pos)
            yield from range(len(self.text) if slash < 0 else slash, pos, -1)


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _parsed(token: Token, text: str) -> Any:
    if token.name == "version":
        return int(text[1:])
    if token.name == "date":
        return _day(text)
    if token.name == "kind":
        return fold(text)
    return text.lower() if token.name == "ext" else text


def match(
    template: Template,
    text: str,
    *,
    folder: bool,
    index: Index | None = None,
    given: Mapping[str, Any] | None = None,
    whole: bool = True,
) -> list[Reading]:
    """Every reading of a text (NFC) by a template; see Matcher. Undoes the `_` before a device's name.

    `folder`: the template is one of folders, in which an empty scene is called SCN_000.
    """
    found = Matcher(template, text, folder=folder, index=index, given=given).readings(whole=whole)
    plain = "/".join(part[1:] if part[:1] == "_" and is_reserved(part[1:]) else part for part in text.split("/"))
    if plain != text:
        taken = len(text) - len(plain)
        again = Matcher(template, plain, folder=folder, index=index, given=given).readings(whole=whole)
        found += [Reading(reading.names, reading.end + taken) for reading in again]
    return found
