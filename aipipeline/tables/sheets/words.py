"""Which words of a cell changed: for the eyes of the person who decides."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

MAX_WORDS = 400
_WORD = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Span:
    """A piece of a text; `changed` when the other text does not have it there."""

    text: str
    changed: bool


def changed_words(old: str, new: str) -> tuple[list[Span], list[Span]]:
    """Both texts in pieces. Long texts are shown as changed as a whole."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    if not before or not after or len(before) > MAX_WORDS or len(after) > MAX_WORDS:
        return [Span(old, True)] if old else [], [Span(new, True)] if new else []
    left: list[Span] = []
    right: list[Span] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if a < b:
            left.append(Span("".join(before[a:b]), kind != "equal"))
        if c < d:
            right.append(Span("".join(after[c:d]), kind != "equal"))
    return left, right
