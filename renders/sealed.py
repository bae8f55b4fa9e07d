"""Versions as their folders tell them, for a project that is made again from its tree."""

import os
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from assets.metadata import VERSION_FILE
from assets.metadata_files import Unreadable, read_json
from assets.rebuilding import Entry, Rebuild
from renders.models import VersionState

_NUMBERS = ("width", "height", "frames")


class VersionsOnDisk:
    """What the version folders of a tree hold. Only whole ones count: every file there, of its size."""

    def __init__(self, rebuild: Rebuild, entries: list[Entry]) -> None:
        self.rebuild = rebuild
        self.told = {
            facts.get("path")
            for entry in entries
            for facts in entry.facts.get("versions", [])
            if isinstance(facts, dict) and isinstance(facts.get("path"), str)
        }
        # A version belongs to the nearest folder above it that has a row.
        owners = {entry.path for entry in entries if entry.path and entry.row is not None}
        self.loose: dict[str, list[str]] = {}
        for path in sorted(rebuild.versions - self.told):
            above = next((str(p) for p in PurePosixPath(path).parents if str(p) in owners), "")
            self.loose.setdefault(above, []).append(path)

    def sealed(self, where: str, facts: Mapping[str, Any]) -> dict[str, Any] | None:
        """The columns that the version's folder holds; None, with a warning, when it is not whole."""
        path = facts.get("path")
        if not isinstance(path, str) or path not in self.rebuild.versions:
            self.rebuild.warn(where, _("the version's folder is not there; the version is left out"))
            return None
        try:
            found, _digest = read_json(self.rebuild.root, f"{path}/{VERSION_FILE}")
        except Unreadable as error:
            self.rebuild.warn(where, _("%(why)s The version is left out.") % {"why": error})
            return None
        if problem := self._problem(path, facts, found):
            self.rebuild.warn(where, _("%(path)s: %(why)s; the version is left out") % {"path": path, "why": problem})
            return None
        return {
            "state": VersionState.PUBLISHED,
            "manifest": found["files"],
            "provenance": found["provenance"],
            "fps": found.get("fps", ""),
            **{name: found.get(name) for name in _NUMBERS},
        }

    def _problem(self, path: str, facts: Mapping[str, Any], found: Mapping[str, Any]) -> str:
        if (found.get("kind"), found.get("number")) != (facts.get("kind"), facts.get("number")):
            return _("it is sealed as another version")
        fps = found.get("fps", "")
        if not isinstance(fps, str) or len(fps) > 12 or not isinstance(found.get("provenance"), dict):
            return _("what it was sealed with cannot be read")
        if not all(found.get(name) is None or _whole(found[name], 2**31) for name in _NUMBERS):
            return _("what it was sealed with cannot be read")
        files = found.get("files")
        if not isinstance(files, list) or not files:
            return _("it is sealed without files")
        for entry in files:
            if not isinstance(entry, dict) or not self._there(path, entry):
                name = entry.get("name") if isinstance(entry, dict) else entry
                return _("%(name)s is missing or not whole") % {"name": str(name)[:80]}
        return ""

    def _there(self, path: str, entry: Mapping[str, Any]) -> bool:
        name = entry.get("name")
        if not isinstance(name, str) or any(part in ("", ".", "..") for part in name.split("/")):
            return False
        try:
            place = self.rebuild.root / path
            for part in name.split("/")[:-1]:
                place = place / part
                if place.is_symlink():
                    return False
            facts = os.lstat(self.rebuild.root / path / name)
        except OSError:
            return False
        return stat.S_ISREG(facts.st_mode) and facts.st_size == entry.get("size")

    def untold(self, entry: Entry) -> Iterator[tuple[str, dict[str, Any]]]:
        """Whole versions that the owner's file does not tell: published just before everything stopped."""
        for path in self.loose.get(entry.path or "", []) if entry.path else []:
            where = f"{path}/{VERSION_FILE}"
            try:
                found, _digest = read_json(self.rebuild.root, where)
                moment = datetime.fromtimestamp(os.lstat(self.rebuild.root / where).st_mtime, UTC).isoformat()
            except (Unreadable, OSError) as error:
                self.rebuild.warn(where, _("%(why)s The version is left out.") % {"why": error})
                continue
            if not _whole(found.get("number"), 10**6) or not isinstance(found.get("kind"), str):
                self.rebuild.warn(where, _("it does not say which version it is; it is left out"))
                continue
            self.rebuild.warn(where, _("the metadata of its owner does not tell it yet; it is taken as it lies there"))
            self.rebuild.stale.add((entry.row._meta.model_name, entry.row.pk))
            yield where, {
                "kind": found["kind"], "number": found["number"], "path": path, "created_at": moment,
                "published_at": moment,
            }  # fmt: skip


def _whole(value: Any, below: int) -> bool:
    return type(value) is int and 0 <= value < below
