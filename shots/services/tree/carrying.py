"""Folders carried to another place on disk, and the pointer that stays behind.

A folder in which no other row's folder lies is renamed whole. Where others lie below (shots in their scene), only
what is the folder's own goes, entry by entry: the others keep their places until they are moved themselves.
"""

import errno
import os
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path

from django.utils.translation import gettext as _

from aipipeline.media.files import fsync_dir
from aipipeline.projects.models import Project
from assets.metadata import SCHEMA, encode
from assets.naming import path_key
from shots.models import Folder, FolderState
from shots.services.tree.disk import Disk, InTheWay
from shots.services.tree.folders import folder_owner
from shots.services.tree.planning import Look, OddPlace

POINTER = "moved.json"


class Carrier:
    """One project's tree while folders of it move. `folders`: every row of the project."""

    def __init__(self, project: Project, folders: Iterable[Folder]) -> None:
        self.root = project.root
        self._by_key = {folder.key: folder for folder in folders}
        self._keys = sorted(self._by_key)

    def refusal(self, folder: Folder, target: str) -> str:
        """Why this folder cannot go there, in words with the way out; "" when it can."""
        key = path_key(target)
        if key.startswith(f"{folder.key}/") or folder.key.startswith(f"{key}/"):
            text = _("%(from)s cannot move to %(to)s: one lies inside the other. Move it by way of another name.")
            return text % {"from": folder.path, "to": target}
        try:
            look = Look(str(self.root))
            look.missing(folder.path)
            if look.missing(target):
                return ""
        except OddPlace as odd:
            return odd.words
        if foreign := [name for name in self._own(folder, target) if not self._is_pointer(folder, target, name)]:
            text = _("%(to)s is there already and holds %(name)s. Move it away, then try again.")
            return text % {"to": target, "name": foreign[0]}
        return ""

    def moved(self, folder: Folder, target: str) -> bool:
        """False when nothing of this folder has gone to the target yet."""
        if not os.path.isdir(self.root / folder.path):
            return True
        gone = os.path.isdir(self.root / target) and any(
            not self._is_pointer(folder, target, name) for name in self._own(folder, target)
        )
        return gone or not self._own(folder, folder.path)

    def carry(self, folder: Folder, target: str) -> None:
        """Bring the files there; again after a death it brings what is left. InTheWay, or OSError as it comes."""
        source, place = self.root / folder.path, self.root / target
        if not source.is_dir():
            return
        disk = Disk(self.root)
        disk.folder(target.rpartition("/")[0])
        if self._left_by(folder, target):
            (place / POINTER).unlink(missing_ok=True)
        mine = self._own(folder, folder.path)
        if len(mine) == len(os.listdir(source)) and self._rename_whole(source, place):
            return
        disk.folder(target)
        for name in mine:
            if os.path.lexists(place / name):
                text = _("%(to)s holds %(name)s already. Move it away, then try again.")
                raise InTheWay(text % {"to": target, "name": name}, f"{target}/{name}")
            os.rename(source / name, place / name)
        fsync_dir(place)
        fsync_dir(source)

    @staticmethod
    def _rename_whole(source: Path, place: Path) -> bool:
        try:
            os.rename(source, place)
        except OSError as error:
            # Folders of other rows lie in the new place already.
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
        fsync_dir(place.parent)
        fsync_dir(source.parent)
        return True

    def point(self, left: Folder, target: str) -> None:
        """Leave word in the old place; nothing where there were no files."""
        if not os.path.isdir(self.root / target):
            return
        disk = Disk(self.root)
        disk.folder(left.path)
        facts = {"schema": SCHEMA, "kind": "moved", "of": left.kind, "moved_to": target}
        disk.write(f"{left.path}/{POINTER}", encode(facts))
        disk.flush()

    def _own(self, folder: Folder, path: str) -> list[str]:
        """The entries at this path that are not, and do not lead to, the place of another row."""
        key = path_key(path)
        return [
            name for name in sorted(os.listdir(self.root / path)) if not self._leads(folder, f"{key}/{path_key(name)}")
        ]

    def _leads(self, folder: Folder, key: str) -> bool:
        if key in self._by_key and self._by_key[key].pk != folder.pk:
            return True
        at = bisect_left(self._keys, f"{key}/")
        return at < len(self._keys) and self._keys[at].startswith(f"{key}/")

    def _left_by(self, folder: Folder, target: str) -> bool:
        row = self._by_key.get(path_key(target))
        return row is not None and row.state == FolderState.LEFT and folder_owner(row) == folder_owner(folder)

    def _is_pointer(self, folder: Folder, target: str, name: str) -> bool:
        return name == POINTER and self._left_by(folder, target)
