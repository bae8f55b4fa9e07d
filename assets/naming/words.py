"""Single words of a path: what Windows, macOS and Linux all take, and when two of them are one.

The rules, and why: `<>:"/\\|?*` and control characters are refused by Windows; lone surrogates, private-use and
unassigned code points are refused or remapped by macOS (APFS, SMB); invisible characters (zero-width, direction
marks, variation selectors, Hangul fillers) make two different names look equal; device names (CON, COM1, COM¹)
are refused by Windows with any extension; leading and trailing dots and spaces are hidden or eaten.
"""

import re
import unicodedata
from functools import lru_cache
from pathlib import PurePath

MAX_BYTES = 120
MAX_PART_BYTES = 255
FORBIDDEN = frozenset('<>:"/\\|?*')
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"]
    + [f"{name}{digit}" for name in ("COM", "LPT") for digit in "0123456789¹²³"]
)
# Shown as nothing at all, yet not of category Cf: joiners, fillers of Hangul and Khmer, variation selectors.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
# U+2800 is a Braille cell without a dot: a blank that no whitespace class knows.
_BLANK = re.compile("[\\s\u2800]+")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
# Vowels and final consonants of conjoining Hangul, skin tones of emoji: they hang on the character before.
_HANGS = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff\U0001f3fb-\U0001f3ff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")


def is_reserved(name: str) -> bool:
    """A device's name on Windows, with or without an extension: CON, con.txt, COM1, `COM¹.tar.gz`."""
    return name.split(".")[0].rstrip(" ").upper() in _DEVICES


def hangs(char: str) -> bool:
    """True when the character belongs to the one before it: accents, vowel signs, jamo, skin tones."""
    return unicodedata.category(char)[0] == "M" or bool(_HANGS.match(char))


def cut(text: str, limit: int) -> str:
    """The start of the text in at most `limit` bytes of UTF-8, never ending inside of a combining sequence."""
    if len(text.encode()) <= limit:
        return text
    end = len(text.encode()[:limit].decode(errors="ignore"))
    while end and (hangs(text[end]) or _splits_a_flag(text, end)):
        end -= 1
    return text[:end]


def _splits_a_flag(text: str, end: int) -> bool:
    if not _FLAG.match(text[end]):
        return False
    start = end
    while start and _FLAG.match(text[start - 1]):
        start -= 1
    return (end - start) % 2 == 1


def safe_name(name: str) -> str:
    """A folder name that every system takes: NFC, nothing forbidden or invisible, at most 120 bytes; never empty.

    Applied twice it changes nothing more. What is replaced becomes `_`.
    """
    if _PLAIN.fullmatch(name) and len(name) <= MAX_BYTES and not is_reserved(name):
        return name
    return _safe(name)


@lru_cache(maxsize=8192)
def _safe(name: str) -> str:
    # Longer text cannot matter: one character in fifty would have to survive.
    text, before = name[: MAX_BYTES * 50], None
    while text != before:
        before = text
        text = _step(text)
    return text


def _step(text: str) -> str:
    text = unicodedata.normalize("NFC", text.encode(errors="replace").decode())
    text = "".join(char for char in _INVISIBLE.sub("", text) if unicodedata.category(char) != "Cf")
    text = unicodedata.normalize("NFC", text)
    text = _BLANK.sub("_", text)
    text = "".join("_" if _refused(char) else char for char in text).strip(" .") or "_"
    if is_reserved(text) or hangs(text[0]):
        # A first character that hangs would melt into whatever a template writes before it.
        text = f"_{text}"
    return cut(text, MAX_BYTES).rstrip(" .") or "_"


def _refused(char: str) -> bool:
    return char in FORBIDDEN or unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs")


def fold(text: str) -> str:
    """Two names with the same fold are one name to a filesystem that ignores case and normalisation."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def collision_key(name: str) -> str:
    """Two names with the same key would be one folder once they are made safe."""
    return fold(safe_name(name))


def path_key(path: PurePath | str) -> str:
    """Two relative paths with the same key are one place on a case-insensitive filesystem."""
    return fold(path if isinstance(path, str) else path.as_posix())
