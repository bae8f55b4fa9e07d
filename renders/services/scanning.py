"""What the disk holds and the database does not, and the reverse: a look at a project's tree that changes nothing.

The tree is read folder by folder and the rows in portions, so that a tree of any size takes little memory. Links are
named and never followed; temporary and hidden files are passed over.
"""

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.media.storage import StorageError
from aipipeline.projects.models import Project
from assets.metadata import META_NAMES
from assets.naming import PROJECT_FOLDERS
from renders.models import Version, VersionKind, VersionState
from renders.services.sealing import MANIFEST, sealed_facts
from shots.models import Folder, FolderState
from shots.services.tree.folders import OWN_FOLDERS

Progress = Callable[[float, str], None]
MOST = 500
DEEPEST = 40
DROP = "drop"
PORTION = 500
_CHUNK = 4 * 1024**2
# What the studio itself writes beside versions: metadata, what somebody edited in it by hand, pointers.
OURS = re.compile(
    rf"({'|'.join(re.escape(name.removesuffix('.json')) for name in META_NAMES.values())}|(latest|approved)(_[a-z]+)?"
    r"|moved)(\.[\w-]+)?\.json"
)
_LITTER = frozenset({"thumbs.db", "desktop.ini"})
# The rooms of other parts of the studio: what lies there is theirs.
_ROOMS = frozenset(name.partition("/")[0] for name in PROJECT_FOLDERS) - {"scenes", "assets"}


class Finding(TextChoices):
    DROPPED = "dropped", gettext_lazy("Dropped, waiting to become versions")
    UNKNOWN_VERSION = "unknown_version", gettext_lazy("Version folders that the database does not know")
    UNKNOWN_FILE = "unknown_file", gettext_lazy("Files that the database does not know")
    UNKNOWN_FOLDER = "unknown_folder", gettext_lazy("Folders that the database does not know")
    MISSING_FOLDER = "missing_folder", gettext_lazy("Versions without their folder")
    MISSING_FILE = "missing_file", gettext_lazy("Files of versions that are gone")
    CHANGED_FILE = "changed_file", gettext_lazy("Files of versions that were changed")
    HALF_MADE = "half_made", gettext_lazy("Half-made versions")
    LINK = "link", gettext_lazy("Links where files and folders belong")
    UNREADABLE = "unreadable", gettext_lazy("Places that cannot be read")


@dataclass
class ScanReport:
    """`counts` of all findings by kind; `found` holds the first of each: {"path", "note"?, "version"?, "size"?}."""

    deep: bool = False
    folders: int = 0
    versions: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Finding.values, 0))
    found: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {kind: [] for kind in Finding.values})

    def add(self, kind: str, path: str, **facts: Any) -> None:
        self.counts[kind] += 1
        if len(self.found[kind]) < MOST:
            self.found[kind].append({"path": shown(path), **{key: value for key, value in facts.items() if value}})

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("deep", "folders", "versions", "counts", "found")}


def shown(path: str) -> str:
    """A path as text that any page and any database can take: a name that is no UTF-8 has `?` in it."""
    return path.encode(errors="replace").decode().replace("\x00", "?")


def scan_tree(project: Project, *, deep: bool = False, progress: Progress = lambda _value, _text: None) -> ScanReport:
    """Compare the project's tree with its rows. `deep` reads every file of every version and compares checksums.

    `progress` may raise to cancel. StorageError when the tree is not there although there are versions.
    """
    report = ScanReport(deep=deep)
    if not project.root.is_dir():
        if Version.objects.live().filter(project=project).exists():
            text = _("The project's folder %(folder)s is not there. Is the storage mounted?")
            raise StorageError(text % {"folder": project.root})
        return report
    _Walk(project, report, progress).run()
    _check_versions(project, report, progress)
    return report


class _Walk:
    """The tree from its root down."""

    def __init__(self, project: Project, report: ScanReport, progress: Progress) -> None:
        self.project, self.report, self.progress = project, report, progress
        self.owners: dict[str, Folder] = {}
        self.above: set[str] = {""}
        for folder in Folder.objects.filter(project=project).exclude(kind__in=OWN_FOLDERS).iterator(PORTION):
            self.owners[folder.path] = folder
            self.above.update(str(parent) for parent in PurePosixPath(folder.path).parents)
        self.above = {"" if path == "." else path for path in self.above}
        self.above.update(("scenes", "assets", "assets/characters", "assets/environments"))
        self.owner_of: Folder | None = None
        self.versions: dict[str, Version] = {}
        self.seen = 0

    def run(self) -> None:
        # By folder: the innermost row's folder that it lies in.
        waiting: list[tuple[str, Folder | None]] = [("", None)]
        while waiting:
            path, owner = waiting.pop()
            folder = self.owners.get(path)
            if folder is not None and folder.kind in ("shot", "character", "environment"):
                owner = folder
                self.seen += 1
                self.progress(0.5 * self.seen / max(len(self.owners), 1), folder.path)
            below = [name for name, entry in self._entries(path) if self._look(path, name, entry, owner)]
            waiting += [(f"{path}/{name}" if path else name, owner) for name in sorted(below, reverse=True)]

    def _entries(self, path: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
        """What lies in a folder, one by one; nothing hidden or temporary."""
        self.report.folders += 1
        if path.count("/") > DEEPEST:
            self.report.add(Finding.UNREADABLE, path, note=_("Folders lie too deep in one another."))
            return
        try:
            with os.scandir(self.project.root / path) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and entry.name.lower() not in _LITTER:
                        yield entry.name, entry
        except OSError as error:
            self.report.add(Finding.UNREADABLE, path, note=error.strerror)

    def _look(self, parent: str, name: str, entry: "os.DirEntry[str]", owner: Folder | None) -> bool:
        """Report what this is; True for a folder to go into."""
        path = f"{parent}/{name}" if parent else name
        try:
            if entry.is_symlink():
                self.report.add(Finding.LINK, path)
                return False
            if not entry.is_dir(follow_symlinks=False):
                self._file(parent, name, path, entry, owner)
                return False
        except OSError as error:
            self.report.add(Finding.UNREADABLE, path, note=error.strerror)
            return False
        return self._folder(parent, path, owner)

    def _file(self, parent: str, name: str, path: str, entry: "os.DirEntry[str]", owner: Folder | None) -> None:
        if OURS.fullmatch(name):
            return
        left = self.owners.get(parent)
        if left is not None and left.state == FolderState.LEFT:
            return  # the note that says where everything went
        kind = Finding.DROPPED if owner is not None and in_drop(owner.path, path) else Finding.UNKNOWN_FILE
        self.report.add(kind, path, size=entry.stat(follow_symlinks=False).st_size)

    def _folder(self, parent: str, path: str, owner: Folder | None) -> bool:
        text = unicodedata.normalize("NFC", path)
        if text in self.owners or text in self.above:
            return True
        if owner is None:
            above = self.owners.get(parent)
            ours = text in _ROOMS or (above is not None and above.state == FolderState.LEFT)
            if not ours:
                self.report.add(Finding.UNKNOWN_FOLDER, path)
            return False
        version = self._versions_of(owner).get(text) or self._elsewhere(text)
        if version is not None:
            self._version(path, version)
            return False
        inside = PurePosixPath(text).relative_to(owner.path).parts
        if inside[0] == "lora" and owner.kind == "character":
            return False
        if inside[0] == DROP or inside[-1] in VersionKind.values or self._leads_on(owner, text):
            return True
        whole = os.path.lexists(self.project.root / path / MANIFEST)
        versionlike = whole or re.fullmatch(r"v\d{2,}", inside[-1]) is not None
        self.report.add(Finding.UNKNOWN_VERSION if versionlike else Finding.UNKNOWN_FOLDER, path)
        return False

    def _versions_of(self, owner: Folder) -> dict[str, Version]:
        """The versions of the row that the walk is in, by folder."""
        if self.owner_of is not owner:
            rows = Version.objects.filter(**{f"{owner.kind}_id": getattr(owner, f"{owner.kind}_id")})
            self.owner_of, self.versions = owner, {version.path: version for version in rows}
            for version in self.versions.values():
                version.project = self.project
        return self.versions

    def _elsewhere(self, path: str) -> Version | None:
        """A version of another row whose folder lies here all the same."""
        return Version.objects.filter(project=self.project, path=path).select_related("project").first()

    def _leads_on(self, owner: Folder, path: str) -> bool:
        return any(known.startswith(f"{path}/") for known in self._versions_of(owner))

    def _version(self, path: str, version: Version) -> None:
        """A version's own folder: what else lies in it, and whether one that nobody sees is whole."""
        if version.state != VersionState.PUBLISHED:
            if sealed_facts(version) is None:
                self.report.add(Finding.HALF_MADE, path, version=version.pk)
            return
        names = {PurePosixPath(entry["name"]) for entry in version.manifest} | {PurePosixPath(MANIFEST)}
        folders = {str(parent) for name in names for parent in name.parents}
        waiting = ["."]
        while waiting:
            below = waiting.pop()
            for name, entry in self._entries(str(PurePosixPath(path) / below)):
                inner = PurePosixPath(below) / name
                if entry.is_symlink():
                    self.report.add(Finding.LINK, f"{path}/{inner}", version=version.pk)
                elif entry.is_dir(follow_symlinks=False):
                    if str(inner) in folders:
                        waiting.append(str(inner))
                    else:
                        self.report.add(Finding.UNKNOWN_FOLDER, f"{path}/{inner}", version=version.pk)
                elif PurePosixPath(unicodedata.normalize("NFC", str(inner))) not in names:
                    self.report.add(Finding.UNKNOWN_FILE, f"{path}/{inner}", version=version.pk)


def in_drop(owner: str, path: str) -> bool:
    """Whether a path lies in the drop folder of the row whose folder is `owner`."""
    return path.startswith(f"{owner}/{DROP}/")


def _check_versions(project: Project, report: ScanReport, progress: Progress) -> None:
    """Every published version in the database: is it on disk as it was published?"""
    rows = Version.objects.live().filter(project=project).order_by("pk")
    count, done = rows.count(), 0

    @lru_cache(maxsize=4096)
    def behind_a_link(parent: Path) -> bool:
        return Path(os.path.realpath(parent)) != Path(os.path.realpath(project.root)) / parent.relative_to(project.root)

    last = 0
    while portion := list(rows.filter(pk__gt=last).only("pk", "path", "manifest", "project_id")[:PORTION]):
        last = portion[-1].pk
        for version in portion:
            version.project = project
            done += 1
            report.versions += 1
            if behind_a_link(version.folder.parent):
                report.add(Finding.MISSING_FOLDER, version.path, version=version.pk, note=_("A link leads elsewhere."))
                continue
            share = 0.5 + 0.5 * done / max(count, 1)
            _check_version(version, report, partial(progress, share))
        progress(0.5 + 0.5 * done / max(count, 1), portion[-1].path)


def _check_version(version: Version, report: ScanReport, told: Callable[[str], None]) -> None:
    try:
        mode = os.lstat(version.folder).st_mode
    except OSError:
        mode = 0
    if not stat.S_ISDIR(mode):
        note = _("A link leads elsewhere.") if stat.S_ISLNK(mode) else ""
        report.add(Finding.MISSING_FOLDER, version.path, version=version.pk, note=note)
        return
    for entry in version.manifest:
        path = f"{version.path}/{entry['name']}"
        try:
            found = os.lstat(version.folder / entry["name"])
        except OSError:
            report.add(Finding.MISSING_FILE, path, version=version.pk)
            continue
        if not stat.S_ISREG(found.st_mode):
            report.add(Finding.MISSING_FILE, path, version=version.pk, note=_("It is no plain file any more."))
        elif found.st_size != entry["size"]:
            note = _("%(now)d bytes, %(then)d when it was published.")
            words = {"now": found.st_size, "then": entry["size"]}
            report.add(Finding.CHANGED_FILE, path, version=version.pk, size=found.st_size, note=note % words)
        elif report.deep:
            _check_content(version, entry, path, report, told)


def _check_content(
    version: Version, entry: dict[str, Any], path: str, report: ScanReport, told: Callable[[str], None]
) -> None:
    digest = hashlib.sha256()
    try:
        with open(os.open(version.folder / entry["name"], os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                told(path)
    except OSError as error:
        report.add(Finding.UNREADABLE, path, version=version.pk, note=error.strerror)
        return
    if entry.get("sha256") and digest.hexdigest() != entry["sha256"]:
        report.add(Finding.CHANGED_FILE, path, version=version.pk, note=_("Same size, other content."))
