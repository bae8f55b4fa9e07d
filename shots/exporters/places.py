"""Where the folder of each row is, and the rows that have none yet: those stand in the project's own file."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.models import Project
from assets.facts import AT_ONCE, Form
from assets.metadata import Describe, Restore, describe
from assets.models import Character, Environment
from assets.naming import path_key
from assets.rebuilding import Entry, Rebuild, short
from shots.models import Folder, FolderState, Scene, Shot
from shots.services.tree.folders import OWN_FOLDERS, folder_owner

OWNERS: dict[str, type[Any]] = {
    "environment": Environment, "character": Character, "scene": Scene, "shot": Shot,
}  # fmt: skip
PLACE = Form(
    Folder,
    leave=frozenset({"kind", *OWNERS, "key", "moving_to", "digest", "problem", "created_at"}),
)
LONGEST = 500


def describe_loose(rows: list[Project]) -> Mapping[Any, Mapping[str, Any]]:
    """Rows without a folder: added, or removed, and not confirmed since. Told as their own file would tell them."""
    facts: dict[Any, dict[str, Any]] = {}
    for project in rows:
        loose = {}
        for kind, model in OWNERS.items():
            found = model._default_manager.filter(project=project, folders=None).order_by("id")
            told = describe(kind, found)
            loose[kind] = [
                {name: value for name, value in known.items() if name not in ("schema", "kind", "derived")}
                for known in told.values()
            ]
        facts[project.pk] = {"without_folder": loose}
    return facts


def describe_places(kind: str) -> Describe:
    """`place`: the row's folder with its state; `left`: where it was before."""

    def places(rows: list[Any]) -> Mapping[Any, Mapping[str, Any]]:
        if kind in OWN_FOLDERS:
            return {}
        found: dict[Any, dict[str, Any]] = {}
        for folder in Folder.objects.filter(**{f"{kind}__in": [row.pk for row in rows]}).order_by("id"):
            mine = found.setdefault(folder_owner(folder)[1], {"left": []})
            if folder.state == FolderState.LEFT:
                mine["left"].append(folder.path)
            else:
                mine["place"] = PLACE.facts(folder)
        return found

    return places


def restore_places(kind: str) -> Restore:
    def restore(rebuild: Rebuild, entries: list[Entry]) -> None:
        made: list[Folder] = []
        for entry in entries:
            if entry.row is not None and entry.path is not None:
                made += _folders(rebuild, kind, entry)
        taken = rebuild.found.setdefault("places", {})
        for folder in made:
            if folder.key in taken:
                text = _("%(other)s is the same folder on a disk that does not tell capitals apart; rename one")
                rebuild.problem(folder.path, text % {"other": taken[folder.key]})
            taken[folder.key] = folder.path
        if not rebuild.problems:
            Folder.objects.bulk_create(made, batch_size=AT_ONCE)

    return restore


def _folders(rebuild: Rebuild, kind: str, entry: Entry) -> list[Folder]:
    path = entry.path or ""
    owner = {} if kind in OWN_FOLDERS else {kind: entry.row}
    if kind in OWN_FOLDERS and path != OWN_FOLDERS[kind]:  # type: ignore[index]
        rebuild.problem(entry.where, _("this file belongs into the folder %(path)s") % {"path": OWN_FOLDERS[kind]})  # type: ignore[index]
        return []
    if len(path) > LONGEST:
        rebuild.problem(entry.where, _("the path of the folder has more than %(n)s characters") % {"n": LONGEST})
        return []
    place = entry.facts.get("place", {})
    if not isinstance(place, dict):
        rebuild.problem(f"{entry.where}: place", _("an object is needed"))
        return []
    if "path" in place and place["path"] != path:
        rebuild.warn(entry.where, _("it says %(path)s; it is taken where it is") % {"path": short(place["path"])})
    told = {name: value for name, value in place.items() if name != "path"}
    active = PLACE.make(
        rebuild, f"{entry.where}: place", told, kind=kind, path=path, key=_key(path), digest=entry.digest, **owner
    )
    if active is None:
        return []
    if active.state == FolderState.LEFT:
        rebuild.problem(f"{entry.where}: place.state", _("this is not one of the choices"))
        return []
    return [active, *_left(rebuild, kind, entry, owner)]


def _left(rebuild: Rebuild, kind: str, entry: Entry, owner: Mapping[str, Any]) -> list[Folder]:
    """Where the folder was before: a pointer is there."""
    left = entry.facts.get("left", [])
    if not isinstance(left, list) or not all(inside(path) for path in left):
        rebuild.problem(f"{entry.where}: left", _("a list of paths below the project is needed"))
        return []
    return [
        Folder(project=rebuild.project, kind=kind, path=path, key=_key(path), state=FolderState.LEFT, **owner)
        for path in left
    ]


def _key(path: str) -> str:
    return path_key(path) if path else ""


def inside(path: Any) -> bool:
    """Whether a text of a file is a path below the project and nothing else."""
    if not isinstance(path, str) or not path or len(path) > LONGEST or "\x00" in path or "\\" in path:
        return False
    return all(part not in ("", ".", "..") for part in path.split("/"))
