"""What the storage says when it cannot take or give a file, in words that say what to do."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils.translation import gettext as _

from aipipeline.media.ffmpeg import FFmpegError
from aipipeline.projects.errors import PipelineError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_BROKEN = frozenset({errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.EREMOTEIO, errno.ENOTCONN})


class StorageError(PipelineError):
    """The storage is full, closed or broken: nobody's input is wrong, and the same work succeeds once it is mended."""

    status = 507
    code = "storage"


def storage_error(error: BaseException, folder: Path) -> StorageError | None:
    """The readable form of an OSError or FFmpegError, also one that `error` was raised from; None for anything else.

    `folder` is named to the user, as the place to look at.
    """
    for found in (error.__cause__, error):
        number = _number(found)
        if number in _FULL:
            text = _("There is no space left on the storage at %(folder)s (%(reason)s). Free some space there.")
        elif number in _CLOSED:
            text = _(
                "The storage at %(folder)s refuses the file (%(reason)s). "
                "Let the user that runs the studio write there, and mount it writable."
            )
        elif number in _BROKEN:
            text = _(
                "The storage at %(folder)s does not work (%(reason)s). Check the disk, or the connection to the NAS."
            )
        else:
            continue
        return StorageError(text % {"folder": folder, "reason": os.strerror(number)})
    return error if isinstance(error, StorageError) else None


def _number(error: BaseException | None) -> int:
    if isinstance(error, FFmpegError):
        return next((n for n in (*_FULL, *_CLOSED, *_BROKEN) if os.strerror(n) in error.tail), 0)
    return (error.errno or 0) if isinstance(error, OSError) else 0


@contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn what the storage raises inside the block into a StorageError; everything else passes."""
    try:
        yield
    except (OSError, FFmpegError) as error:
        known = storage_error(error, folder)
        if known is None:
            raise
        raise known from error
