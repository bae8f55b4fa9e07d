"""What a target must be able to do, and the words for what is found there."""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from aipipeline.media.storage import StorageError
from aipipeline.projects.errors import PipelineError
from mirror.copying.tree import File

MARKER = ".aip-mirror.json"
BATCH = 500
CHUNK = 1024 * 1024


class TargetRefused(PipelineError):
    """The target is not what it should be, and nothing was written: another folder, another project's, no rights."""

    status = 409
    code = "mirror_target"


class TargetAway(StorageError):
    """The target does not answer or is not mounted; the next run tries again."""

    code = "mirror_away"


class Verdict(enum.Enum):
    SAME = "same"
    NEW = "new"
    CHANGED = "changed"
    CONFLICT = "conflict"


class Outcome(enum.Enum):
    """What became of one planned file. LEFT: it changed or went away meanwhile; the next run takes it."""

    COPIED = "copied"
    SAME = "same"
    LEFT = "left"
    CONFLICT = "conflict"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Known:
    """A state that we wrote: bytes, the source's time, checksum, and the S3 server's mark."""

    size: int
    mtime_ns: int
    sha256: str
    etag: str = ""


@dataclass(frozen=True)
class Planned:
    """A file to copy, and what lay at the target when that was decided."""

    file: File
    there: File | None


@dataclass(frozen=True)
class Staged:
    """A planned file on its way: `known` when it was read whole, `part` where it waits; `why` in words if not."""

    planned: Planned
    outcome: Outcome
    known: Known | None = None
    part: str = ""
    why: str = ""

    def become(self, outcome: Outcome, why: str = "") -> "Staged":
        return replace(self, outcome=outcome, why=why, part="")


class Store(Protocol):
    """One target while a run works on it. Every method may raise StorageError or TargetRefused."""

    def prepare(self, *, write: bool) -> None:
        """Make sure that this is the place. `write`: leave the marker and make sure that files are taken."""

    def listing(self) -> Iterator[File]:
        """Everything that lies there, in the order of `Tree.walk`; our own temporary files are left out."""

    def same(self, source: File, there: File) -> bool:
        """True when no knowledge of earlier runs is needed to say that both are the same."""

    def judge(
        self, doubtful: Sequence[tuple[File, File]], known: Mapping[str, Sequence[Known]]
    ) -> Iterator[tuple[File, File, Verdict, Known | None]]:
        """Verdicts by what we wrote; the last part is a state that turned out to be ours and is to be kept."""

    def stage(self, planned: Iterable[Planned]) -> Iterator[Staged]:
        """Bring files over, not yet visible where the storage can do that. A failure comes after what was done."""

    def land(self, staged: Sequence[Staged]) -> Iterator[Staged]:
        """Make staged files visible, one by one; each comes back as it is. Does not look for a cancel."""

    def read(self, path: str) -> Iterator[bytes]:
        """The bytes that lie there, from the storage and not from a cache where that can be had."""

    def close(self) -> None:
        """Leave nothing half-made behind."""
