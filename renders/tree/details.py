"""One place of the tree in full: the row, the version or the file, its files, and how it was made."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy

from aipipeline.media.rooted import Entry, Rooted
from aipipeline.projects.models import Project
from renders.models import Version, VersionState
from renders.selectors import stale_reasons
from renders.tree.joining import OWNERS, Node, Place, has_picture, join, newest_key, newest_of, place_in, shown
from renders.tree.listing import Listed, on_disk
from renders.tree.paths import Form, Mapper
from shots.models import Folder, FolderKind

MOST_VERSIONS = 60
MOST_ENTRIES = 20_000
COUNT_SECONDS = 6.0
TEXT_BYTES = 24_000
PREVIEW_BYTES = 40_000_000
TEXTS = (".json", ".txt", ".md", ".fountain", ".csv", ".edl", ".xml", ".otio", ".log")
# What a browser shows without running anything of it; other files are only downloaded.
IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif")
MOVIES = (".mp4", ".webm", ".mov")
_SHOWN: dict[str, Any] = {
    "engine": gettext_lazy("Engine"), "workflow": gettext_lazy("Workflow"), "models": gettext_lazy("Models"),
    "seed": gettext_lazy("Seed"), "worker": gettext_lazy("Worker"), "seconds": gettext_lazy("Render time"),
    "prompt": gettext_lazy("Prompt"),
}  # fmt: skip


@dataclass
class Details:
    """What the pane beside the tree shows."""

    node: Node
    place: Place
    forms: list[Form] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    newest: frozenset[int] = frozenset()
    more_versions: bool = False
    files: list[dict[str, Any]] = field(default_factory=list)
    provenance: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    draft: bool = False
    stale: str = ""

    @property
    def version(self) -> Version | None:
        """The version that this is, or that the file belongs to."""
        return self.place.version

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """(name as shown, path) of every folder on the way, the last is the place itself."""
        parts = self.node.parts
        return [(shown(name), "/".join(parts[: depth + 1])) for depth, name in enumerate(parts)]

    @property
    def pictured(self) -> bool:
        return self.version is not None and has_picture(self.version)

    @property
    def is_version(self) -> bool:
        return self.node.version is not None and self.node.what == "version"

    @property
    def size(self) -> int:
        return sum(int(entry["size"]) for entry in self.files)

    @property
    def preview(self) -> str:
        """How the browser shows a file: "image", "movie" or ""."""
        name = self.node.name.lower()
        if self.node.entry.kind != "file" or self.node.entry.size > PREVIEW_BYTES * 50:
            return ""
        if name.endswith(IMAGES):
            return "image" if self.node.entry.size <= PREVIEW_BYTES else ""
        return "movie" if name.endswith(MOVIES) else ""


def details_of(project: Project, parts: tuple[str, ...]) -> Details:
    """One path in full. NotFound when it is not there, StorageAway when the storage is not; constant queries."""
    rooted = Rooted(project.root)

    def look() -> tuple[Entry, str]:
        entry = rooted.entry(parts)
        return entry, _text(rooted, parts, entry)

    entry, text = on_disk(project, look)
    ((node,),) = join(project, [Listed(parts[:-1], [entry], 0, 1)]) if parts else ([Node(entry, (), "own")],)
    if not parts:
        node.folder = Folder.objects.filter(project=project, kind=FolderKind.PROJECT).first()
    details = Details(node, place_in(project, parts), text=text)
    details.forms = Mapper.read().forms(project.root.joinpath(*parts))
    if details.place.version is not None:
        _of_version(details, project, details.place.version)
    elif details.place.folder is not None and details.place.folder.kind in OWNERS:
        _of_owner(details, project, details.place.folder)
    return details


def _text(rooted: Rooted, parts: tuple[str, ...], entry: Entry) -> str:
    if entry.kind != "file" or not entry.name.lower().endswith(TEXTS):
        return ""
    with rooted.open(parts) as file:
        data = file.read(TEXT_BYTES + 1)
    text = data[:TEXT_BYTES].decode("utf-8", "replace").replace("\x00", "�")
    return f"{text}\n…" if len(data) > TEXT_BYTES else text


def _of_version(details: Details, project: Project, version: Version) -> None:
    version.project = project
    details.files = list(version.manifest)
    whole = Version.objects.only("provenance").get(pk=version.pk).provenance
    details.provenance, details.draft = short_provenance(whole), bool(whole.get("draft"))
    details.stale = stale_reasons([version]).get(version.pk, "")
    owned = {name: getattr(version, f"{name}_id") for name in OWNERS}
    rows = Version.objects.live().filter(project=project, kind=version.kind, **owned)
    details.newest = frozenset({version.pk} if newest_key(version) in newest_of(rows) else ())
    details.node.latest = version.pk in details.newest and version.state == VersionState.PUBLISHED


def _of_owner(details: Details, project: Project, folder: Folder) -> None:
    """The versions of the row, below this folder of it."""
    owned = {folder.kind: getattr(folder, f"{folder.kind}_id")}
    rows = Version.objects.live().filter(project=project, **owned)
    if details.place.below_folder:
        rows = rows.filter(path__startswith=f"{details.node.path}/")
    found = rows.select_related("created_by").defer("provenance").order_by("-published_at", "-pk")
    versions = list(found[: MOST_VERSIONS + 1])
    details.more_versions = len(versions) > MOST_VERSIONS
    details.versions = versions[:MOST_VERSIONS]
    newest = newest_of(Version.objects.live().filter(project=project, **owned))
    details.newest = frozenset(version.pk for version in details.versions if newest_key(version) in newest)


def short_provenance(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How a version was made, as (label, words), in the few that a person asks for first."""
    found = []
    for name, label in _SHOWN.items():
        if text := _words(name, facts.get(name)):
            found.append((str(label), text[:400]))
    return found


def _words(name: str, value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if name == "seconds":
        return f"{value:.1f} s" if isinstance(value, (int, float)) else ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_words("", part) for part in value[:6])
    if isinstance(value, Mapping):
        return str(value.get("name") or value.get("title") or value.get("key") or "")
    return str(value)


@dataclass(frozen=True)
class Totals:
    """What is in a folder; `more`: there is more than was counted."""

    files: int = 0
    folders: int = 0
    size: int = 0
    more: bool = False


def totals_of(project: Project, parts: tuple[str, ...]) -> Totals:
    """How much is in a folder, counted on the disk up to a limit of entries."""
    rooted = Rooted(project.root)

    def count() -> Totals:
        files = folders = size = 0
        for _path, entry in rooted.walk(parts, MOST_ENTRIES):
            folders += entry.kind == "folder"
            files += entry.kind == "file"
            size += entry.size
        return Totals(files, folders, size, files + folders >= MOST_ENTRIES)

    return on_disk(project, count, COUNT_SECONDS)


def download_name(project: Project, parts: tuple[str, ...]) -> str:
    """What a downloaded folder is called: the project, then the last names of the path."""
    return "_".join([project.code, *parts[-3:]]) or os.fspath(project.root.name)
