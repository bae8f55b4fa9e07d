"""What a name is made of."""

import dataclasses
import datetime
import re
from dataclasses import dataclass
from typing import Any

from assets.naming.words import safe_name

DEFAULT_SCENE = "SCN_000"
KIND_FOLDERS = (
    "reference", "mask", "drop", "previz", "layout", "playblast", "motion", "render", "comp", "final",
)  # fmt: skip
# What {kind} may read as: a closed list, so that a name with underscores comes apart.
KINDS = (*KIND_FOLDERS, "lora")
MAX_VERSION = 999_999_999
_TEXTS = ("project", "scene", "shot", "kind", "character", "environment", "artist", "comment", "unique")
_NOT_EXT = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True)
class NameContext:
    """What a name is made of; empty parts ("" or 0 or None) have nothing to say.

    Text is made safe at once (`safe_name`), so that two contexts are equal when their names are. `ext` is lower
    case, letters and digits, at most 16 and without the dot; `version` is 1 or more, 0 for none.
    """

    project: str = ""
    scene: str = ""
    shot: str = ""
    kind: str = ""
    version: int = 0
    character: str = ""
    environment: str = ""
    artist: str = ""
    date: datetime.date | None = None
    ext: str = ""
    comment: str = ""
    unique: str = ""

    def __post_init__(self) -> None:
        for name in _TEXTS:
            if value := getattr(self, name):
                object.__setattr__(self, name, safe_name(value))
        object.__setattr__(self, "ext", _NOT_EXT.sub("", self.ext.lower())[:16])
        object.__setattr__(self, "version", min(max(int(self.version), 0), MAX_VERSION))
        if isinstance(self.date, datetime.datetime):
            object.__setattr__(self, "date", self.date.date())

    @property
    def owner(self) -> str:
        """What the context names: `shot`, `character`, `environment`, else `scene`."""
        return next((name for name in ("shot", "character", "environment") if getattr(self, name)), "scene")

    def but(self, **changes: Any) -> "NameContext":
        """The same with other parts."""
        return dataclasses.replace(self, **changes)

    def parts(self) -> dict[str, Any]:
        """The parts that are not empty, by name."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value for name, value in found.items() if value}
