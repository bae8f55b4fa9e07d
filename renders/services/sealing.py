"""Sealing a version: its files are written aside, named, checksummed, flushed, and renamed to their place as one.

The folder that a job or an upload writes into lies beside its final place, on the same filesystem, so that nothing
half-made is ever seen where versions are. What is in the way there is left as it is: the version takes another number.
"""

import errno
import json
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import structlog
from django.utils.translation import gettext as _

from aipipeline.media.files import fsync_dir, sha256_file, write_atomic
from aipipeline.media.probe import ProbeError, probe
from aipipeline.media.storage import storage_errors
from assets.naming import NamingTemplates, path_key, safe_name
from renders.models import RenderAttempt, RenderJob, Version
from renders.services.numbering import Owner, PublishError, kind_folder, names_of, renumber
from shots.services.tree.disk import Disk

log = structlog.get_logger(__name__)
MANIFEST = "version.json"
TEMPORARY = ".tmp-"
_TRIES = 20
_OCCUPIED = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})


@dataclass(frozen=True)
class Staged:
    """Where results are written before they are published."""

    folder: Path
    owner_folder: Path


def stage(owner: Owner, kind: str, token: str) -> Staged:
    """An empty folder for the results of one attempt, beside where the version will be.

    InTheWay when a link or a file stands where a folder of the tree belongs.
    """
    base = kind_folder(owner, kind)
    folder = base / f"{TEMPORARY}{token}"
    with storage_errors(owner.project.root):
        Disk(owner.project.root).folder(base.relative_to(owner.project.root).as_posix())
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
    return Staged(folder=folder, owner_folder=base)


def discard(staged: Staged) -> None:
    """Throw the temporary folder away; what a slow storage keeps of it, recovery removes."""
    shutil.rmtree(staged.folder, ignore_errors=True)


def discard_earlier(job: RenderJob, attempt: RenderAttempt) -> None:
    """Throw away what attempts of this job left that died while they wrote; they can no longer publish."""
    base = kind_folder(job.owner, job.kind)
    for token in RenderAttempt.objects.filter(job=job).exclude(pk=attempt.pk).values_list("pk", flat=True):
        shutil.rmtree(base / f"{TEMPORARY}{token}", ignore_errors=True)


def safe_file_name(name: str, taken: set[str]) -> str:
    """A file name that every system takes, whatever somebody called it, and none of `taken` (keys; it is added)."""
    last = name.replace("\\", "/").rpartition("/")[2]
    stem, dot, ext = last.rpartition(".")
    stem, ext = (stem, safe_name(ext)[:16].rstrip(" .")) if stem and dot else (last, "")
    stem, tail, number = safe_name(stem), f".{ext}" if ext else "", 1
    found = f"{stem}{tail}"
    while path_key(found) in taken:
        number += 1
        found = f"{stem}-{number}{tail}"
    taken.add(path_key(found))
    return found


def original_name(name: str) -> str:
    """What somebody called a file, as text that can be kept and shown: for people only, never for a path."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char if char.isprintable() else "_" for char in last.encode(errors="replace").decode())[:255]


def seal(
    version: Version, staged: Staged, files: Sequence[Path], provenance: Mapping[str, Any], *, original: str = ""
) -> None:
    """Name the main file, checksum, write the manifest, flush, rename the folder to its place.

    `original`: what the main file was called by whoever made it, the file's own name when empty. StorageError when it
    cannot be written, PublishError when the main file cannot be read or there is no place for it.
    """
    with storage_errors(version.project.root):
        _seal(version, staged, list(files), provenance, original_name(original or files[0].name))


def _seal(version: Version, staged: Staged, files: list[Path], provenance: Mapping[str, Any], original: str) -> None:
    facts = facts_of(files[0])
    sums = [(file.stat().st_size, sha256_file(file)) for file in files]
    for file in files:
        _fsync(file)
    for folder in {parent for file in files for parent in file.parents if parent.is_relative_to(staged.folder)}:
        fsync_dir(folder)
    for _try in range(_TRIES):
        # Its owner's folder may have been moved since the number was reserved.
        version.refresh_from_db(fields=["path", "number"])
        files[0] = _named(version, staged, files)
        manifest = [
            {"name": file.relative_to(staged.folder).as_posix(), "size": size, "sha256": digest}
            for file, (size, digest) in zip(files, sums, strict=True)
        ]
        text = {
            "schema": 1,
            "version": version.pk,
            "kind": version.kind,
            "number": version.number,
            "files": manifest,
            "provenance": {**provenance, "original_name": original},
            **facts,
        }
        write_atomic(staged.folder / MANIFEST, json.dumps(text, ensure_ascii=False, indent=1, default=str))
        if _to_its_place(version, staged):
            return
        log.warning("version_place_taken", path=version.path)
        renumber(version)
    raise PublishError(
        _("%(folder)s exists already and is not ours; it is left as it is. Look at this folder and those beside it.")
        % {"folder": version.path}
    )


def _named(version: Version, staged: Staged, files: Sequence[Path]) -> Path:
    """The main file under its production name. One of a sequence in a folder below keeps its own."""
    main = files[0]
    if main.parent != staged.folder:
        return main
    names = names_of(
        version.owner, version.kind, version.number, artist=version.created_by, ext=main.suffix.removeprefix(".")
    )
    wanted = NamingTemplates.of(version.project.naming).file(names)
    others = {path_key(file.relative_to(staged.folder)) for file in files[1:]} | {MANIFEST}
    target = staged.folder / safe_file_name(wanted, others)
    if target != main:
        os.rename(main, target)
    return target


def _to_its_place(version: Version, staged: Staged) -> bool:
    """Rename the whole folder; False when something stands there already."""
    root, place = version.project.root, version.folder
    if os.path.lexists(place):
        return False
    # A template that changed since the results were begun, or a folder that somebody took away.
    Disk(root).folder(PurePosixPath(version.path).parent)
    try:
        os.rename(staged.folder, place)
    except OSError as error:
        if error.errno in _OCCUPIED:
            return False
        if error.errno == errno.ENOENT:
            raise PublishError(
                _("%(folder)s was moved or taken away while this version was written. Try again.")
                % {"folder": str(staged.owner_folder.relative_to(root))}
            ) from error
        raise
    for folder in (place.parent, place.parent.parent):
        fsync_dir(folder)
    return True


def _fsync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def facts_of(file: Path) -> dict[str, Any]:
    """Size in pixels, frames and fps of a picture or a movie; PublishError when it cannot be read."""
    try:
        facts = probe(file)
    except ProbeError as error:
        raise PublishError(
            _("%(name)s cannot be read back: %(reason)s") % {"name": file.name, "reason": error}
        ) from error
    still = facts.kind == "image"
    return {
        "width": facts.width or None,
        "height": facts.height or None,
        "frames": None if still else facts.frames,
        "fps": "" if still or facts.fps is None else str(facts.fps),
    }


def sealed_facts(version: Version) -> dict[str, Any] | None:
    """The manifest of a folder that was renamed to its place; None when there is no whole one of this version."""
    facts = read_manifest(version.folder)
    if facts is None or (facts.get("version"), facts.get("kind")) != (version.pk, version.kind):
        return None
    return facts if facts.get("number") == version.number else None


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What the manifest in a version's folder says, when all its files are there in their size; else None.

    Links are no files of a version, and a manifest that was edited by hand cannot name files elsewhere.
    """
    try:
        facts = json.loads((folder / MANIFEST).read_text())
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return None
        entries = [(PurePosixPath(entry["name"]), entry["size"]) for entry in facts["files"]]
        whole = bool(entries) and isinstance(facts["provenance"], dict)
        for name, size in entries:
            found = os.lstat(folder / name)
            inside = not name.is_absolute() and ".." not in name.parts
            whole = whole and inside and stat.S_ISREG(found.st_mode) and found.st_size == size
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(facts) if whole else None
