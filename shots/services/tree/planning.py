"""What a confirm would do: made, renamed, left alone, retired, or refused, before anything is touched."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.projects.models import Project
from assets.models import Character, Environment
from assets.naming import KIND_FOLDERS, PROJECT_FOLDERS, NamingTemplates, path_key
from shots.models import Folder, FolderState, Scene, Shot
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
    """Everything that a confirm of these shots would do."""

    project: Project
    entries: list[Planned]
    shots: list[Shot]
    folders_to_make: int = 0
    to_lock: int = 0

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
    """The plan for all shots, or for these with their scenes; the library always. A constant number of queries."""
    rows = Shot.objects.live().filter(project=project).select_related("scene")
    if shots is not None:
        rows = rows.filter(pk__in=shots)
    chosen = list(rows.order_by("position", "id"))
    owners = _owners(project, chosen, whole=shots is None)
    known = {folder_owner(f): f for f in Folder.objects.filter(project=project).exclude(state=FolderState.LEFT)}
    new = allocate(project, [owner for owner in owners if (kind_of(owner), owner.pk) not in known])
    fresh = {folder_owner(folder): folder for folder in new}
    plan = Plan(project=project, entries=[], shots=chosen, to_lock=sum(not shot.locked for shot in chosen))
    templates = NamingTemplates.of(project.naming)
    taken = {folder.key for folder in known.values()} | RESERVED
    look = Look(str(project.root))
    for owner in owners:
        key = (kind_of(owner), owner.pk)
        entry = _planned(owner, known.get(key), fresh.get(key), templates, taken)
        _look(entry, look, plan)
        plan.entries.append(entry)
    for name in PROJECT_FOLDERS:
        plan.folders_to_make += look.missing(name)
    if shots is None:
        plan.entries += _retired(project, known)
    return plan


def _owners(project: Project, shots: list[Shot], *, whole: bool) -> list[Owner]:
    scenes = Scene.objects.live().filter(project=project).order_by("position", "id")
    if not whole:
        scenes = scenes.filter(pk__in={shot.scene_id for shot in shots if shot.scene_id})
    rows: list[Owner] = [*scenes, *shots]
    rows += [*Character.objects.live().filter(project=project), *Environment.objects.live().filter(project=project)]
    for row in rows:
        row.project = project
    return rows


def _planned(
    owner: Owner, known: Folder | None, fresh: Folder | None, templates: NamingTemplates, taken: set[str]
) -> Planned:
    if known is None:
        assert fresh is not None  # every row has the one or the other
        return Planned(kind_of(owner), owner, fresh, Fate.CREATE, fresh.path)
    entry = Planned(kind_of(owner), owner, known, Fate.SAME, known.path)
    if known.state == FolderState.RETIRED:
        entry.fate = Fate.REVIVE
    wanted = place_for(owner, templates, taken - {known.key})
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
    entry.absent = missing > 0
    plan.folders_to_make += missing + len(entry.missing)
    if missing and entry.fate in (Fate.SAME, Fate.RENAMED) and plan.project.confirmed_at:
        entry.note = _("The folder is gone from the disk; it is made again.")


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
    """Which folders there are; each folder is listed once, so that a tree of thousands is read quickly."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._listed: dict[str, dict[str, bool] | None] = {}

    def missing(self, path: str) -> int:
        """How many of this folder and those above it are not there; OddPlace for a link or a file in the place."""
        parent, _slash, name = path.rpartition("/")
        if parent and (above := self.missing_cached(parent)):
            return above + 1
        there = self._list(parent)
        if there is None:
            return 1
        if name not in there:
            return 1
        if not there[name]:
            raise OddPlace(_("A file or a link is where the folder %(path)s belongs.") % {"path": path})
        return 0

    def missing_cached(self, path: str) -> int:
        """As `missing`; a folder that was listed is there."""
        return 0 if self._listed.get(path) is not None else self.missing(path)

    def _list(self, path: str) -> dict[str, bool] | None:
        if path not in self._listed:
            try:
                with os.scandir(f"{self.root}/{path}") as entries:
                    self._listed[path] = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
            except (FileNotFoundError, NotADirectoryError):
                self._listed[path] = None
        return self._listed[path]
