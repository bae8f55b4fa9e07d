"""What a confirm would do: made, renamed, left alone, retired, or refused, before anything is touched."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.media.patience import within
from aipipeline.media.rooted import StorageAway
from aipipeline.projects.models import Project
from assets.models import Character, Environment
from assets.naming import KIND_FOLDERS, PROJECT_FOLDERS, NamingTemplates, path_key
from shots.models import Folder, FolderKind, FolderState, Scene, Shot
from shots.services.tree.disk import TreeError, reason
from shots.services.tree.folders import RESERVED, Owner, allocate, context_of, folder_owner, kind_of, place_for

# Below the folder of each kind of row.
SUBFOLDERS: dict[str, tuple[str, ...]] = {
    "scene": (), "shot": KIND_FOLDERS, "character": ("lora", "reference"), "environment": ("reference",),
}  # fmt: skip


class Fate(TextChoices):
    """Renamed: the templates or the codes say another place by now; the folder stays until it is moved."""

    CREATE = "create", gettext_lazy("New")
    REVIVE = "revive", gettext_lazy("Back in use")
    RENAMED = "renamed", gettext_lazy("Renamed, stays where it is")
    SAME = "same", gettext_lazy("Left alone")
    RETIRE = "retire", gettext_lazy("Retired")
    CONFLICT = "conflict", gettext_lazy("In conflict")


@dataclass
class Planned:
    """One row's folder. `path` is where it is, or will be; `wanted` where the templates would put it now."""

    kind: str
    row: Any
    folder: Folder
    fate: str
    path: str
    wanted: str = ""
    note: str = ""
    absent: bool = False
    missing: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return str(self.row)

    def as_json(self) -> dict[str, Any]:
        names = ("kind", "fate", "label", "path", "wanted", "note")
        return {"id": self.row.pk, **{name: getattr(self, name) for name in names}}


@dataclass
class Plan:
    """Everything that a confirm of these shots would do. `retired`: folders whose row went earlier."""

    project: Project
    entries: list[Planned]
    shots: list[Shot]
    folders_to_make: int = 0
    to_lock: int = 0
    retired: list[Folder] = field(default_factory=list)

    def of(self, *fates: str) -> list[Planned]:
        return [entry for entry in self.entries if entry.fate in fates]

    @property
    def counts(self) -> dict[str, int]:
        return {fate: len(self.of(fate)) for fate in Fate.values}

    def as_json(self, *, most: int = 1000) -> dict[str, Any]:
        """`entries` holds at most `most`, what needs a look first; `counts` holds all."""
        order = [Fate.CONFLICT, Fate.RENAMED, Fate.RETIRE, Fate.REVIVE, Fate.CREATE, Fate.SAME]
        entries = sorted(self.entries, key=lambda entry: order.index(Fate(entry.fate)))
        return {
            "counts": self.counts,
            "shots": len(self.shots),
            "to_lock": self.to_lock,
            "folders_to_make": self.folders_to_make,
            "entries": [entry.as_json() for entry in entries[:most]],
            "more": max(0, len(entries) - most),
        }


def plan_tree(project: Project, shots: Sequence[int] | None = None) -> Plan:
    """The plan for all shots, or for these with their scenes; the library always. A constant number of queries.

    TreeError when the storage cannot be read.
    """
    check_storage(project)
    rows = Shot.objects.live().filter(project=project)
    if shots is not None:
        rows = rows.filter(pk__in=shots)
    chosen = list(rows.order_by("position", "id"))
    owners = _owners(project, chosen, whole=shots is None)
    every = list(Folder.objects.filter(project=project))
    known = {folder_owner(folder): folder for folder in every if folder.state != FolderState.LEFT}
    new = allocate(project, [owner for owner in owners if (kind_of(owner), owner.pk) not in known])
    fresh = {folder_owner(folder): folder for folder in new}
    plan = Plan(project=project, entries=[], shots=chosen, to_lock=sum(not shot.locked for shot in chosen))
    templates = NamingTemplates.of(project.naming)
    places = Places(every)
    look = Look(str(project.root))
    try:
        for owner in owners:
            key = (kind_of(owner), owner.pk)
            entry = _planned(owner, known.get(key), fresh.get(key), templates, places)
            _look(entry, look, plan)
            plan.entries.append(entry)
        _look_at_own(project, look, plan)
        plan.folders_to_make = len(look.absent)
    except OSError as error:
        raise TreeError(
            _("The production tree cannot be read: %(reason)s") % {"reason": reason(error, project.root)}
        ) from error
    if shots is None:
        plan.entries += _retired(project, known)
        plan.retired = [folder for folder in known.values() if folder.state == FolderState.RETIRED]
        revived = {entry.folder.pk for entry in plan.of(Fate.REVIVE)}
        plan.retired = [folder for folder in plan.retired if folder.pk not in revived]
    return plan


def check_storage(project: Project) -> None:
    """TreeError when the storage that the project lies on is away: a tree begun on an unmounted place would be lost.

    Also when it does not answer: asked before any lock is taken, so that a page has its answer in time.
    """
    storage = project.root.parent
    try:
        there = within(project.root, lambda: _answers(storage, project.root))
    except StorageAway as away:
        raise TreeError(str(away.message)) from away
    if (project.storage_root or project.confirmed_at) and not there:
        raise TreeError(
            _("The storage folder %(folder)s is not there. Mount it, or make it, then try again.") % {"folder": storage}
        )


def _answers(storage: Path, root: Path) -> bool:
    """Whether the storage is there. A folder is opened, since a network mount answers a mere look from its memory."""
    for folder in (storage, root):
        with suppress(OSError), os.scandir(folder) as entries:
            next(entries, None)
    return os.path.isdir(storage)


class Places:
    """Which places of the tree are taken, and by whom: a row may take back a place that it left itself."""

    def __init__(self, folders: Iterable[Folder]) -> None:
        self._by = {folder.key: folder_owner(folder) for folder in folders}

    def wanted(self, owner: Owner, templates: NamingTemplates) -> str:
        """Where the templates put this row's folder, told apart from everybody else's places."""
        mine = (kind_of(owner), owner.pk)
        place = place_for(owner, templates, lambda key: key in RESERVED or self._by.get(key, mine) != mine)
        self._by[path_key(place)] = mine
        return place


def _owners(project: Project, shots: list[Shot], *, whole: bool) -> list[Owner]:
    """The rows whose folders are planned; each scene is one object, whichever of its shots asks."""
    every = {scene.pk: scene for scene in Scene.objects.filter(project=project).order_by("position", "id")}
    for shot in shots:
        shot.scene = every.get(shot.scene_id or 0)
    here = {shot.scene_id for shot in shots}
    scenes = [scene for scene in every.values() if scene.removed_at is None and (whole or scene.pk in here)]
    rows: list[Owner] = [*scenes, *shots]
    rows += [*Character.objects.live().filter(project=project), *Environment.objects.live().filter(project=project)]
    for row in rows:
        row.project = project
    return rows


def _planned(
    owner: Owner, known: Folder | None, fresh: Folder | None, templates: NamingTemplates, places: Places
) -> Planned:
    if known is None:
        assert fresh is not None  # every row has the one or the other
        return Planned(kind_of(owner), owner, fresh, Fate.CREATE, fresh.path)
    entry = Planned(kind_of(owner), owner, known, Fate.SAME, known.path)
    if known.state == FolderState.RETIRED:
        entry.fate = Fate.REVIVE
    wanted = places.wanted(owner, templates)
    if path_key(wanted) != known.key and not _told_apart(owner, known, templates, wanted):
        entry.wanted = wanted
        if entry.fate == Fate.SAME:
            entry.fate = Fate.RENAMED
    return entry


def _told_apart(owner: Owner, known: Folder, templates: NamingTemplates, wanted: str) -> bool:
    """Whether both places differ only in the number that tells a name from an equal one: the row's id, which is
    another one in a database that was rebuilt from the tree."""
    plain = path_key(str(templates.folder(kind_of(owner), context_of(owner))))
    numbers = [key.removeprefix(f"{plain}_") for key in (known.key, path_key(wanted))]
    return all(number.replace("-", "").isdigit() for number in numbers)


def _look(entry: Planned, look: "Look", plan: Plan) -> None:
    """Compare with what is on disk."""
    try:
        missing = look.missing(entry.path)
        entry.missing = [name for name in SUBFOLDERS[entry.kind] if look.missing(f"{entry.path}/{name}")]
    except OddPlace as odd:
        entry.fate = Fate.CONFLICT
        entry.note = odd.words
        return
    entry.absent = missing
    if missing and entry.fate in (Fate.SAME, Fate.RENAMED) and plan.project.confirmed_at:
        entry.note = _("The folder is gone from the disk; it is made again.")


def _look_at_own(project: Project, look: "Look", plan: Plan) -> None:
    for name in PROJECT_FOLDERS:
        try:
            look.missing(name)
        except OddPlace as odd:
            folder = Folder(project=project, kind=FolderKind.PROJECT, path=name)
            plan.entries.append(Planned("project", project, folder, Fate.CONFLICT, name, note=odd.words))


def _retired(project: Project, known: dict[tuple[str, int], Folder]) -> list[Planned]:
    """Folders whose row was removed: they stay, marked."""
    entries = []
    for model in (Scene, Shot, Character, Environment):
        rows = model._default_manager.filter(project=project, removed_at__isnull=False)
        for row in rows:
            folder = known.get((kind_of(row), row.pk))
            if folder is not None and folder.state == FolderState.ACTIVE:
                row.project = project
                entries.append(Planned(kind_of(row), row, folder, Fate.RETIRE, folder.path))
    return entries


class OddPlace(Exception):
    """Something that is no folder stands where one belongs."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Look:
    """Which folders there are; each folder is listed once, so that a tree of thousands is read quickly.

    `absent`: every folder that was asked for, or that leads to one, and is not there; "" is the project's own.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.absent: set[str] = set()
        self._listed: dict[str, dict[str, bool] | None] = {}

    def missing(self, path: str) -> bool:
        """True when this folder is not there; OddPlace for a link or a file in its place, or on the way to it."""
        if path in self.absent:
            return True
        parent, _slash, name = path.rpartition("/")
        above = bool(parent) and self._listed.get(parent) is None and self.missing(parent)
        there = None if above else self._list(parent)
        if there is None or name not in there:
            self.absent.add(path)
            return True
        if not there[name]:
            raise OddPlace(_("A file or a link is where the folder %(path)s belongs.") % {"path": path})
        return False

    def _list(self, path: str) -> dict[str, bool] | None:
        if path not in self._listed:
            try:
                with os.scandir(f"{self.root}/{path}") as entries:
                    self._listed[path] = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
            except FileNotFoundError:
                self._listed[path] = None
                self.absent.add(path)
        return self._listed[path]
