"""Whether a folder is the one that a mirror belongs in: mounted, ours, outside of the studio's own folders."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.media.storage import storage_error
from mirror.copying.store import MARKER, TargetAway, TargetRefused
from mirror.copying.tree import Tree, is_passing

SCHEMA = 1
# What disks and NAS systems put into a folder that is empty for everybody.
_NOBODYS = frozenset({"lost+found", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information"})
_ODD_NS = 123_456_789
_STEPS = (100, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)


@dataclass(frozen=True)
class Place:
    """`own` are folders of the studio that may not overlap with the target; `below`: the target must lie in one of
    these, None when it may lie anywhere. `marked`: a marker was written here before; `mark` is called when it is."""

    path: Path
    project: str
    target: str
    own: Sequence[Path]
    below: Sequence[Path] | None
    marked: bool
    mark: Callable[[], None] = lambda: None
    may_write: bool = True


def open_place(place: Place, *, write: bool) -> Tree | None:
    """The folder, held open; None for a dry run into a folder that does not exist yet.

    TargetRefused when it must not be written into, TargetAway when it looks unmounted, StorageError when the
    storage itself refuses. `write`: make the folder if it is new, leave the marker, try to write.
    """
    real = Path(os.path.realpath(place.path))
    _check_where(place, real)
    try:
        tree = _opened(place, real, write=write)
        if tree is None:
            return None
        try:
            _check_where(place, Path(os.path.realpath(f"/proc/self/fd/{tree.fd}")) if os.path.isdir("/proc") else real)
            _check_marker(place, tree, write=write)
            if write:
                try_to_write(tree)
        except BaseException:
            tree.close()
            raise
        return tree
    except OSError as error:
        known = storage_error(error, place.path)
        if known is None:
            raise TargetAway(
                _("The folder %(folder)s cannot be used (%(reason)s). Check the path and the mount.")
                % {"folder": place.path, "reason": os.strerror(error.errno or 0)}
            ) from error
        raise known from error


def _check_where(place: Place, real: Path) -> None:
    for own in (Path(os.path.realpath(folder)) for folder in place.own):
        if real == own or own in real.parents or real in own.parents:
            raise TargetRefused(
                _(
                    "%(folder)s overlaps with the studio's own folder %(own)s. "
                    "A mirror must lie outside of it, best on another disk."
                )
                % {"folder": place.path, "own": own}
            )
    if place.below is None:
        return
    roots = [Path(os.path.realpath(root)) for root in place.below]
    if not any(root == real or root in real.parents for root in roots):
        raise TargetRefused(
            _(
                "%(folder)s is not below a folder that this server allows for mirrors. "
                "Ask a superuser to set it, or to add the folder to AIP_MIRROR_ROOTS."
            )
            % {"folder": place.path}
        )


def _away(place: Place, folder: Path) -> TargetAway:
    return TargetAway(
        _(
            "%(folder)s is not there, or is not the mirror that was begun there: its marker %(marker)s is missing. "
            "Most likely the storage is not mounted. Mount it; nothing was written."
        )
        % {"folder": folder, "marker": MARKER}
    )


def _opened(place: Place, real: Path, *, write: bool) -> Tree | None:
    try:
        return Tree(real)
    except FileNotFoundError:
        if place.marked:
            raise _away(place, place.path) from None
        if not real.parent.is_dir():
            raise TargetAway(
                _("There is no folder %(folder)s. Mount it or correct the path: only its last folder is made.")
                % {"folder": real.parent}
            ) from None
        if not write:
            return None
        os.mkdir(real)
        return Tree(real)
    except NotADirectoryError:
        raise TargetRefused(_("%(folder)s is a file. Choose a folder.") % {"folder": place.path}) from None


def _check_marker(place: Place, tree: Tree, *, write: bool) -> None:
    marker = read_marker(tree)
    if marker is not None:
        if marker.get("project") != place.project:
            raise TargetRefused(
                _("%(folder)s holds the mirror of another project (%(project)s). Choose a folder of its own.")
                % {"folder": place.path, "project": str(marker.get("project", "?"))[:40]}
            )
        place.mark()
        return
    if place.marked:
        raise _away(place, place.path)
    with os.scandir(tree.fd) as entries:
        for entry in entries:
            if entry.name not in _NOBODYS and not is_passing(entry.name, folder=False):
                raise TargetRefused(
                    _(
                        "%(folder)s is not empty and is no mirror (%(name)s lies in it). "
                        "Choose a new or an empty folder."
                    )
                    % {"folder": place.path, "name": entry.name.encode("utf-8", "replace").decode()}
                )
    if write:
        _write_marker(place, tree)
        place.mark()


def read_marker(tree: Tree) -> dict[str, Any] | None:
    """What the marker says; {} for one that cannot be understood, None when there is none."""
    try:
        fd = tree.open(MARKER, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        found = json.loads(os.read(fd, 64 * 1024))
    except ValueError:
        return {}
    finally:
        os.close(fd)
    return found if isinstance(found, dict) else {}


def marker_text(*, project: str, target: str, mtime_ns: int = 0) -> bytes:
    """The marker's content: whose mirror this is."""
    facts = {
        "schema": SCHEMA,
        "project": project,
        "target": target,
        "made": timezone.now().isoformat(timespec="seconds"),
        "mtime_ns": mtime_ns,
    }
    return (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode()


def _write_marker(place: Place, tree: Tree) -> None:
    now = int(timezone.now().timestamp()) * 1_000_000_000 + _ODD_NS
    part = f".{MARKER}.part"
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=tree.fd)
    try:
        os.write(fd, marker_text(project=place.project, target=place.target, mtime_ns=now))
        os.fsync(fd)
    finally:
        os.close(fd)
    os.utime(part, ns=(now, now), dir_fd=tree.fd)
    os.rename(part, MARKER, src_dir_fd=tree.fd, dst_dir_fd=tree.fd)


def try_to_write(tree: Tree) -> None:
    """A storage that is closed says so before anything is compared."""
    name = f".aip-{os.getpid()}-try.part"
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666, dir_fd=tree.fd))
    os.unlink(name, dir_fd=tree.fd)


def mtime_step(tree: Tree) -> int:
    """How coarsely the storage keeps times, in nanoseconds; 0 when exactly. The marker's own time tells."""
    marker = read_marker(tree)
    stated = (marker or {}).get("mtime_ns")
    if not isinstance(stated, int) or not stated:
        return 0
    off = abs(tree.stat(MARKER).st_mtime_ns - stated)
    return next((step for step in _STEPS if off < step), 0) if off else 0
