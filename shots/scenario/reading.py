"""Scenario files to text: encodings told apart, everything that is no text refused."""

import unicodedata
from dataclasses import dataclass
from pathlib import PurePath

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid

MAX_BYTES = 5 * 1024 * 1024
SUFFIXES = (".txt", ".fountain", ".md")


class ScenarioError(Invalid):
    """The text cannot be read as a scenario; the message says what to do."""

    code = "scenario_unreadable"


@dataclass(frozen=True)
class ScriptText:
    """`text` is NFC with "\\n" line ends; `filename` decides nothing but whether `#` lines are Fountain's."""

    text: str
    filename: str


def read_text(data: bytes, filename: str) -> ScriptText:
    """Decode a scenario: UTF-8, UTF-16 with a mark, or Korean cp949. ScenarioError for anything else."""
    suffix = PurePath(filename).suffix.lower()
    if suffix not in SUFFIXES:
        raise ScenarioError(
            _("%(name)s: this kind of file is not read. Save the scenario as .txt or .fountain.")
            % {"name": PurePath(filename).name}
        )
    if len(data) > MAX_BYTES:
        raise ScenarioError(
            _("%(name)s is larger than 5 MB. Send the text alone, without pictures.")
            % {"name": PurePath(filename).name}
        )
    text = _decode(data, PurePath(filename).name)
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if not text.strip():
        raise ScenarioError(_("The text is empty. Paste a scenario or choose another file."))
    return ScriptText(text=text, filename=filename)


def _decode(data: bytes, name: str) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        candidates = ["utf-16"]
    elif b"\x00" in data:
        candidates = []
    else:
        candidates = ["utf-8-sig", "cp949"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        controls = sum(1 for c in text if unicodedata.category(c) == "Cc" and c not in "\n\r\t\f\v")
        if controls <= len(text) // 500:
            return "".join(c for c in text if c in "\n\r\t" or unicodedata.category(c) != "Cc")
    raise ScenarioError(
        _("%(name)s is no text that can be read (UTF-8 or Korean cp949). Save it as UTF-8 text.") % {"name": name}
    )
