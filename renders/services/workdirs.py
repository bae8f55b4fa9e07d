"""Work folders: what a long job has finished already, kept until the job has ended, whoever dies meanwhile.

A job's work folder lies beside the versions of its owner, never inside of one, so that everything in it is on the same
storage as the result. It is made when an engine first keeps something there.
"""

import json
import os
import re
import secrets
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.db import transaction

from aipipeline.media.files import fsync_dir, sha256_file, write_atomic
from renders.models import RenderJob
from renders.models.job import OPEN_STATES
from renders.services.locking import of_self
from renders.services.numbering import kind_folder

log = structlog.get_logger(__name__)
WORK = ".work-"
_RECORD = ".piece.json"
_ONCE = re.compile("[0-9a-f]{8}")


def work_folder(job: RenderJob) -> Path:
    """Where the pieces of this job are; the folder need not exist yet."""
    return kind_folder(job.owner, job.kind) / f"{WORK}{job.pk}"


def remove_ended(job: RenderJob, folder: Path) -> bool:
    """Remove the work folder of a job that has ended; False while the job goes on, or when there was none."""
    aside = set_aside(folder) if os.path.lexists(folder) and RenderJob.objects.filter(pk=job.pk).exists() else None
    if aside is None:
        return False
    # What a slow storage keeps of it, the sweep takes.
    shutil.rmtree(aside, ignore_errors=True)
    return True


def set_aside(folder: Path) -> Path | None:
    """Rename a work folder that no job will come back to, to a name of its own: deleting it then takes its time.

    The job's row is held meanwhile, so that nobody tries the job again between the look and the renaming. None while
    the job is open, or when the folder is not there any more. What is aside already stays as it is.
    """
    job, once = _named(folder.name)
    if job is None or once:
        return folder if once else None
    with transaction.atomic():
        row = RenderJob.objects.select_for_update(of=of_self()).filter(pk=job).first()
        if row is not None and row.state in OPEN_STATES:
            return None
        aside = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
        try:
            os.rename(folder, aside)
        except FileNotFoundError:
            return None
    return aside


def abandoned(name: str) -> bool:
    """Whether a folder of this name is the work folder of a job that will never come back to it."""
    job, once = _named(name)
    return job is not None and (once or not RenderJob.objects.filter(pk=job, state__in=OPEN_STATES).exists())


def _named(name: str) -> tuple[uuid.UUID | None, bool]:
    """The job whose work folder has this name, and whether it was set aside to be deleted."""
    key, dot, once = name.removeprefix(WORK).partition(".")
    try:
        return uuid.UUID(key), bool(dot and _ONCE.fullmatch(once))
    except ValueError:
        return None, False


@dataclass(frozen=True)
class Pieces:
    """The finished pieces in a work folder, by the key of what each of them is (hex digits, a hash of its recipe).

    A piece is a file named by its content; a small record beside it says which key it answers, its size and SHA-256.
    Records are written last, so that a torn piece is never found. Several attempts may keep the same piece at once.
    """

    folder: Path

    def find(self, key: str) -> Path | None:
        """The piece, whole as it was kept; None when there is none, and for one that was damaged since."""
        try:
            record = json.loads((self.folder / f"{key}{_RECORD}").read_text(encoding="utf-8"))
            name, size, digest = str(record["file"]), int(record["size"]), str(record["sha256"])
            path = self.folder / Path(name).name
            if path.is_symlink() or path.stat().st_size != size or sha256_file(path) != digest:
                raise ValueError(name)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("piece_damaged", folder=self.folder.name, key=key, error=str(error))
            return None
        return path

    def aside(self, suffix: str) -> Path:
        """A name to write a piece under, `suffix` with its dot. The folder is there after this."""
        self.folder.mkdir(exist_ok=True)
        return self.folder / f".{os.getpid()}.{secrets.token_hex(4)}.part{suffix}"

    def keep(self, key: str, written: Path) -> Path:
        """Make a file from `aside` the piece of this key: flushed, renamed, then recorded. Returns where it is now."""
        descriptor = os.open(written, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        size, digest = written.stat().st_size, sha256_file(written)
        path = self.folder / f"{digest}{written.suffix}"
        os.replace(written, path)
        fsync_dir(self.folder)
        record = {"file": path.name, "size": size, "sha256": digest}
        write_atomic(self.folder / f"{key}{_RECORD}", json.dumps(record))
        return path

    def clean(self) -> None:
        """Throw away what earlier attempts were writing when they ended; call it before the first piece is written."""
        if not self.folder.is_dir():
            return
        for path in self.folder.glob(".*.part*"):
            path.unlink(missing_ok=True)
