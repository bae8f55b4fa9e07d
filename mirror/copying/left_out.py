"""What of a project's tree is not copied: passing files, and versions of kinds that the target does not want."""

from collections.abc import Collection

from aipipeline.projects.models import Project
from mirror.copying.tree import is_passing
from renders.models import Version


class LeftOut:
    """`kinds`: the version kinds that are wanted, empty for all. Folders of the others are left out by their rows;
    what is no version (metadata, references, films) always goes along."""

    def __init__(self, project: Project, kinds: Collection[str]) -> None:
        self._folders: set[str] = set()
        if kinds:
            rows = Version.objects.filter(project=project).exclude(kind__in=list(kinds)).exclude(path="")
            self._folders = {path.rstrip("/") + "/" for path in rows.values_list("path", flat=True).iterator()}

    def skip(self, folder: str, name: str, is_folder: bool) -> bool:
        """For `Tree.walk`."""
        if is_passing(name, folder=is_folder):
            return True
        return is_folder and bool(self._folders) and f"{folder}{name}/" in self._folders

    def covers(self, path: str) -> bool:
        """True for a file in a folder that is left out: it may lie at the target from before."""
        if not self._folders:
            return False
        at = path.find("/")
        while at >= 0:
            if path[: at + 1] in self._folders:
                return True
            at = path.find("/", at + 1)
        return False
