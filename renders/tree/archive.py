"""A folder as a zip that is written while it is sent: stored as it is, never whole in memory, ended with its reader."""

import io
import zipfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from aipipeline.media.rooted import Entry, Rooted
from aipipeline.projects.errors import Invalid, PipelineError
from renders.tree.joining import shown

MOST_FILES = 20_000
CHUNK = 256 * 1024
# From here on a zip needs its 64-bit records, whose size is not foreseen.
_PLAIN = 2**31 - 1
_FIRST_YEAR = 1980


class TooMany(PipelineError):
    """A folder of too many files to be sent as one."""

    status = 422
    code = "too_many_files"


class ChangedMeanwhile(PipelineError):
    """A file became shorter while it was sent; the zip is broken off rather than made to look whole."""

    status = 409
    code = "changed_meanwhile"


@dataclass(frozen=True)
class Packed:
    """What goes into a zip. `folder` is its place below the root, `top` the folder that everything is in."""

    rooted: Rooted
    folder: tuple[str, ...]
    top: str
    files: list[tuple[tuple[str, ...], Entry]]

    @property
    def size(self) -> int:
        return sum(entry.size for _path, entry in self.files)

    @property
    def length(self) -> int | None:
        """How many bytes the zip will be, None when it is so large that this is not foreseen."""
        if self.size > _PLAIN or len(self.files) >= zipfile.ZIP_FILECOUNT_LIMIT:
            return None
        names = sum(len(self.name(path).encode()) for path, _entry in self.files)
        # A local head, a data descriptor and a record of the directory for each file; the end of the directory.
        return self.size + 2 * names + len(self.files) * (30 + 16 + 46) + 22

    def name(self, path: tuple[str, ...]) -> str:
        return "/".join((self.top, *map(shown, path)))


def pack(rooted: Rooted, folder: tuple[str, ...], top: str) -> Packed:
    """What a zip of this folder holds: every plain file, no links, nothing that is still being written."""
    files, limit = [], MOST_FILES * 5
    for seen, (path, entry) in enumerate(rooted.walk(folder, limit), start=1):
        if entry.kind == "file" and not any(
            part.startswith((".tmp-", ".work-")) or part.endswith(".part") for part in path
        ):
            files.append((path, entry))
        # Folders count too: a tree of empty ones is not walked for ever either.
        if len(files) > MOST_FILES or seen >= limit:
            text = _(
                "There are more than %(limit)s files in this folder. Download its subfolders one by one, "
                "or copy it from the storage."
            )
            raise TooMany(text % {"limit": f"{MOST_FILES:,}"})
    if not files:
        raise Invalid(_("There is no file in this folder to download."), fields={"path": [_("empty")]})
    return Packed(rooted, folder, top, files)


class _Sink(io.RawIOBase):
    """Where the zip is written: kept until it is taken. It cannot seek, so nothing that was sent is changed."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]  # any buffer
        piece = bytes(data)
        self._pieces.append(piece)
        self.waiting += len(piece)
        return len(piece)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self.waiting = 0
        return taken


def zip_pieces(packed: Packed) -> Generator[bytes, None, None]:
    """The bytes of the zip, about a chunk at a time. Closing the iterator closes the file that is being read.

    A file that is gone or became shorter raises: the reader then has a download that failed, not one that lies.
    """
    sink = _Sink()
    archive = zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True)
    try:
        for path, entry in packed.files:
            for piece in _file_pieces(archive, packed, path, entry):
                # Small files are gathered, large ones go piece by piece.
                if sink.waiting + len(piece) > CHUNK:
                    yield sink.take()
        archive.close()
        yield sink.take()
    except BaseException:
        # Without this the archive would write its end once more when it is thrown away.
        archive.fp = None
        raise


def _file_pieces(archive: zipfile.ZipFile, packed: Packed, path: tuple[str, ...], entry: Entry) -> Iterator[bytes]:
    """Write one file into the archive; yields each piece once it is written."""
    facts = zipfile.ZipInfo(packed.name(path), _moment(entry.modified))
    facts.file_size = entry.size
    facts.external_attr = 0o644 << 16
    if entry.size * 1.05 > zipfile.ZIP64_LIMIT:  # the library's own measure; not every version of it tells readers
        facts.extract_version = facts.create_version = zipfile.ZIP64_VERSION
    with packed.rooted.open((*packed.folder, *path)) as source, archive.open(facts, "w") as target:
        left = entry.size
        # Not a byte more than was foreseen, should the file grow while it is sent.
        while left > 0:
            piece = source.read(min(CHUNK, left))
            if not piece:
                raise ChangedMeanwhile(_("%(path)s changed while it was sent.") % {"path": facts.filename})
            left -= len(piece)
            target.write(piece)
            yield piece


def _moment(seconds: float) -> tuple[int, int, int, int, int, int]:
    """The time of a file as a zip writes it, within the years that it can write."""
    try:
        found = datetime.fromtimestamp(seconds)
    except (ValueError, OverflowError, OSError):
        return (_FIRST_YEAR, 1, 1, 0, 0, 0)
    if not _FIRST_YEAR <= found.year <= 2107:
        return (_FIRST_YEAR, 1, 1, 0, 0, 0)
    return (found.year, found.month, found.day, found.hour, found.minute, found.second)
