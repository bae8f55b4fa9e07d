"""Which texts need a translation, and by what name a text's translation is known."""

import hashlib
import re
import unicodedata

# Letters beyond the Latin script: Hangul, kana, Han, Cyrillic and the rest.
_FOREIGN = re.compile(r"[^\W\d_\u0041-\u024f\u1e00-\u1eff]")
_LETTER = re.compile(r"[^\W\d_]")
TARGETS = ("en",)


def cleaned(text: str) -> str:
    """The text as its translations know it: composed (NFC), one blank between words."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_foreign(text: str) -> bool:
    """True when a model that reads English would not understand some of it."""
    return _FOREIGN.search(text) is not None


def mostly_foreign(text: str) -> bool:
    """True when more than a third of the letters are not Latin: no translation to English."""
    letters = len(_LETTER.findall(text))
    return letters == 0 or len(_FOREIGN.findall(text)) * 3 > letters


def text_hash(text: str) -> str:
    """The key of a text: 64 hex digits, the same for texts that only differ in blanks or in composition."""
    return hashlib.sha256(cleaned(text).encode("utf-8", "surrogatepass")).hexdigest()
