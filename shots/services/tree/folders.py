"""Which folder belongs to which row: registered once, by the naming templates of that day, and kept."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from aipipeline.media.patience import within
from aipipeline.projects.errors import Conflict
from aipipeline.projects.models import Project
from assets.models import Character, Environment
from assets.naming import PROJECT_FOLDERS, NameContext, NamingTemplates, path_key
from shots.models import Folder, FolderKind, FolderState, Scene, Shot, StaleMark

Owner = Scene | Shot | Character | Environment
KINDS: dict[type[Any], str] = {
    Scene: FolderKind.SCENE, Shot: FolderKind.SHOT, Character: FolderKind.CHARACTER,
    Environment: FolderKind.ENVIRONMENT,
}  # fmt: skip
# Folders of the project itself that have a metadata file.
OWN_FOLDERS = {FolderKind.PROJECT: "", FolderKind.SCENARIO: "scenario", FolderKind.EDIT: "edit"}
# Where nothing else of the tree may be put: the project's own folders and what leads to them.
RESERVED = frozenset(
    path_key(str(path)) for name in PROJECT_FOLDERS for path in (PurePosixPath(name), *PurePosixPath(name).parents)
)
_TRIES = 20
MOVE_SECONDS = 10.0


def kind_of(owner: Any) -> str:
    """The kind of folder that this row has."""
    return str(KINDS[type(owner)])


def context_of(owner: Owner, **more: Any) -> NameContext:
    """What this row's names are made of; `more`: kind, version, ext… of a file."""
    code = owner.project.code
    if isinstance(owner, Shot):
        return NameContext(project=code, scene=owner.scene.code if owner.scene else "", shot=owner.code, **more)
    if isinstance(owner, Scene):
        return NameContext(project=code, scene=owner.code, **more)
    if isinstance(owner, Character):
        return NameContext(project=code, character=owner.name, **more)
    return NameContext(project=code, environment=owner.name, **more)


def owners_of(project: Project) -> list[Owner]:
    """Every live row that has a folder; four queries."""
    # Not joined: fifty scenes are fewer instances than one for each of a thousand shots.
    shots = Shot.objects.live().filter(project=project).prefetch_related("scene").order_by("position", "id")
    rows: list[Owner] = [*Scene.objects.live().filter(project=project), *shots]
    rows += [*Character.objects.live().filter(project=project), *Environment.objects.live().filter(project=project)]
    for row in rows:
        row.project = project
    return rows


def contexts_of(project: Project) -> list[NameContext]:
    """The names of everything that the project has: what templates are tried on, and paths read against."""
    return [context_of(owner) for owner in owners_of(project)]


def folder_of(owner: Owner) -> Folder | None:
    """Where the row's folder is; None before it has one."""
    return Folder.objects.filter(**{kind_of(owner): owner}).exclude(state=FolderState.LEFT).first()


def ensure_folder(owner: Owner) -> Folder:
    """The row's folder, given a place by the templates when it has none yet. Nothing is made on disk.

    While it is being moved this waits, a moment as a rule; Conflict when the move does not end.
    """
    folder = folder_of(owner) or ensure_folders(owner.project, [owner])[owner]
    end = time.monotonic() + MOVE_SECONDS
    while folder.moving_to:
        if time.monotonic() > end:
            raise Conflict(
                _("%(what)s: the folder is being moved, and its storage does not answer. Try again when it is back.")
                % {"what": owner}
            )
        time.sleep(0.05)
        folder.refresh_from_db()
    return folder


def path_of(owner: Owner) -> PurePosixPath:
    """The row's folder, relative to the project."""
    return PurePosixPath(ensure_folder(owner).path)


def ensure_folders(project: Project, owners: Sequence[Owner]) -> dict[Owner, Folder]:
    """The folders of these rows; those that have none get their place. A constant number of queries."""
    for _try in range(_TRIES):
        known = {folder_owner(folder): folder for folder in _folders(project, owners)}
        found = {owner: known[_owner_key(owner)] for owner in owners if _owner_key(owner) in known}
        if len(found) == len(owners):
            return found
        if register_earlier(project):
            continue
        try:
            with transaction.atomic():
                Folder.objects.bulk_create(allocate(project, [owner for owner in owners if owner not in found]))
        except IntegrityError:
            # Somebody gave the same rows, or the same names, their places at this moment: look again.
            continue
    raise Conflict(_("The folders of this project are being made by many at once. Try again in a moment."))


def register_earlier(project: Project) -> bool:
    """Register the folders of a tree that was confirmed before folders were: the ones on disk, in the order in which
    that confirm told equal names apart, so that nobody is given the folder of another. True when any was found.

    All of their files are looked at then, since they are of an older form.
    """
    if project.confirmed_at is None or Folder.objects.filter(project=project).exclude(kind__in=OWN_FOLDERS).exists():
        return False
    rows = allocate(project, owners_of(project))
    there = within(project.root, lambda: [row for row in rows if (project.root / row.path).is_dir()])
    with transaction.atomic():
        own_folders(project)
        Folder.objects.bulk_create(there, ignore_conflicts=True)
        if there:
            StaleMark.objects.create(project=project, what="all", ids=[project.pk])
    return bool(there)


def allocate(project: Project, owners: Iterable[Owner]) -> list[Folder]:
    """New Folder rows for these, unsaved. A place that is taken is told apart by the row's id."""
    owners = list(owners)
    if not owners:
        return []
    templates = NamingTemplates.of(project.naming)
    taken = set(Folder.objects.filter(project=project).values_list("key", flat=True)) | RESERVED
    made = []
    for owner in owners:
        folder = Folder(project=project, kind=kind_of(owner), **{kind_of(owner): owner})
        folder.path = place_for(owner, templates, taken.__contains__)
        folder.key = path_key(folder.path)
        taken.add(folder.key)
        made.append(folder)
    return made


def place_for(owner: Owner, templates: NamingTemplates, taken: Callable[[str], bool]) -> str:
    """Where the templates put this row's folder, told apart from the keys that are `taken`."""
    kind = kind_of(owner)
    unique, number = "", 1
    while True:
        path = str(templates.folder(kind, context_of(owner, unique=unique)))
        if not taken(path_key(path)):
            return path
        unique = str(owner.pk) if number == 1 else f"{owner.pk}-{number}"
        number += 1


def own_folders(project: Project) -> dict[str, Folder]:
    """The rows of the project's own folders that have a metadata file, made when missing."""
    rows = [
        Folder(project=project, kind=kind, path=path, key=path_key(path) if path else "")
        for kind, path in OWN_FOLDERS.items()
    ]
    found = {folder.kind: folder for folder in Folder.objects.filter(project=project, kind__in=OWN_FOLDERS)}
    if len(found) < len(rows):
        Folder.objects.bulk_create([row for row in rows if row.kind not in found], ignore_conflicts=True)
        found = {folder.kind: folder for folder in Folder.objects.filter(project=project, kind__in=OWN_FOLDERS)}
    return found


def folder_owner(folder: Folder) -> tuple[str, int]:
    """(kind, id) of the row that the folder belongs to; the project's id for its own folders."""
    if folder.kind in OWN_FOLDERS:
        return folder.kind, folder.project_id
    return folder.kind, int(getattr(folder, f"{folder.kind}_id"))


def _owner_key(owner: Owner) -> tuple[str, int]:
    return kind_of(owner), owner.pk


def _folders(project: Project, owners: Sequence[Owner]) -> list[Folder]:
    rows = Folder.objects.filter(project=project).exclude(state=FolderState.LEFT)
    if len(owners) == 1:
        rows = rows.filter(**{kind_of(owners[0]): owners[0]})
    return list(rows)
