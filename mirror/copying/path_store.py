"""A folder as a target: a NAS mount or another disk. Files come in under a passing name and are renamed into place."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.utils.translation import gettext as _

from aipipeline.media.storage import storage_error
from mirror.copying.meter import Meter
from mirror.copying.path_place import Place, mtime_step, open_place, try_to_write
from mirror.copying.store import CHUNK, MARKER, Known, Outcome, Planned, Staged, Verdict
from mirror.copying.tree import File, Tree, is_passing

FLUSHERS = 8
_CHANGED = (errno.ENOENT, errno.ESTALE)
# Something of another kind lies where a folder or the file should be.
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY})
_NAME_REFUSED = frozenset({errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG})


class PathStore:
    """Compares by size and time as rsync does; the time of a copy is the source's."""

    def __init__(self, place: Place, source: Tree, meter: Meter) -> None:
        self.place = place
        self.source = source
        self.meter = meter
        self.tree: Tree | None = None
        self.step = 0
        self._token = secrets.token_hex(4)
        self._parts: set[tuple[str, str]] = set()

    def prepare(self, *, write: bool) -> None:
        self.tree = open_place(self.place, write=write)
        if self.tree is not None:
            self.step = mtime_step(self.tree)

    def try_to_write(self) -> None:
        """A test of the place: StorageError when it takes no file."""
        if self.tree is None:
            return
        try:
            try_to_write(self.tree)
        except OSError as error:
            raise self._wrapped(error) from error

    def listing(self) -> Iterator[File]:
        if self.tree is None:
            return
        try:
            yield from self.tree.walk(skip=self._skip, odd=True, strange=self._unreadable)
        except OSError as error:
            raise self._wrapped(error) from error

    def _skip(self, folder: str, name: str, is_folder: bool) -> bool:
        if name[0] != ".":
            return is_passing(name, folder=is_folder)
        if name.startswith(".aip-") and name.endswith(".part") and not is_folder:
            # Left by a run that was killed: there is one run at a time, and its own parts are in self._parts.
            if (folder, name) not in self._parts and self.tree is not None and self.place.may_write:
                self._drop(folder.rstrip("/"), name)
            return True
        return (not folder and name == MARKER) or is_passing(name, folder=is_folder)

    def _unreadable(self, path: str, why: str) -> None:
        if why not in ("encoding", "long", "link", "special"):
            raise OSError(errno.EACCES, why, path)

    def same(self, source: File, there: File) -> bool:
        if source.size != there.size or there.odd:
            return False
        return source.mtime_ns == there.mtime_ns or abs(source.mtime_ns - there.mtime_ns) < self.step

    def judge(
        self, doubtful: Sequence[tuple[File, File]], known: Mapping[str, Sequence[Known]]
    ) -> Iterator[tuple[File, File, Verdict, Known | None]]:
        for source, there in doubtful:
            ours = any(self.same(File(source.path, k.size, k.mtime_ns), there) for k in known.get(source.path, ()))
            yield source, there, Verdict.CHANGED if ours else Verdict.CONFLICT, None

    # --- copying ---------------------------------------------------------------------------------------
    def stage(self, planned: Iterable[Planned]) -> Iterator[Staged]:
        for item in planned:
            yield self._stage(item)

    def _stage(self, planned: Planned) -> Staged:
        path = planned.file.path
        try:
            fd = self.source.open(path, os.O_RDONLY)
        except OSError as error:
            if error.errno in _CHANGED or error.errno in _IN_THE_WAY:
                return Staged(planned, Outcome.LEFT)
            return Staged(planned, Outcome.SKIPPED, why=os.strerror(error.errno or 0))
        try:
            try:
                return self._bring(planned, fd)
            except OSError as error:
                if error.errno in _IN_THE_WAY:
                    return Staged(planned, Outcome.CONFLICT, why=_("something else lies there"))
                if error.errno in _NAME_REFUSED:
                    return Staged(planned, Outcome.SKIPPED, why=_("the target refuses the name"))
                raise self._wrapped(error) from error
        finally:
            os.close(fd)

    def _bring(self, planned: Planned, fd: int) -> Staged:
        assert self.tree is not None  # prepared to write
        before = os.fstat(fd)
        file = File(planned.file.path, before.st_size, before.st_mtime_ns)
        folder, _slash, name = file.path.rpartition("/")
        there = self._there(file.path)
        if there is not None and self.same(file, there):
            # Found under another spelling of its name (a storage that folds case or composes Hangul its own way).
            return Staged(planned, Outcome.SAME)
        if _facts(there) != _facts(planned.there):
            return Staged(planned, Outcome.CONFLICT, why=_("it was written there by someone else meanwhile"))
        part = f".aip-{self._token}-{hashlib.blake2s(name.encode(), digest_size=8).hexdigest()}.part"
        parent = self.tree.folder(folder, make=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        out = os.open(part, flags, 0o666, dir_fd=parent)
        self._parts.add((f"{folder}/" if folder else "", part))
        try:
            try:
                digest, size = self._pour(fd, out)
                os.utime(out, ns=(file.mtime_ns, file.mtime_ns))
            finally:
                os.close(out)
        except _SourceBroke as broken:
            self._drop(folder, part)
            return Staged(planned, Outcome.SKIPPED, why=str(broken))
        except BaseException:
            self._drop(folder, part)
            raise
        after = os.fstat(fd)
        if size != file.size or (after.st_size, after.st_mtime_ns) != (file.size, file.mtime_ns) or not after.st_nlink:
            self._drop(folder, part)
            return Staged(planned, Outcome.LEFT)
        return Staged(planned, Outcome.COPIED, Known(file.size, file.mtime_ns, digest), part)

    def _pour(self, source: int, out: int) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        while True:
            try:
                data = os.read(source, CHUNK)
            except OSError as error:
                raise _SourceBroke(os.strerror(error.errno or 0)) from error
            if not data:
                return digest.hexdigest(), size
            self.meter.advance(len(data))
            digest.update(data)
            size += len(data)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(out, rest) :]

    def land(self, staged: Sequence[Staged]) -> Iterator[Staged]:
        assert self.tree is not None  # prepared to write
        parts = [item.planned.file.path.rpartition("/")[0] + "/" + item.part for item in staged]
        folders: set[str] = set()
        try:
            self._flush([path.lstrip("/") for path in parts])
            for item in staged:
                folder, _slash, name = item.planned.file.path.rpartition("/")
                there, parent = self._there(item.planned.file.path), self.tree.folder(folder)
                if _facts(there) != _facts(item.planned.there):
                    # A large file is on its way for hours, and people work there too.
                    self._drop(folder, item.part)
                    yield item.become(Outcome.CONFLICT, _("it was written there by someone else meanwhile"))
                    continue
                try:
                    os.rename(item.part, name, src_dir_fd=parent, dst_dir_fd=parent)
                except OSError as error:
                    if error.errno not in _IN_THE_WAY:
                        raise
                    self._drop(folder, item.part)
                    yield item.become(Outcome.CONFLICT, _("something else lies there"))
                    continue
                self._parts.discard((f"{folder}/" if folder else "", item.part))
                self._keep_time(item, parent, name)
                folders.add(folder)
                yield item
            self._flush(sorted(folders))
        except OSError as error:
            raise self._wrapped(error) from error

    def _flush(self, paths: Sequence[str]) -> None:
        """Files and folders onto the disk. Many are flushed at once much quicker than in turn."""
        with ThreadPoolExecutor(FLUSHERS) as pool:
            list(pool.map(self._flush_one, paths))

    def _flush_one(self, path: str) -> None:
        assert self.tree is not None
        fd = self.tree.open(path or ".", os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _keep_time(self, item: Staged, parent: int, name: str) -> None:
        """Network storages set the time once more when they flush after the close."""
        assert item.known is not None  # only whole copies land
        seen = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mtime_ns
        if abs(seen - item.known.mtime_ns) > self.step:
            os.utime(name, ns=(item.known.mtime_ns, item.known.mtime_ns), dir_fd=parent, follow_symlinks=False)

    def _there(self, path: str) -> File | None:
        assert self.tree is not None
        try:
            facts = self.tree.stat(path)
        except FileNotFoundError:
            return None
        regular = (facts.st_mode & 0o170000) == 0o100000
        return File(path, facts.st_size, facts.st_mtime_ns, not regular)

    def make_folder(self, path: str) -> bool:
        assert self.tree is not None  # prepared to write
        try:
            # One call for the many that are there; what it follows, it only looks at.
            os.stat(path, dir_fd=self.tree.fd)
        except OSError:
            try:
                self.tree.folder(path, make=True)
            except OSError as error:
                if error.errno in _IN_THE_WAY or error.errno in _NAME_REFUSED:
                    return False
                raise self._wrapped(error) from error
        return True

    # --- reading back, cleaning up -----------------------------------------------------------------------
    def read(self, path: str) -> Iterator[bytes]:
        assert self.tree is not None
        try:
            fd = self.tree.open(path, os.O_RDONLY)
            try:
                # What was just written must come from the disk, not from this machine's memory.
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                while data := os.read(fd, CHUNK):
                    yield data
            finally:
                os.close(fd)
        except OSError as error:
            raise self._wrapped(error) from error

    def close(self) -> None:
        if self.tree is None:
            return
        for folder, part in list(self._parts):
            self._drop(folder.rstrip("/"), part)
        self.tree.close()

    def _drop(self, folder: str, part: str) -> None:
        """Take one of our own temporary files away; on a storage that is gone, the next run does it."""
        self._parts.discard((f"{folder}/" if folder else "", part))
        if self.tree is not None:
            try:
                os.unlink(part, dir_fd=self.tree.folder(folder))
            except OSError:
                return

    def _wrapped(self, error: OSError) -> BaseException:
        return storage_error(error, self.place.path) or error


class _SourceBroke(Exception):
    """The production's own storage could not be read to the end; the words are the system's."""


def _facts(file: File | None) -> tuple[int, int, bool] | None:
    return (file.size, file.mtime_ns, file.odd) if file else None
