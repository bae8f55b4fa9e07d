"""Files that somebody put into a drop folder become versions: copied, sealed, and only then taken out of it.

Below the folder of each shot, character and environment lies `drop/`; references of characters and environments may
also lie loose in `reference/`. A file's kind is said by whoever adopts it, by a folder in the drop folder named as a
kind, or by its own name. What cannot become a version stays where it is, with the reason.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from django.utils.translation import gettext as _

from aipipeline.media.exclusive import exclusive
from aipipeline.media.files import held_for_writing, sha256_file
from aipipeline.media.rooted import Rooted, split_path
from aipipeline.media.storage import StorageError
from aipipeline.media.uploads import MAX_BYTES, SUFFIXES
from aipipeline.projects.errors import Conflict, Invalid, NotFound, PipelineError
from aipipeline.projects.models import Project
from assets.naming import NameContext, NotRead, read_name
from renders.models import Version, VersionKind
from renders.services.numbering import Owner
from renders.services.publishing import publish_files
from renders.services.recovery import recover_versions
from renders.services.scanning import DROP, MOST, shown
from shots.models import Folder, FolderKind, FolderState, Shot
from shots.services.tree.folders import context_of
from shots.services.tree.folders import kind_of as folder_kind
from shots.services.tree.reading import TreeReader

log = structlog.get_logger(__name__)
STILL_SECONDS = 3.0
AT_ONCE = 200
MOST_DROPPED = 100_000
Progress = Callable[[float, str], None]
_OWNERS = (FolderKind.SHOT, FolderKind.CHARACTER, FolderKind.ENVIRONMENT)
_LITTER = ("thumbs.db", "desktop.ini")
_IDENTITY = ("project", "scene", "shot", "character", "environment")


class NotTaken(Exception):
    """This file does not become a version; the message says why and what to do."""


class NotYet(NotTaken):
    """Nor now: somebody writes to it."""

    def __init__(self) -> None:
        super().__init__(_("It is still being written. It is taken once nobody has written to it for a while."))


@dataclass(frozen=True)
class Dropped:
    """A file that waits. `path` is relative to the project, `inside` to the folder that it was dropped into.

    `mark` changes whenever anybody writes to the file, or puts another one in its place.
    """

    owner: Owner
    path: str
    inside: tuple[str, ...]
    mark: tuple[int, ...]

    @property
    def size(self) -> int:
        return self.mark[1]


@dataclass
class AdoptReport:
    """What became of dropped files; `counts` of all, the lists hold the first of each."""

    counts: dict[str, int] = field(default_factory=lambda: {"adopted": 0, "cleared": 0, "left": 0})
    adopted: list[dict[str, Any]] = field(default_factory=list)
    cleared: list[dict[str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)

    def add(self, what: str, path: str, **facts: Any) -> None:
        self.counts[what] += 1
        found = getattr(self, what)
        if len(found) < MOST:
            found.append({"path": shown(path), **facts})

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("counts", "adopted", "cleared", "left")}


def adopt_dropped(
    *,
    project: Project,
    actor: Any,
    files: Sequence[Mapping[str, str]] | None = None,
    progress: Progress = lambda _value, _text: None,
) -> AdoptReport:
    """Make versions of these dropped files ({"path", "kind"}, the kind may be empty), or of all that there are.

    A file that still grows is left for the next time. Safe to run again after any death: what was published and not
    yet taken out of the drop folder is only taken out. `progress` may raise to stop between two files.
    """
    report = AdoptReport()
    with exclusive(f"adopt:{project.pk}", seconds=5) as mine:
        if not mine:
            raise Conflict(_("Dropped files of this project are being taken in right now. Try again in a moment."))
        recover_versions()
        kinds = {item["path"]: item.get("kind", "") for item in files or ()}
        found = dropped_files(project) if files is None else _named(project, kinds, report)
        done, reader = 0, TreeReader(project)
        while portion := list(islice(found, AT_ONCE)):
            time.sleep(STILL_SECONDS)
            for item in portion:
                progress(done / max(len(kinds), done + 1), item.path)
                _adopt(item, kinds.get(item.path, ""), actor, reader, report)
                done += 1
    return report


def dropped_files(project: Project) -> Iterator[Dropped]:
    """Everything that waits, folder by folder; nothing hidden, nothing behind a link."""
    rooted = Rooted(project.root)
    for folder, owner in _owners(project):
        yield from _below(rooted, owner, f"{folder.path}/{DROP}", deep=True)
        if not isinstance(owner, Shot):
            yield from _below(rooted, owner, f"{folder.path}/{VersionKind.REFERENCE}", deep=False)


def _owners(project: Project) -> Iterator[tuple[Folder, Owner]]:
    rows = Folder.objects.filter(project=project, kind__in=_OWNERS, state=FolderState.ACTIVE).order_by("path")
    for folder in rows.select_related("shot__scene", "character", "environment").iterator(500):
        owner: Owner = getattr(folder, folder.kind)
        owner.project = project
        yield folder, owner


def _below(rooted: Rooted, owner: Owner, path: str, *, deep: bool) -> Iterator[Dropped]:
    with suppress(NotFound):
        for parts, entry in rooted.walk(split_path(path), MOST_DROPPED):
            loose = len(parts) == 1 and not entry.name.endswith(".json")  # the studio's own pointers lie there too
            hidden = any(part.startswith(".") for part in parts) or entry.name.lower() in _LITTER
            if entry.kind == "file" and not hidden and (deep or loose):
                where = "/".join((path, *parts))
                with suppress(OSError):
                    yield Dropped(owner, where, parts, _mark(os.lstat(rooted.root / where)))


def _mark(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _named(project: Project, kinds: Mapping[str, str], report: AdoptReport) -> Iterator[Dropped]:
    """The files of these paths; what is no dropped file is told."""
    places: dict[tuple[str, ...], Owner] = {}
    for folder, owner in _owners(project):
        places[split_path(f"{folder.path}/{DROP}")] = owner
        if not isinstance(owner, Shot):
            places[split_path(f"{folder.path}/{VersionKind.REFERENCE}")] = owner
    rooted = Rooted(project.root)
    for path in kinds:
        try:
            parts = split_path(path)
            base = next((parts[:n] for n in range(len(parts) - 1, 0, -1) if parts[:n] in places), None)
            if base is None or (base[-1] != DROP and len(parts) != len(base) + 1):
                raise NotFound(_("This is not in the drop folder of a shot, character or environment."))
            with rooted.open(parts) as file:
                yield Dropped(places[base], path, parts[len(base) :], _mark(os.fstat(file.fileno())))
        except (NotFound, Invalid, StorageError) as error:
            report.add("left", path, reason=str(error.message))


def _adopt(item: Dropped, kind: str, actor: Any, reader: TreeReader, report: AdoptReport) -> None:
    """One file: published and taken out, or left with the reason."""
    project = item.owner.project
    try:
        parts = split_path(item.path)
        with Rooted(project.root).open(parts) as file:
            _check(item, file)
            names = _read(item, reader)
            kind = kind or kind_of(item, names)
            _check_kind(item.owner, kind)
            version = _published_before(item, kind, file)
            what = "cleared" if version else "adopted"
            version = version or _publish(item, kind, names, actor, file)
        if not _take_out(project, parts, item):
            log.warning("dropped_file_changed", path=item.path)
        report.add(what, item.path, version=version.pk, label=str(version))
    except NotTaken as no:
        report.add("left", item.path, reason=str(no), size=item.size, later=isinstance(no, NotYet))
    except Invalid as error:
        report.add("left", item.path, reason=str(error.message) + " " + _("Rename the file."), size=item.size)
    except PipelineError as error:
        report.add("left", item.path, reason=str(error.message), size=item.size, later=error.status >= 500)
    except OSError as error:
        report.add("left", item.path, reason=error.strerror or str(error), size=item.size, later=True)


def _check(item: Dropped, file: BinaryIO) -> None:
    if _mark(os.fstat(file.fileno())) != item.mark or held_for_writing(file.fileno()):
        raise NotYet
    name = item.inside[-1]
    if Path(name).suffix.lower() not in SUFFIXES:
        raise NotTaken(_("This kind of file is not taken. Put in an image, a video or a motion file."))
    if item.size == 0:
        raise NotTaken(_("The file is empty."))
    if item.size > MAX_BYTES:
        raise NotTaken(_("It is larger than 2 GB."))


def _read(item: Dropped, reader: TreeReader) -> NameContext | None:
    """What the file's name says, None when it says nothing; NotTaken when it is of something else."""
    try:
        names = read_name(reader.templates, item.inside[-1], reader.known)
    except NotRead:
        return None
    mine = context_of(item.owner)
    said = {name: getattr(names, name) for name in _IDENTITY if getattr(names, name)}
    if any(value != getattr(mine, name) for name, value in said.items()):
        text = _("Its name says that it is of %(said)s, but it lies in the folder of %(here)s. Move or rename it.")
        words = " ".join(value for name, value in said.items() if name != "project")
        raise NotTaken(text % {"said": words or said["project"], "here": str(item.owner)})
    return names


def kind_of(item: Dropped, names: NameContext | None) -> str:
    """The kind that the file's folder or its name says; NotTaken when neither does."""
    if not isinstance(item.owner, Shot):
        return VersionKind.REFERENCE
    folder = item.inside[0].casefold() if len(item.inside) > 1 else ""
    found = folder if folder in VersionKind.values else names.kind if names else ""
    if found not in VersionKind.values:
        raise NotTaken(_("What is it? Choose a kind, or put it into a folder named as one, like drop/render."))
    return found


def _check_kind(owner: Owner, kind: str) -> None:
    if kind not in VersionKind.values:
        raise NotTaken(_("Unknown kind of version."))
    if not isinstance(owner, Shot) and kind != VersionKind.REFERENCE:
        raise NotTaken(_("Characters and environments have references only."))


def _published_before(item: Dropped, kind: str, file: BinaryIO) -> Version | None:
    """The version that has this very content already, whole on the disk; None for anything new."""
    rows = Version.objects.live().filter(**{folder_kind(item.owner): item.owner}, kind=kind).select_related("project")
    digest = ""
    version: Version
    for version in rows.order_by("-number"):
        main = version.manifest[0] if version.manifest else {}
        if main.get("size") != item.size:
            continue
        digest = digest or sha256_file(Path(f"/dev/fd/{file.fileno()}"))
        with suppress(OSError):
            if main.get("sha256") == digest and sha256_file(version.file()) == digest:
                return version
    return None


def _publish(item: Dropped, kind: str, names: NameContext | None, actor: Any, file: BinaryIO) -> Version:
    def still() -> None:
        if _mark(os.fstat(file.fileno())) != item.mark or held_for_writing(file.fileno()):
            raise NotYet

    file.seek(0)
    return publish_files(
        owner=item.owner,
        kind=kind,
        files={item.inside[-1]: file},
        actor=actor,
        comment=names.comment if names else "",
        provenance={"engine": "drop", "dropped": shown(item.path)},
        check=still,
    )


def _take_out(project: Project, parts: tuple[str, ...], item: Dropped) -> bool:
    """Remove the dropped file, unless somebody wrote to it or put another in its place; False then."""
    with Rooted(project.root).folder(parts[:-1]) as folder:
        if _mark(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)) != item.mark:
            return False
        os.unlink(parts[-1], dir_fd=folder)
    return True
