"""A storage that is full, closed or broken is told in words that say what to do."""

import errno
from pathlib import Path

import pytest

from aipipeline.media import ffmpeg
from aipipeline.media.storage import StorageError, storage_error, storage_errors

FULL = Path("/dev/full")  # the kernel's own full disk, for any user


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "Free some space"),
        (errno.EACCES, "write there"),
        (errno.EROFS, "mount it writable"),
        (errno.EIO, "Check the disk"),
        (errno.ESTALE, "connection to the NAS"),
    ],
)
def test_each_trouble_has_its_remedy_and_names_the_place(number: int, advice: str) -> None:
    found = storage_error(OSError(number, "x"), Path("/mnt/studio/ONE"))
    assert found is not None
    assert advice in str(found)
    assert "/mnt/studio/ONE" in str(found)
    assert found.status == 507


def test_other_errors_are_left_alone() -> None:
    assert storage_error(ConnectionRefusedError(errno.ECONNREFUSED, "x"), Path("/")) is None
    assert storage_error(ValueError("No space left on device"), Path("/")) is None
    with pytest.raises(FileNotFoundError), storage_errors(Path("/")):
        Path("/no/such/file").read_bytes()


def test_a_full_disk_is_recognised_where_it_happens(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no space left on the storage at /films"), storage_errors(Path("/films")):
        FULL.write_bytes(b"x")


def test_a_full_disk_under_ffmpeg_is_recognised(tmp_path: Path) -> None:
    out = tmp_path / "clip.avi"
    out.symlink_to(FULL)
    source = ["-f", "lavfi", "-i", "testsrc=size=320x180:duration=1"]
    with pytest.raises(StorageError, match="no space left"), storage_errors(tmp_path):
        ffmpeg.run([*source, "-c:v", "rawvideo", out])


def test_an_engines_error_keeps_its_cause() -> None:
    wrapped = RuntimeError("ffmpeg failed")
    wrapped.__cause__ = ffmpeg.FFmpegError("x", tail="av_write_trailer: No space left on device", args_used=[])
    found = storage_error(wrapped, Path("/films"))
    assert found is not None
    assert "no space left" in str(found)
