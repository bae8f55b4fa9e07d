"""Folders by file descriptor: walked in one order without following links, opened without leaving the root."""

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import PurePosixPath
from types import TracebackType
from typing import NamedTuple, Self

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MAX_PATH_BYTES = 1000  # an S3 key has at most 1024, and a prefix before it
# What the studio, other programs and systems keep beside the files for a moment, or can make again.
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_SUFFIXES = (".lock",)
_PREFIXES = (".tmp-", ".work-", ".nfs", ".fuse_hidden", ".~lock.")


class File(NamedTuple):
    """One regular file: its path relative to the root, bytes, nanoseconds; `odd` for anything else at that path.

    `etag` is what an S3 server says of an object, whose `mtime_ns` is then 0.
    """

    path: str
    size: int
    mtime_ns: int
    odd: bool = False
    etag: str = ""


def is_passing(name: str, *, folder: bool) -> bool:
    """Names that are never copied: temporary files, locks, caches in folders with a dot."""
    if name[0] != ".":  # nearly all
        return name.endswith(_SUFFIXES) or name in _LITTER
    return folder or name.startswith(_PREFIXES) or name.endswith((*_SUFFIXES, ".part")) or name in _LITTER


class Tree:
    """A root folder held open: what is renamed or linked underneath cannot lead anywhere else."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)
        self.fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._folder = ("", self.fd)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_args: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._forget()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _forget(self) -> None:
        path, fd = self._folder
        if path:
            os.close(fd)
        self._folder = ("", self.fd)

    def folder(self, path: str, *, make: bool = False) -> int:
        """The descriptor of a folder below the root (kept until the next is asked for); OSError as `os.open`.

        `make`: make what is missing. A link on the way is refused (ELOOP or ENOTDIR).
        """
        if path == self._folder[0]:
            return self._folder[1]
        self._forget()
        fd = self.fd
        try:
            for part in PurePosixPath(path).parts:
                if part == "..":
                    raise OSError(errno.EINVAL, "leaves the folder", path)
                try:
                    below = os.open(part, _FOLDER, dir_fd=fd)
                except FileNotFoundError:
                    if not make:
                        raise
                    os.mkdir(part, 0o777, dir_fd=fd)
                    below = os.open(part, _FOLDER, dir_fd=fd)
                if fd != self.fd:
                    os.close(fd)
                fd = below
        except BaseException:
            if fd != self.fd:
                os.close(fd)
            raise
        self._folder = (path, fd)
        return fd

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        """Open a file below the root without following links. Any thread may."""
        parent, _slash, name = path.rpartition("/")
        with self._lock:  # one folder is held open, and several threads read files
            return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=self.folder(parent))

    def stat(self, path: str) -> os.stat_result:
        """Of the file itself, not of what it links to."""
        parent, _slash, name = path.rpartition("/")
        return os.stat(name, dir_fd=self.folder(parent), follow_symlinks=False)

    def walk(
        self,
        *,
        skip: Callable[[str, str, bool], bool],
        strange: Callable[[str, str], None] = lambda _path, _why: None,
        odd: bool = False,
        bare: Callable[[str], None] = lambda _path: None,
    ) -> Iterator[File]:
        """Every file in the order of whole paths by code points, which is UTF-8's and that of S3 listings.

        `skip(folder, name, is_folder)` leaves a name out; `folder` ends with / unless it is the root's "".
        `strange(path, why)` hears of what cannot be copied: why is "link", "special", "encoding", "long" or the
        system's words for a folder that cannot be read. `odd`: give links and special files as `File(…, odd=True)`.
        `bare(path)` hears of folders with nothing in them that is not left out.
        Holds the names of one folder per level in memory.
        """
        stack: list[tuple[int, str, Iterator[tuple[str, os.DirEntry[str]]]]] = []

        def enter(fd: int, prefix: str) -> None:
            entries = _sorted(fd, prefix, skip, strange)
            stack.append((fd, prefix, iter(entries)))
            if not entries and prefix:
                bare(prefix[:-1])

        try:
            enter(os.open(".", _FOLDER, dir_fd=self.fd), "")
            while stack:
                fd, prefix, entries = stack[-1]
                for name, entry in entries:
                    if name[-1] == "/":
                        try:
                            below = os.open(name[:-1], _FOLDER, dir_fd=fd)
                        except FileNotFoundError:
                            continue
                        except OSError as error:
                            strange(prefix + name[:-1], os.strerror(error.errno or 0))
                            continue
                        enter(below, prefix + name)
                        break
                    try:
                        facts = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    path = prefix + name
                    if stat.S_ISREG(facts.st_mode):
                        yield File(path, facts.st_size, facts.st_mtime_ns)
                    elif odd:
                        yield File(path, facts.st_size, facts.st_mtime_ns, True)
                    else:
                        strange(path, "link" if stat.S_ISLNK(facts.st_mode) else "special")
                else:
                    os.close(fd)
                    stack.pop()
        finally:
            for fd, _prefix, _entries in stack:
                os.close(fd)


_name = itemgetter(0)


def _sorted(
    fd: int, prefix: str, skip: Callable[[str, str, bool], bool], strange: Callable[[str, str], None]
) -> list[tuple[str, "os.DirEntry[str]"]]:
    """The entries of a folder, folders with a / at their end so that the order is that of whole paths."""
    found = []
    room = MAX_PATH_BYTES - (len(prefix) if prefix.isascii() else len(prefix.encode()))
    with os.scandir(fd) as entries:
        for entry in entries:
            name = entry.name
            folder = entry.is_dir(follow_symlinks=False)
            if skip(prefix, name, folder):
                continue
            if not name.isascii() or len(name) > room:
                try:
                    if len(name.encode()) > room:
                        strange(prefix + name, "long")
                        continue
                except UnicodeEncodeError:
                    strange((prefix + name).encode("utf-8", "replace").decode(), "encoding")
                    continue
            found.append((name + "/" if folder else name, entry))
    if len(found) > 1:
        found.sort(key=_name)
    return found
