"""Names on the disk joined with rows, in bulk: the same number of queries for three entries and for hundreds."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from aipipeline.media.rooted import Entry
from aipipeline.projects.models import Project
from assets.naming import KIND_FOLDERS, PROJECT_FOLDERS, path_key
from renders.models import Version, VersionState, VersionStatus
from renders.services.scanning import DROP, OURS
from renders.services.sealing import MANIFEST
from renders.tree.listing import Listed
from shots.models import Folder, FolderState

PICTURES = ("previz", "reference")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".mp4", ".mov", ".webm", ".mkv")
OWNERS = ("shot", "character", "environment")
# Folders whose content is nobody's version: cuts, movies, scenarios, training files.
_OWN = frozenset(part for name in PROJECT_FOLDERS for part in (name, name.split("/")[0]))
_FREE = frozenset({"scenario", "edit", "export"})
_HELD = frozenset({"lora"})


@dataclass
class Node:
    """One entry as the page and the API show it.

    `what`: row, version, kind, own (of the project), made (a file of ours), file (in a version's manifest), drop (waits
    to be taken), writing (a job or an upload writes there), link, other, unknown (no row knows it), "" (free to use).
    """

    entry: Entry
    parts: tuple[str, ...]
    what: str = ""
    folder: Folder | None = None
    version: Version | None = None
    latest: bool = False
    moved_to: str = ""
    versions: int = 0
    picture: int | None = None
    position: int = 0
    children: "Branch | None" = None

    @property
    def size(self) -> int:
        """Bytes of a file, and of a version as its manifest says."""
        if self.version is not None and self.what == "version":
            return sum(int(file.get("size", 0)) for file in self.version.manifest)
        return self.entry.size

    @property
    def modified(self) -> datetime:
        return datetime.fromtimestamp(self.entry.modified, tz=UTC)

    @property
    def name(self) -> str:
        """As it is shown: composed, and with a mark where bytes are no text."""
        return shown(self.entry.name)

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    @property
    def row(self) -> Any:
        """The scene, shot, character or environment of a folder."""
        return getattr(self.folder, self.folder.kind, None) if self.folder and self.what == "row" else None

    @property
    def label(self) -> str:
        """What people call it, beside its name."""
        row = self.row
        if row is None:
            return ""
        words = getattr(row, "heading", "") or getattr(row, "description", "")
        name = getattr(row, "code", "") or getattr(row, "name", "")
        return str(words or ("" if name in self.name else name))


@dataclass
class Branch:
    """One folder's page of entries in the tree, of which one may be open in its turn."""

    listed: Listed
    nodes: list[Node]

    @property
    def level(self) -> int:
        return len(self.listed.parts) + 1

    @property
    def left(self) -> int:
        """How many come after this page."""
        return self.listed.total - self.listed.end


def branch_of(project: Project, levels: Sequence[Listed]) -> Branch:
    """The pages of a path as a tree, joined."""
    branches = [Branch(listed, nodes) for listed, nodes in zip(levels, join(project, levels), strict=True)]
    for branch in branches:
        for place, node in enumerate(branch.nodes, start=branch.listed.start + 1):
            node.position = place
    for upper, lower in pairwise(branches):
        for node in upper.nodes:
            if node.parts == lower.listed.parts:
                node.children = lower
    return branches[0]


def shown(name: str) -> str:
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return unicodedata.normalize("NFC", text)


@dataclass
class Place:
    """Where a path lies: the nearest row's folder and the version that hold it, with the names below them."""

    folder: Folder | None = None
    below_folder: tuple[str, ...] = ()
    version: Version | None = None
    below_version: tuple[str, ...] = ()

    @property
    def owner_id(self) -> int | None:
        """The row of the folder."""
        return getattr(self.folder, f"{self.folder.kind}_id", None) if self.folder else None


@dataclass
class _Facts:
    """What the queries found, by the key or the path of a folder."""

    folders: dict[str, Folder] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    newest: set[tuple[Any, ...]] = field(default_factory=set)
    moved: dict[tuple[str, int], str] = field(default_factory=dict)
    counts: dict[tuple[str, int], tuple[int, int | None]] = field(default_factory=dict)


def join(project: Project, levels: Sequence[Listed]) -> list[list[Node]]:
    """By level, its entries with what is known of them. The levels lie on one path, the root or any folder first."""
    deepest = max(levels, key=lambda level: len(level.parts)).parts
    paths = {"/".join(deepest[:n]) for n in range(1, len(deepest) + 1)}
    paths |= {
        "/".join((*level.parts, entry.name))
        for level in levels
        for entry in level.entries
        if entry.kind == "folder" and entry.readable
    }
    facts = _facts(project, [composed(path) for path in paths])
    structure = _structure(project, levels, facts)
    return [[_node(level, entry, facts, structure) for entry in level.entries] for level in levels]


def composed(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def place_of(facts_by_key: dict[str, Folder], versions: dict[str, Version], parts: tuple[str, ...]) -> Place:
    """The nearest folder and version among the parents of `parts` and itself."""
    place = Place()
    for depth in range(len(parts), 0, -1):
        path = composed("/".join(parts[:depth]))
        if place.version is None and (version := versions.get(path)):
            place.version, place.below_version = version, parts[depth:]
        if place.folder is None and (folder := facts_by_key.get(path_key(path))):
            place.folder, place.below_folder = folder, parts[depth:]
    return place


def place_in(project: Project, parts: tuple[str, ...]) -> Place:
    """Where one path lies; two queries."""
    paths = [composed("/".join(parts[:n])) for n in range(1, len(parts) + 1)]
    return place_of(folders_at(project, paths), versions_at(project, paths), parts)


def folders_at(project: Project, paths: Sequence[str]) -> dict[str, Folder]:
    """By key: the rows' folders at these paths. One query."""
    rows = Folder.objects.filter(project=project, key__in=[path_key(path) for path in paths])
    return {row.key: row for row in rows.select_related("scene", "shot__scene", "character", "environment")}


def versions_at(project: Project, paths: Sequence[str]) -> dict[str, Version]:
    """By path: the versions whose folders these are, also those that were never published. One query."""
    rows = Version.objects.filter(project=project, path__in=paths)
    rows = rows.select_related("created_by", "shot", "character", "environment").defer("provenance")
    return {version.path: version for version in rows}


def newest_of(versions: "QuerySet[Version]") -> set[tuple[Any, ...]]:
    """The newest of each owner and kind that nobody rejected, as `newest_key` names them: what `latest.json` points at.

    One query.
    """
    standing = versions.exclude(status=VersionStatus.REJECTED).order_by()
    found = standing.values("shot", "character", "environment", "kind").annotate(number=Max("number"))
    return {(row["shot"], row["character"], row["environment"], row["kind"], row["number"]) for row in found}


def newest_key(version: Version) -> tuple[Any, ...]:
    return (version.shot_id, version.character_id, version.environment_id, version.kind, version.number)


def _facts(project: Project, paths: Sequence[str]) -> _Facts:
    facts = _Facts(folders_at(project, paths), versions_at(project, paths))
    if versions := list(facts.versions.values()):
        owned = Q()
        for name in OWNERS:
            ids = {getattr(version, f"{name}_id") for version in versions} - {None}
            owned |= Q(**{f"{name}__in": ids}) if ids else Q(pk__in=())
        kinds = {version.kind for version in versions}
        facts.newest = newest_of(Version.objects.live().filter(owned, project=project, kind__in=kinds))
    owners = {name: [f.__dict__[f"{name}_id"] for f in facts.folders.values() if f.kind == name] for name in OWNERS}
    if any(owners.values()):
        facts.counts = _counts(project, owners)
    if left := [folder for folder in facts.folders.values() if folder.state == FolderState.LEFT]:
        facts.moved = _moved(project, left)
    return facts


def _counts(project: Project, owners: dict[str, list[int]]) -> dict[tuple[str, int], tuple[int, int | None]]:
    """By owner: how many versions it has, and the newest that is its picture."""
    rows = Version.objects.live().filter(
        Q(shot__in=owners["shot"]) | Q(character__in=owners["character"]) | Q(environment__in=owners["environment"]),
        project=project,
    )
    picture = Max("pk", filter=Q(kind__in=PICTURES) & ~Q(status=VersionStatus.REJECTED))
    found = rows.order_by().values(*OWNERS).annotate(count=Count("pk"), picture=picture)
    return {(name, row[name]): (row["count"], row["picture"]) for row in found for name in OWNERS if row[name]}


def _moved(project: Project, left: list[Folder]) -> dict[tuple[str, int], str]:
    """By owner of folders that were left: where it is now."""
    owned = Q(pk__in=())
    for name in ("scene", *OWNERS):
        if ids := [getattr(folder, f"{name}_id") for folder in left if folder.kind == name]:
            owned |= Q(**{f"{name}__in": ids})
    now = Folder.objects.filter(owned, project=project).exclude(state=FolderState.LEFT)
    return {(folder.kind, getattr(folder, f"{folder.kind}_id")): folder.path for folder in now}


def _structure(project: Project, levels: Sequence[Listed], facts: _Facts) -> set[str]:
    """Keys of the folders that lead to rows or to versions, when there are any folders that nothing else explains."""
    unexplained = any(
        entry.kind == "folder"
        and path_key(composed("/".join((*level.parts, entry.name)))) not in facts.folders
        and composed("/".join((*level.parts, entry.name))) not in facts.versions
        for level in levels
        for entry in level.entries
    )
    if not unexplained:
        return set()
    paths = list(Folder.objects.filter(project=project).values_list("path", flat=True))
    deepest = max(levels, key=lambda level: len(level.parts)).parts
    owner = place_of(facts.folders, facts.versions, deepest).folder
    if owner is not None and owner.kind in OWNERS:
        owned = {owner.kind: getattr(owner, owner.kind)}
        paths += Version.objects.filter(project=project, **owned).values_list("path", flat=True)
        paths += [f"{owner.path}/{kind}/" for kind in KIND_FOLDERS]
    leading: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in leading:
            leading.add(parent)
            parent = parent.rpartition("/")[0]
    return {path_key(path) for path in leading}


def _node(level: Listed, entry: Entry, facts: _Facts, structure: set[str]) -> Node:
    node = Node(entry, (*level.parts, entry.name))
    if entry.kind in ("link", "other") or not entry.readable:
        node.what = entry.kind if entry.kind in ("link", "other") else "unknown"
        return node
    path = composed(node.path)
    place = place_of(facts.folders, facts.versions, level.parts)
    if entry.kind == "file":
        node.what = _what_file(entry, place, level.parts)
        return node
    node.folder, node.version = facts.folders.get(path_key(path)), facts.versions.get(path)
    if node.folder is not None:
        _fill_row(node, node.folder, facts)
    elif node.version is not None:
        node.what = "version"
        published = node.version.state == VersionState.PUBLISHED
        node.latest = published and newest_key(node.version) in facts.newest
        node.picture = node.version.pk if published and has_picture(node.version) else None
    elif path in _OWN:
        node.what = "own"
    elif path_key(path) in structure:
        node.what = DROP if place.folder and (*place.below_folder, entry.name) == (DROP,) else "kind"
    elif entry.name.startswith((".tmp-", ".work-")):
        node.what = "writing"
    else:
        node.what = _what_else(place, level.parts, entry.name)
    return node


def _fill_row(node: Node, folder: Folder, facts: _Facts) -> None:
    if folder.kind not in ("scene", *OWNERS):
        node.what = "own"
        return
    node.what = "row"
    owner = (folder.kind, int(getattr(folder, f"{folder.kind}_id")))
    if folder.state == FolderState.LEFT:
        node.moved_to = facts.moved.get(owner, "")
        return
    node.versions, node.picture = facts.counts.get(owner, (0, None))


def _what_file(entry: Entry, place: Place, parts: tuple[str, ...]) -> str:
    if place.version is not None:
        name = "/".join((*place.below_version, entry.name))
        if name == MANIFEST:
            return "made"
        return "file" if composed(name) in {composed(f["name"]) for f in place.version.manifest} else "unknown"
    if OURS.fullmatch(entry.name):
        return "made"
    return _what_else(place, parts, entry.name)


def _what_else(place: Place, parts: tuple[str, ...], name: str) -> str:
    """For what no row names: free places, the drop folder, and the rest, which somebody should look at."""
    below = (*place.below_folder, name)
    if place.folder is not None and place.folder.kind in OWNERS and place.version is None:
        if below[0] == DROP and len(below) > 1:
            return DROP
        return "" if below[0] in _HELD else "unknown"
    return "" if (parts or (name,))[0] in _FREE else "unknown"


def has_picture(version: Version) -> bool:
    """True when the main file is one that a small picture is made of."""
    return bool(version.manifest) and str(version.manifest[0]["name"]).lower().endswith(PICTURE_SUFFIXES)
