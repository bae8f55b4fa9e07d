"""Files that a command line names: looked at first, read within limits, refused with a remedy."""

import errno
import os
import stat
import tempfile
from pathlib import Path

from aipipeline.projects.errors import Invalid
from shots.scenario.reading import MAX_BYTES, SUFFIXES

# Options of every Django command that say nothing to somebody who makes a film.
DJANGOS_OWN = {
    *("--version", "--verbosity", "--settings", "--pythonpath", "--traceback"),
    *("--no-color", "--force-color", "--skip-checks"),
}


def read_file(path: Path) -> bytes:
    """The bytes of a scenario file, at most one more than a scenario may have. Invalid says what is wrong with it."""
    if path.suffix.lower() not in SUFFIXES and path.is_file():
        return b"x"  # its name alone is refused by the reader; no need to read a film to say so
    try:
        # Without O_NONBLOCK a named pipe would wait for ever for its writer.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Invalid(f"{path} is no file. Name a scenario as .txt or .fountain.")
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(f"{path}: {_why(error)}") from error
    except ValueError as error:
        raise Invalid(f"{str(path)!r} is no path.") from error


def check_folder(folder: Path) -> None:
    """Invalid unless files can be written into the folder, which need not be there yet."""
    try:
        place = folder
        while not place.exists() and not place.is_symlink() and place != place.parent:
            place = place.parent
        if not place.is_dir():
            raise Invalid(f"--out {folder}: {place} is no folder. Choose another place.")
        # Rights alone do not tell: a disk may be read-only or full.
        with tempfile.TemporaryDirectory(dir=place, prefix=".aip-"):
            pass
    except OSError as error:
        raise Invalid(f"--out {folder}: {error.strerror}. Choose a folder that you can write to.") from error


def _why(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "there is no such file."
    if error.errno == errno.EISDIR:
        return "it is a folder. Name one scenario file in it."
    if error.errno == errno.EACCES:
        return "it may not be read. Change its rights, or copy it."
    if error.errno == errno.ELOOP:
        return "it is a link that leads in a circle."
    return f"{error.strerror}."
