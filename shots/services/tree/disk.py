"""The only hands on the tree: folders made, files written whole, nothing that is there already harmed.

A tree may have been edited by hand: a link where a folder was, a file in its place, a metadata file that somebody
changed. What is in the way is named; what somebody wrote is kept beside.
"""

import ctypes
import errno
import hashlib
import json
import os
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from aipipeline.media.storage import storage_error
from aipipeline.projects.errors import PipelineError
from assets.metadata import SCHEMA

# From here on the filesystem is flushed as a whole: a thousand files one by one take seconds.
MANY = 50


class TreeError(PipelineError):
    """The tree could not be read or written; nothing of the run stays, and it can be run again."""

    status = 409
    code = "tree_failed"


def reason(error: OSError, root: Path) -> str:
    """What the storage said, and what to do, for people."""
    known = storage_error(error, root)
    return str(known.message) if known else f"{error.strerror or error} ({error.filename or root})"


class InTheWay(PipelineError):
    """Something on disk stands where a folder or a file belongs; the message says what and where."""

    status = 409
    code = "in_the_way"

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message, details={"path": path})
        self.path = path


@dataclass
class Disk:
    """One project's tree while it is worked on. Remembers what it made, so that it can take that away again."""

    root: Path
    made_folders: list[str] = field(default_factory=list)
    made_files: list[str] = field(default_factory=list)
    written: int = 0
    unchanged: int = 0
    kept: list[str] = field(default_factory=list)
    _whole: set[str] = field(default_factory=set)
    _unflushed: list[str] = field(default_factory=list)

    def _at(self, name: str) -> str:
        """The whole path, as text: for tens of thousands of names objects would take longer than the disk."""
        return f"{self.root}/{name}"

    def folder(self, relative: PurePosixPath | str) -> None:
        """Make this folder and those above it. InTheWay for a file or a link in its place, OSError as it comes."""
        name = str(relative)
        if name in self._whole:
            return
        if name in ("", "."):
            if not self.root.is_dir():
                try:
                    self.root.mkdir(parents=True)
                    self.made_folders.append(str(self.root))
                except FileExistsError:
                    # Somebody else makes the same tree at this moment; anything but a folder is told.
                    if not self.root.is_dir():
                        raise
        else:
            parent = name.rpartition("/")[0]
            if parent not in self._whole:
                self.folder(parent)
            path = self._at(name)
            try:
                os.mkdir(path)
                self.made_folders.append(path)
            except FileExistsError:
                self._check_folder(path, name)
        self._whole.add("" if name == "." else name)

    def _check_folder(self, path: str, name: str) -> None:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            raise InTheWay(
                _("%(path)s is a link; a folder of the production belongs there. Remove the link, then try again.")
                % {"path": name},
                name,
            )
        if not stat.S_ISDIR(mode):
            raise InTheWay(
                _("%(path)s is a file; a folder of the production belongs there. Move the file away, then try again.")
                % {"path": name},
                name,
            )

    def write(self, relative: PurePosixPath | str, data: bytes, *, digest: str | None = None) -> bool:
        """Write a file whole unless it says the same already; False then.

        `digest`: SHA-256 of what was written there last, "" when nothing was. When the file says something else,
        it is not ours: that text is kept beside, under a name of its own. None: nobody edits it, and it is kept
        only when it is none of the studio's files at all.
        """
        path = self._at(str(relative))
        before = self._read(path, str(relative))
        if before == data:
            self.unchanged += 1
            return False
        if before is not None and (_foreign(before) if digest is None else _not_ours(before, digest)):
            self._keep(Path(path))
        # One name for all, as one writer at a time holds the tree's lock: what a killed one left is overwritten.
        folder, _slash, last = path.rpartition("/")
        part = f"{folder}/.{last}.part"
        try:
            with open(_fresh(part), "wb", buffering=0) as file:
                file.write(data)
            os.replace(part, path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        if before is None:
            self.made_files.append(path)
        self._unflushed.append(path)
        self.written += 1
        return True

    def _read(self, path: str, name: str) -> bytes | None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise self._no_file(name) from error
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._no_file(name)
        with open(descriptor, "rb") as file:
            return file.read()

    @staticmethod
    def _no_file(name: str) -> InTheWay:
        text = _("%(path)s is not a plain file; a file of the production belongs there. Move it away, then try again.")
        return InTheWay(text % {"path": name}, name)

    def _keep(self, path: Path) -> None:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        for number in range(1, 1000):
            beside = path.with_name(f"{path.stem}.edited-{stamp}{f'-{number}' if number > 1 else ''}{path.suffix}")
            try:
                os.link(path, beside)
            except FileExistsError:
                continue
            except OSError:
                # A filesystem without hard links: a copy of a small text, never over another one.
                try:
                    with open(beside, "xb") as copy:
                        copy.write(path.read_bytes())
                except FileExistsError:
                    continue
            self.kept.append(beside.relative_to(self.root).as_posix())
            return

    def flush(self) -> None:
        """Make what was written outlast a power cut: all at once, which is much cheaper than file by file.

        The folders are not flushed: should a name be lost with the power, the next confirm writes the file again.
        """
        if len(self._unflushed) < MANY or not _flush_all(self.root):
            for path in self._unflushed:
                _flush(path)
        self._unflushed.clear()

    def take_back(self) -> None:
        """Take away what this run made: its new files, and its new folders where nobody put anything since."""
        for path in self.made_files:
            try:
                Path(path).unlink(missing_ok=True)
            except OSError:
                continue  # the storage went away: the next run finds the file as it is, and writes it anew
        for folder in reversed(self.made_folders):
            try:
                os.rmdir(folder)
            except OSError:
                continue
        self.made_files.clear()
        self.made_folders.clear()
        self._whole.clear()
        self._unflushed.clear()


def _flush_all(folder: Path) -> bool:
    """Flush the filesystem that this folder lies on; False where the system has no call for that."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
    return True


def _flush(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fresh(path: str) -> int:
    """A new file of this name, open for writing; never one that was there, nor where a link leads to."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o666)
    except FileExistsError:
        os.unlink(path)
        return os.open(path, flags, 0o666)


def _not_ours(data: bytes, digest: str) -> bool:
    """True when this was not written by the studio: not what it wrote last, nor in a form from before digests."""
    if hashlib.sha256(data).hexdigest() == digest:
        return False
    if digest:
        return True
    try:
        schema = json.loads(data)["schema"]
    except (ValueError, KeyError, TypeError):
        return True
    return not isinstance(schema, int) or schema >= SCHEMA


def _foreign(data: bytes) -> bool:
    """True when no version of the studio wrote this: somebody's own file of the same name. What a power cut left empty
    is nobody's."""
    if not data.strip(b"\x00 \n"):
        return False
    try:
        facts = json.loads(data)
    except ValueError:
        return True
    return not (isinstance(facts, dict) and isinstance(facts.get("schema"), int) and isinstance(facts.get("kind"), str))
