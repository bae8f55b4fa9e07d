"""Scenario files to text: encodings told apart, everything that is no text refused."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath

from django.utils.translation import gettext_lazy as _

from aipipeline.projects.errors import Invalid

# Some 2,000 pages. Breaking a text down takes at most a few seconds a megabyte, whatever is in it.
MAX_BYTES = 2 * 1024 * 1024
SUFFIXES = (".txt", ".fountain", ".md")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ufffe]")


class ScenarioError(Invalid):
    """The text cannot be read as a scenario; the message says what to do."""

    code = "scenario_unreadable"


@dataclass(frozen=True)
class ScriptText:
    """`text` is NFC with "\\n" line ends; `filename` helps to tell the dialect."""

    text: str
    filename: str


def read_text(data: bytes, filename: str) -> ScriptText:
    """Decode a scenario: UTF-8 or UTF-16 with or without a mark, or Korean cp949. ScenarioError for all else."""
    name = PurePath(filename).name[:120] or "scenario"
    if PurePath(filename).suffix.lower() not in SUFFIXES:
        raise ScenarioError(
            _refusal(_("%(name)s: this kind of file is not read. Save the scenario as .txt or .fountain."), name)
        )
    if len(data) > MAX_BYTES:
        raise too_large(name)
    text = _LINE_ENDS.sub("\n", _decode(data, name))
    text = unicodedata.normalize("NFC", text)
    if not text.strip():
        raise ScenarioError(_("The text is empty. Paste a scenario or choose another file."))
    return ScriptText(text=text, filename=filename)


def too_large(name: str) -> ScenarioError:
    """The refusal of a text over MAX_BYTES."""
    message = _("%(name)s is larger than %(limit)s MB. Send the text alone, or a long series episode by episode.")
    return ScenarioError(str(message) % {"name": name[:120], "limit": MAX_BYTES // 1024**2})


def _refusal(message: object, name: str) -> str:
    return str(message) % {"name": name}


def _decode(data: bytes, name: str) -> str:
    for encoding in _candidates(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        controls = len(_CONTROLS.findall(text)) - text.count("\ufeff")
        # A stray control character is a slip of some editor; one in five hundred is a binary file.
        if controls <= len(text) // 500:
            return _CONTROLS.sub("", text)
    raise ScenarioError(
        _refusal(_("%(name)s is no text that can be read (UTF-8 or Korean cp949). Save it as UTF-8 text."), name)
    )


def _candidates(data: bytes) -> tuple[str, ...]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16",)
    if b"\x00" not in data:
        return ("utf-8-sig", "cp949")
    # Without a mark, UTF-16 shows by its line ends and spaces, whose zero bytes stand all on one side.
    little = data[:4000].count(b"\n\x00") + data[:4000].count(b" \x00")
    big = data[:4000].count(b"\x00\n") + data[:4000].count(b"\x00 ")
    if len(data) % 2 == 0 and max(little, big) > len(data[:4000]) // 200:
        return ("utf-16-le",) if little >= big else ("utf-16-be",)
    return ()
