"""One place of a production as each workstation writes it, by the path maps of the studio."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.projects.models import Project
from renders.models import PathMap

PLATFORMS = ("windows", "macos", "linux")
LABELS: dict[str, str | Promise] = {"windows": "Windows", "macos": "macOS", "linux": "Linux"}
NO_MAP = gettext_lazy(
    "No path map says where the workstations see this folder. Staff add one with “Path maps” on this page, "
    "or in the administration."
)


@dataclass(frozen=True)
class Form:
    """A path as one platform writes it; `path` is "" when no map says, and `note` then says what to do."""

    platform: str
    label: str
    path: str
    note: str = ""


@dataclass(frozen=True)
class Mapper:
    """The path maps, read once for many paths."""

    maps: tuple[PathMap, ...]

    @classmethod
    def read(cls) -> "Mapper":
        """All maps, those of the longest folders first. One query."""
        rows = sorted(PathMap.objects.all(), key=lambda row: len(_server(row).parts), reverse=True)
        return cls(tuple(rows))

    def forms(self, path: Path) -> list[Form]:
        """The three forms of a path on the server."""
        return [self._form(platform, path) for platform in PLATFORMS]

    def _form(self, platform: str, path: Path) -> Form:
        label = str(LABELS[platform])
        found = self._longest(path)
        if found is None:
            return Form(platform, label, "", str(NO_MAP))
        prefix = str(getattr(found, platform))
        if not prefix:
            text = _("The path map of %(folder)s says nothing for %(platform)s. Staff complete it with “Path maps”.")
            return Form(platform, label, "", text % {"folder": found, "platform": label})
        below = path.relative_to(_server(found)).parts
        return Form(platform, label, joined(platform, prefix, below))

    def _longest(self, path: Path) -> PathMap | None:
        return next((row for row in self.maps if path.is_relative_to(_server(row))), None)

    def server_path(self, text: str) -> Path | None:
        """The path on the server that somebody wrote as their workstation does; None when no map knows it."""
        best: tuple[int, Path] | None = None
        for row in self.maps:
            for platform in PLATFORMS:
                prefix = str(getattr(row, platform))
                below = _below(platform, prefix, text) if prefix else None
                if below is not None and (best is None or len(prefix) > best[0]):
                    best = (len(prefix), _server(row).joinpath(*below))
        return best[1] if best else None


def joined(platform: str, prefix: str, below: Sequence[str]) -> str:
    separator = "\\" if platform == "windows" else "/"
    head = prefix.rstrip("\\/") if below else prefix
    return separator.join([head, *below]) if below else head


def _below(platform: str, prefix: str, text: str) -> tuple[str, ...] | None:
    r"""The names after the prefix; Windows takes both \ and /, and capitals as they come."""
    windows = platform == "windows"
    whole = text.replace("\\", "/") if windows else text
    head = (prefix.replace("\\", "/") if windows else prefix).rstrip("/")
    same = whole[: len(head)].casefold() == head.casefold() if windows else whole.startswith(head)
    rest = whole[len(head) :]
    if not same or (rest and not rest.startswith("/")):
        return None
    return tuple(part for part in rest.split("/") if part)


def _server(row: PathMap) -> Path:
    return Path(row.server) if row.server else Path(settings.STORAGE_ROOT)


def inside(project: Project, text: str, mapper: Mapper) -> str | None:
    """The path below the project's folder of whatever was pasted: a workstation's, the server's; None for others.

    Quotes and `file://` around it are taken off.
    """
    text = text.strip().strip("\"'").removeprefix("file://")
    server = mapper.server_path(text)
    if server is None and text.startswith("/"):
        server = Path(text)
    if server is not None:
        root = Path(os.path.normpath(project.root))
        return server.relative_to(root).as_posix().removeprefix(".") if server.is_relative_to(root) else None
    if "\\" in text or "/" in text:
        parts = PurePosixPath(text.replace("\\", "/")).parts
        return "/".join(parts[1:] if parts[:1] == (project.code,) else parts)
    return None


def forms_json(forms: Sequence[Form]) -> dict[str, Any]:
    return {form.platform: {"path": form.path or None, "note": form.note} for form in forms}
