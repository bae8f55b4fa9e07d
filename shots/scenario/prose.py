"""Plain prose: quotations with their speakers, "said Mina" and "민준이 말했다"."""

import re
from dataclasses import dataclass

_QUOTE = re.compile(r"[\"“]([^\"“”]{1,1500})[\"”]")
_SAID_KO = re.compile(
    r"(?P<name>[가-힣]{1,6}?)(?:이|가|은|는|께서)\s+(?:[가-힣]{1,8}\s+){0,3}?"
    r"(?:말했|말하|말한|물었|묻는|대답|외쳤|외치|소리쳤|속삭|중얼|덧붙|되물|부르)"
)
_SAID_EN = re.compile(
    r"\b(?P<a>[A-Z][a-z]{1,15})\s+(?:says?|said|asks?|asked|replie[sd]|whispers?|whispered|shouts?|shouted|answers?|answered)\b"
    r"|\b(?:says|said|asks|asked|replies|replied|whispers|whispered|shouts|shouted|answers|answered)\s+(?P<b>[A-Z][a-z]{1,15})\b"
)
_NOBODY = frozenset({"He", "She", "They", "It", "그", "그녀", "누군", "아무", "모두"})


@dataclass(frozen=True)
class Piece:
    """Running text, or with `speaker` what somebody says."""

    text: str
    speaker: str = ""


def quoted_speeches(text: str) -> list[Piece]:
    """The paragraph as narration and speeches in order; empty when nobody can be told to speak in it."""
    quotes = list(_QUOTE.finditer(text)) if len(text) <= 20_000 else []
    if not quotes:
        return []
    speaker = _speaker(_QUOTE.sub(" ", text))
    if not speaker:
        return []
    pieces: list[Piece] = []
    at = 0
    for quote in quotes:
        _narrate(pieces, text[at : quote.start()])
        pieces.append(Piece(quote.group(1).strip(" ,"), speaker))
        at = quote.end()
    _narrate(pieces, text[at:])
    return pieces


def _narrate(pieces: list[Piece], text: str) -> None:
    told = text.strip(" ,")
    # What is left of "… 하고 민준이 말했다." shows nothing.
    if len(told) > 1 and not (len(told) < 40 and _speaker(told)):
        pieces.append(Piece(told))


def _speaker(text: str) -> str:
    if match := _SAID_KO.search(text):
        name = match.group("name")
    elif match := _SAID_EN.search(text):
        name = match.group("a") or match.group("b")
    else:
        return ""
    return "" if name in _NOBODY else name
