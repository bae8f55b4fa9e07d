"""Pointers to the latest and the approved version of each kind, as small files: they need no links of the filesystem.

`latest.json` names the newest version that nobody rejected, `approved.json` the approved one; "version" is null where
there is none. They lie in the kind's folder, follow the rows as metadata does, and are replaced whole.
"""

from collections.abc import Iterable
from itertools import groupby
from os.path import commonpath, relpath
from pathlib import PurePosixPath
from typing import Any

from django.db.models import prefetch_related_objects

from assets.metadata import encode
from assets.naming import NamingTemplates
from renders.models import Version, VersionKind, VersionStatus
from shots.models import Folder, FolderKind, ShotStep
from shots.models.step import DONE_STATES, STEP_OF_KIND
from shots.services.tree.folders import Owner, context_of
from shots.services.tree.metadata import mark_stale, register_beside

OWNERS = (FolderKind.SHOT, FolderKind.CHARACTER, FolderKind.ENVIRONMENT)


def register() -> None:
    register_beside(pointers)


def pointers(pairs: list[tuple[Folder, Any]]) -> dict[int, dict[str, bytes]]:
    """By folder id: the pointers by name below the folder. All folders of one kind; a constant number of queries."""
    mine = [(folder, row) for folder, row in pairs if folder.kind in OWNERS]
    if not mine:
        return {}
    kind = mine[0][0].kind
    rows = [row for _folder, row in mine]
    if kind == FolderKind.SHOT:
        prefetch_related_objects(rows, "scene")
    versions = Version.objects.live().filter(**{f"{kind}__in": [row.pk for row in rows]})
    found: dict[int, list[Version]] = {}
    for version in versions.order_by("kind", "number"):
        found.setdefault(getattr(version, f"{kind}_id"), []).append(version)
    reopened = _reopened(rows) if kind == FolderKind.SHOT else set()
    made: dict[int, dict[str, bytes]] = {}
    for folder, row in mine:
        if row.pk not in found:
            continue
        places = pointer_places(row)
        for version_kind, group in groupby(found[row.pk], key=lambda version: version.kind):
            made.setdefault(folder.pk, {}).update(_of_kind(folder, version_kind, list(group), places, reopened))
    return made


def _reopened(rows: list[Any]) -> set[tuple[int, str]]:
    """(shot, kind) of steps that go on: what was approved there does not count any more, unless it is named anew."""
    steps = ShotStep.objects.live().filter(shot__in=[row.pk for row in rows], approved_version=None)
    found = steps.exclude(state__in=DONE_STATES).values_list("shot_id", "step")
    return {(shot, kind) for shot, step in found for kind, serves in STEP_OF_KIND.items() if serves == step}


def pointer_places(owner: Owner) -> dict[str, tuple[PurePosixPath, str]]:
    """By kind of version: the folder of its pointers, relative to the owner's, and what their names end with.

    The kind's own folder; where a template gives kinds no folders of their own, the names tell them apart.
    """
    templates = NamingTemplates.of(owner.project.naming)
    parents = {}
    for kind in VersionKind.values:
        paths = [str(templates.version(context_of(owner, kind=kind, version=n)).parent) for n in (1, 2)]
        parents[kind] = PurePosixPath(commonpath(paths))
    shared = list(parents.values())
    return {kind: (path, f"_{kind}" if shared.count(path) > 1 else "") for kind, path in parents.items()}


def _of_kind(
    folder: Folder,
    kind: str,
    versions: list[Version],
    places: dict[str, tuple[PurePosixPath, str]],
    reopened: set[tuple[int, str]],
) -> dict[str, bytes]:
    place, ending = places[kind]
    standing = [version for version in versions if version.status != VersionStatus.REJECTED]
    approved = [version for version in standing if version.status == VersionStatus.APPROVED]
    if (versions[0].shot_id, kind) in reopened:
        approved = []
    return {
        str(place / f"{name}{ending}.json"): encode(_pointer(folder, place, kind, chosen[-1] if chosen else None))
        for name, chosen in (("latest", standing), ("approved", approved))
    }


def _pointer(folder: Folder, place: PurePosixPath, kind: str, version: Version | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"schema": 1, "kind": kind, "version": None}
    if version is None:
        return facts
    here = relpath(f"/{version.path}", f"/{PurePosixPath(folder.path) / place}")
    return {
        **facts,
        "version": version.label,
        "number": version.number,
        "status": version.status,
        "path": here,
        "file": f"{here}/{version.manifest[0]['name']}" if version.manifest else None,
        "files": [entry["name"] for entry in version.manifest],
        "published_at": version.published_at.isoformat() if version.published_at else None,
    }


def mark_owners_stale(versions: Iterable[Version]) -> None:
    """Say, inside the transaction that changes them, that files of the tree tell something old of these versions."""
    ids: dict[tuple[int, str], set[int]] = {}
    for version in versions:
        for kind in OWNERS:
            if (pk := getattr(version, f"{kind}_id")) is not None:
                ids.setdefault((version.project_id, str(kind)), set()).add(pk)
    for (project_id, what), found in ids.items():
        mark_stale(project_id, what, found)
