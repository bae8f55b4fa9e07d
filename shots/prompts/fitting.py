"""How long a prompt may be, how that is counted, and what goes when it is too long.

The rule: a word of Latin letters or digits counts 1 for every started six characters, any other letter (a Hangul
syllable, say) 2, every mark of punctuation 1. That is close to, and mostly above, what the models' own tokenizers
count; those are not at hand here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shots.prompts.facts import Fact

# sd: CLIP reads 77 tokens, two of which mark begin and end; what ComfyUI reads beyond weighs less and less.
# flux, edit (Kontext), wan: T5 and UMT5 are used at 512. qwen: its encoder reads 1024; longer than 512 it loses the
# layout. ltx: it is trained on paragraphs of about 200 words.
LIMITS = {"flux": 512, "sd": 75, "qwen": 512, "edit": 512, "wan": 512, "ltx": 300}
_UNITS = re.compile(r"[A-Za-z0-9\u00c0-\u024f]+|[^\s]")
_WORD = re.compile(r"\S+\s*")


def count(text: str) -> int:
    """The length of a text by the rule above."""
    total = 0
    for unit in _UNITS.findall(text):
        if unit[0].isascii() or "\u00c0" <= unit[0] <= "\u024f":
            total += -(-len(unit) // 6) if unit[0].isalnum() else 1
        else:
            total += 2 if unit.isalpha() else 1
    return total


@dataclass(frozen=True)
class Piece:
    """A fact's words at their place in a text.

    `opening` stands before them when they begin a sentence, `lead` when they follow; `tail` after them. `weight`: what
    goes first when the text is too long is the lightest, and of equals the last.
    """

    fact: Fact
    words: str
    weight: int
    lead: str = ", "
    opening: str = ""
    tail: str = ""


@dataclass(frozen=True)
class Placed:
    """A piece with the exact text around its words."""

    piece: Piece
    before: str
    words: str
    after: str


def prose(sentences: Sequence[Sequence[Piece]]) -> list[Placed]:
    """Sentences with a capital at the beginning and a full stop at the end."""
    placed: list[Placed] = []
    for sentence in sentences:
        for number, piece in enumerate(sentence):
            first, last = number == 0, number == len(sentence) - 1
            before = (" " if placed else "") + piece.opening if first else piece.lead
            words = _capital(piece) if first and not piece.opening else piece.words
            stop = "" if not last or (words + piece.tail).endswith((".", "!", "?", "…")) else "."
            placed.append(Placed(piece, before, words, piece.tail + stop))
    return placed


def tags(sentences: Sequence[Sequence[Piece]]) -> list[Placed]:
    """Everything after one another with commas between."""
    flat = [piece for sentence in sentences for piece in sentence]
    return [Placed(piece, ", " if number else "", piece.words, "") for number, piece in enumerate(flat)]


def _capital(piece: Piece) -> str:
    # Trigger words are names that a LoRA was trained on: their case is theirs.
    return piece.words if piece.fact.key == "trigger" else piece.words[:1].upper() + piece.words[1:]


def text_of(placed: Sequence[Placed]) -> str:
    return "".join(row.before + row.words + row.after for row in placed)


@dataclass(frozen=True)
class Fitted:
    """What stands in the text, and what was left out of it."""

    placed: list[Placed]
    left_out: list[Piece]


def fit(sentences: Sequence[Sequence[Piece]], *, limit: int, as_tags: bool) -> Fitted:
    """The text within the limit (0: none): first nothing takes more than half of it, then the lightest pieces go."""
    lay = tags if as_tags else prose
    kept = [[piece for piece in sentence if piece.words] for sentence in sentences]
    left_out: list[Piece] = []
    placed = lay(kept)
    if not limit or count(text_of(placed)) <= limit:
        return Fitted(placed, left_out)
    kept = [[_shortened(piece, max(1, limit // 2), left_out) for piece in sentence] for sentence in kept]
    while count(text_of(placed := lay(kept))) > limit:
        pieces = [piece for sentence in kept for piece in sentence]
        if len(pieces) <= 1:
            break
        lightest = min(piece.weight for piece in pieces)
        gone = [piece for piece in pieces if piece.weight == lightest][-1]
        left_out.append(gone)
        kept = [[piece for piece in sentence if piece is not gone] for sentence in kept]
    return Fitted(placed, left_out)


def _shortened(piece: Piece, most: int, left_out: list[Piece]) -> Piece:
    """The piece with as many whole words as `most` allows; the rest is left out."""
    if count(piece.words) <= most:
        return piece
    used, end = 0, 0
    for found in _WORD.finditer(piece.words):
        used += count(found.group())
        if used > most:
            break
        end = found.end()
    # A text without blanks has no better place to be cut than a letter.
    end = end or max(1, most // 2)
    left_out.append(replace(piece, words=piece.words[end:].strip()))
    return replace(piece, words=piece.words[:end].rstrip(" ,;:"))
