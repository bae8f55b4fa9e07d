"""What a path or a file name is: by the folders that rows have, and by the naming templates where none says so."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from aipipeline.projects.models import Project
from assets.naming import Known, NameContext, NamingTemplates, path_key, path_parts, read_below, read_name
from shots.models import Folder, Scene, Shot
from shots.services.tree.folders import OWN_FOLDERS, Owner, context_of, kind_of, owners_of

_IDENTITY = ("project", "scene", "shot", "character", "environment")


@dataclass(frozen=True)
class Found:
    """What a name says. `owner` is the row that it belongs to, None when the project has none of this name."""

    names: NameContext
    owner: Owner | None


class TreeReader:
    """Reads names of one project; make it once for many (five queries), it doesn't see later changes."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.templates = NamingTemplates.of(project.naming)
        owners = owners_of(project)
        self._owners: dict[NameContext, Owner] = {}
        for owner in owners:
            self._owners.setdefault(context_of(owner), owner)
        self.known = Known(self._owners)
        by_id = {(kind_of(owner), owner.pk): owner for owner in owners}
        self._folders: dict[str, Owner] = {}
        for folder in Folder.objects.filter(project=project).exclude(kind__in=OWN_FOLDERS):
            row = by_id.get((folder.kind, getattr(folder, f"{folder.kind}_id")))
            if row is not None:
                self._folders[folder.key] = row

    def read(self, text: str) -> Found:
        """What a file name or a path is; the path may begin in the project's folder or above it, on any system.

        Raises NotRead, or SeveralReadings, both with words for people.
        """
        parts = path_parts(self._inside(text))
        for count in range(len(parts), 0, -1):
            owner = self._folders.get(path_key(PurePosixPath(*parts[:count])))
            if owner is not None:
                rest = "/".join(parts[count:])
                return Found(read_below(self.templates, context_of(owner), rest, self.known), owner)
        names = read_name(self.templates, "/".join(parts), self.known)
        identity = NameContext(**{name: getattr(names, name) for name in _IDENTITY})
        return Found(names, self._owners.get(identity))

    def _inside(self, text: str) -> str:
        """The path below the project's folder: a workstation's own path has its mount and the code before it."""
        path = text.strip().replace("\\", "/")
        if len(path) > 4096 or not re.match(r"/|[A-Za-z]:", path):
            return text.strip()
        parts = [part for part in path.split("/") if part]
        code = path_key(self.project.code)
        at = next((index for index, part in enumerate(parts) if path_key(part) == code), None)
        return "/".join(parts[at + 1 :]) if at is not None and at + 1 < len(parts) else path


def owner_json(owner: Owner | None) -> dict[str, object] | None:
    """The row in the API's words: its kind, id and code or name."""
    if owner is None:
        return None
    name = owner.code if isinstance(owner, Scene | Shot) else owner.name
    return {"kind": kind_of(owner), "id": owner.pk, "name": name}
