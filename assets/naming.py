"""Names and places in the production tree: pure functions on a frozen NameContext, never on a row.

The tree is the default of docs/architecture.md. Names may be Korean; what a filesystem refuses is replaced by
rule, and two names that would collide after that are told apart by their row's id.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

DEFAULT_SCENE = "SCN_000"
KIND_FOLDERS = (
    "reference", "mask", "drop", "previz", "layout", "playblast", "motion", "render", "comp", "final",
)  # fmt: skip
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"COM{i}" for i in range(1, 10)),
    *(f"LPT{i}" for i in range(1, 10)),
}
MAX_BYTES = 120


@dataclass(frozen=True)
class NameContext:
    """What a name is made of; empty parts are left out of the path."""

    project: str
    scene: str = ""
    shot: str = ""
    character: str = ""
    environment: str = ""
    unique: str = ""
    kind: str = ""
    version: int = 0
    ext: str = ""


def safe_name(name: str) -> str:
    """A folder name that Windows, macOS and Linux take: NFC, no forbidden characters, at most 120 bytes."""
    text = unicodedata.normalize("NFC", name)
    text = _FORBIDDEN.sub("_", text)
    text = re.sub(r"\s+", "_", text).strip(" .") or "_"
    if text.split(".")[0].upper() in _RESERVED:
        text = f"_{text}"
    while len(text.encode()) > MAX_BYTES:
        text = text[:-1]
    return text.rstrip(" .") or "_"


def collision_key(name: str) -> str:
    """Two names with the same key are one folder on a case-insensitive filesystem."""
    return unicodedata.normalize("NFC", safe_name(name)).casefold()


def scene_folder(names: NameContext) -> PurePosixPath:
    return PurePosixPath("scenes") / safe_name(names.scene or DEFAULT_SCENE)


def shot_folder(names: NameContext) -> PurePosixPath:
    """scenes/SCN_010/shots/SHT_0010, relative to the project."""
    return scene_folder(names) / "shots" / safe_name(names.shot)


def character_folder(names: NameContext) -> PurePosixPath:
    """assets/characters/CHR_리나; `unique` tells colliding names apart."""
    return PurePosixPath("assets/characters") / _told_apart(f"CHR_{safe_name(names.character)}", names.unique)


def environment_folder(names: NameContext) -> PurePosixPath:
    return PurePosixPath("assets/environments") / _told_apart(f"ENV_{safe_name(names.environment)}", names.unique)


def _told_apart(name: str, unique: str) -> str:
    return f"{name}_{safe_name(unique)}" if unique else name


def owner_folder(names: NameContext) -> PurePosixPath:
    """The folder of whatever the context names: a shot, a character or an environment."""
    if names.shot:
        return shot_folder(names)
    if names.character:
        return character_folder(names)
    return environment_folder(names)


def version_folder(names: NameContext, kind: str, number: int) -> PurePosixPath:
    """…/SHT_0010/previz/v001."""
    return owner_folder(names) / kind / f"v{number:03d}"


PROJECT_FOLDERS = (
    "scenario", "assets/characters", "assets/environments", "scenes", "edit/proxy", "edit/edl", "edit/audio",
    "export/dailies", "export/final",
)  # fmt: skip


def path_key(path: str) -> str:
    return "/".join(collision_key(part) for part in path.split("/")) if path else ""


class NamingTemplates:
    @classmethod
    def of(cls, naming: object) -> "NamingTemplates":
        return cls()

    def folder(self, kind: str, names: NameContext) -> PurePosixPath:
        if kind == "scene":
            return scene_folder(names)
        return {"shot": shot_folder, "character": character_folder, "environment": environment_folder}[kind](names)

    def version(self, names: NameContext) -> PurePosixPath:
        return PurePosixPath(names.kind) / f"v{names.version:03d}"  # type: ignore[attr-defined]

    def file(self, names: NameContext) -> str:
        return ""
