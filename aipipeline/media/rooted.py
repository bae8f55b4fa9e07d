"""One folder and what is below it, read without ever leaving it: no `..`, no link, whatever happens meanwhile.

Every step goes from an open folder to the next one by name, and refuses links; a folder that somebody replaces by a
link between the look and the reading is therefore not followed either.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from django.utils.translation import gettext as _

from aipipeline.media.storage import StorageError, storage_error
from aipipeline.projects.errors import Invalid, NotFound

Kind = Literal["folder", "file", "link", "other"]
MAX_PATH = 4096
MAX_PART_BYTES = 255
MAX_DEPTH = 64
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class StorageAway(StorageError):
    """The folder that holds everything is not there: an unmounted disk, a NAS that is off."""

    status = 503
    code = "storage_away"


class RootGone(StorageAway):
    """The root itself does not exist: not mounted, or never made."""


@dataclass(frozen=True)
class Entry:
    """One name in a folder. `size` and `modified` (seconds) are 0 until `Rooted.look` asked for them, and of links."""

    name: str
    kind: Kind
    size: int = 0
    modified: float = 0.0

    @property
    def readable(self) -> bool:
        """False for a name that is not UTF-8: it can be shown, but no address can carry it."""
        return not any("\ud800" <= char <= "\udfff" for char in self.name)


def split_path(text: str) -> tuple[str, ...]:
    """The parts of a path below a root; () for the root itself. Invalid for whatever could lead out of it."""
    if len(text) > MAX_PATH:
        raise _refused(_("This path is too long."))
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise _refused(_("There is a character in this path that no path has."))
    if text.startswith("/"):
        raise _refused(_("The path must begin in the folder of the production, without a / in front."))
    parts = tuple(part for part in text.split("/") if part not in ("", "."))
    if ".." in parts:
        raise _refused(_("A path with .. in it is not followed."))
    if len(parts) > MAX_DEPTH or any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise _refused(_("This path is too long."))
    return parts


def _refused(message: str) -> Invalid:
    return Invalid(message, fields={"path": [message]})


class Rooted:
    """Reads below `root`. Paths are tuples of names as `split_path` gives them.

    RootGone when the root is not there, another StorageError when the disk refuses, NotFound for what does not
    exist, is a link, or lies behind one.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def folder(self, parts: tuple[str, ...]) -> Iterator[int]:
        """The open folder, as a descriptor for the `dir_fd` of the os functions."""
        descriptor = self._root()
        try:
            for part in parts:
                with self._errors(parts):
                    following = os.open(part, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = following
            yield descriptor
        finally:
            os.close(descriptor)

    def _root(self) -> int:
        try:
            return os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in _GONE:
                text = _(
                    "The folder of the production, %(folder)s, is not there. "
                    "Check that the storage is mounted on the server, then try again."
                )
                raise RootGone(text % {"folder": self.root}) from error
            raise self._known(error) from error

    def _known(self, error: OSError) -> StorageError:
        text = _("The storage at %(folder)s cannot be read: %(reason)s")
        other = StorageError(text % {"folder": self.root, "reason": error.strerror or error})
        known = storage_error(error, self.root)
        return known if isinstance(known, StorageError) else other

    @contextmanager
    def _errors(self, parts: tuple[str, ...]) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _GONE:
                text = _("There is no %(path)s in this production any more.")
                raise NotFound(text % {"path": "/".join(parts) or "/"}) from error
            raise self._known(error) from error

    def names(self, parts: tuple[str, ...], limit: int) -> tuple[list[Entry], bool]:
        """What is in a folder, in no order, at most `limit`; True when there is more."""
        found: list[Entry] = []
        with self.folder(parts) as descriptor, self._errors(parts), os.scandir(descriptor) as entries:
            for entry in entries:
                if len(found) >= limit:
                    return found, True
                found.append(Entry(entry.name, _kind_of(entry)))
        return found, False

    def look(self, parts: tuple[str, ...], entries: list[Entry]) -> list[Entry]:
        """The same entries with size and time; what went away meanwhile is left out."""
        found = []
        with self.folder(parts) as descriptor:
            for entry in entries:
                try:
                    facts = os.stat(entry.name, dir_fd=descriptor, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise self._known(error) from error
                kind = _kind_of_mode(facts.st_mode)
                found.append(Entry(entry.name, kind, facts.st_size if kind == "file" else 0, facts.st_mtime))
        return found

    def entry(self, parts: tuple[str, ...]) -> Entry:
        """What one path is; the root is a folder without a name."""
        if not parts:
            with self.folder(()):
                return Entry("", "folder")
        found = self.look(parts[:-1], [Entry(parts[-1], "other")])
        if not found:
            raise NotFound(_("There is no %(path)s in this production any more.") % {"path": "/".join(parts)})
        return found[0]

    def open(self, parts: tuple[str, ...]) -> BinaryIO:
        """A plain file, open for reading; the caller closes it."""
        with self.folder(parts[:-1]) as folder, self._errors(parts):
            descriptor = os.open(parts[-1] if parts else ".", _FILE, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotFound(_("%(path)s is not a file.") % {"path": "/".join(parts) or "/"})
        return open(descriptor, "rb")

    def walk(self, parts: tuple[str, ...], limit: int) -> Iterator[tuple[tuple[str, ...], Entry]]:
        """Every folder and plain file below a folder, with the path from there, folder by folder; links are left out.

        Ends after `limit` entries. What goes away meanwhile is passed over.
        """
        seen, waiting = 0, [parts]
        while waiting:
            here = waiting.pop()
            try:
                found, _more = self.names(here, limit - seen)
                looked = self.look(here, sorted(found, key=lambda entry: entry.name))
            except NotFound:
                if here == parts:
                    raise
                continue
            for entry in looked:
                seen += 1
                if entry.kind == "folder":
                    waiting.append((*here, entry.name))
                if entry.kind in ("file", "folder"):
                    yield (*here[len(parts) :], entry.name), entry
            if seen >= limit:
                return


def _kind_of(entry: "os.DirEntry[str]") -> Kind:
    try:
        if entry.is_symlink():
            return "link"
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        return "file" if entry.is_file(follow_symlinks=False) else "other"
    except OSError:
        return "other"


def _kind_of_mode(mode: int) -> Kind:
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "other"
