"""Where things are, and how to speak: everything of the launcher goes to stderr, stdout is the command's own."""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOCKET_LIMIT = 100
_ELSEWHERE = "Set AIP_DATA to a folder of yours."


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def read_dotenv() -> None:
    """Take `.env` into the environment; what is set already wins."""
    path = ROOT / ".env"
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and name and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def data() -> Path:
    """The data folder, made when missing, for the owner alone; SystemExit when it cannot be written."""
    folder = Path(os.environ.get("AIP_DATA", "") or ROOT / "data").resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("run", "logs"):
            (folder / name).mkdir(exist_ok=True)
    except OSError as error:
        raise SystemExit(f"The data folder {folder} cannot be used: {error.strerror}. {_ELSEWHERE}") from error
    for place in (folder, folder / "run", folder / "logs"):
        if not os.access(place, os.W_OK | os.X_OK):
            raise SystemExit(f"The data folder {folder} cannot be used: {place} is not writable. {_ELSEWHERE}")
    os.environ["AIP_DATA"] = str(folder)
    return folder


def redis_socket() -> Path:
    """The embedded server's socket; in a short folder of its own where the data folder's path is too long."""
    wanted = data() / "run" / "redis.sock"
    if len(str(wanted)) > SOCKET_LIMIT:
        name = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"aip-{os.getuid()}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise SystemExit(f"{folder} belongs to someone else. Set AIP_DATA to a shorter path.")
        wanted = folder / "redis.sock"
    os.environ["AIP_REDIS_SOCKET"] = str(wanted)
    return wanted


def environment() -> None:
    """Everything that a child process needs to know."""
    read_dotenv()
    data()
    redis_socket()
    if storage := os.environ.get("STORAGE_ROOT"):
        # Commands run where the person stands, workers in the checkout: both must mean the same folder.
        os.environ["STORAGE_ROOT"] = str((ROOT / storage).resolve())
    if (url := os.environ.get("DATABASE_URL", "")).startswith("sqlite:///"):
        os.environ["DATABASE_URL"] = f"sqlite:///{ROOT / url.removeprefix('sqlite:///')}"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aipipeline.settings")
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
