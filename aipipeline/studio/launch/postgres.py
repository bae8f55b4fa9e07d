"""A PostgreSQL server for the length of a test run: the machine's own, else the one that a PyPI wheel carries."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aipipeline.studio.launch.paths import say

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=120")


def find_binaries() -> Path | None:
    """The folder with initdb and postgres."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    try:
        import pgserver
    except ImportError:
        pass
    else:
        candidates.append(Path(pgserver.__file__).parent / "pginstall" / "bin")
    return next((c for c in candidates if (c / "initdb").exists() and (c / "postgres").exists()), None)


def ensure_binaries() -> Path:
    """Find them, or install Debian's package where that is allowed; SystemExit says what is missing."""
    found = find_binaries()
    if found is None and os.getuid() == 0 and shutil.which("apt-get"):
        say("Installing PostgreSQL for the tests.")
        subprocess.run(["apt-get", "update", "-q"], check=False, capture_output=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "postgresql"], check=False, capture_output=True)
        found = find_binaries()
    if found is None:
        raise SystemExit("The tests need PostgreSQL: install it (Debian: apt-get install postgresql), then again.")
    return found


def _unprivileged() -> Callable[[], None] | None:
    """PostgreSQL refuses to run as root; then it runs as postgres or nobody."""
    if os.getuid() != 0:
        return None
    names = [name for name in ("postgres", "nobody") if any(p.pw_name == name for p in pwd.getpwall())]
    user = pwd.getpwnam(names[0])

    def become() -> None:
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    return become


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def temporary_server() -> Iterator[str]:
    """Yields a database URL; the cluster is gone afterwards."""
    binaries = ensure_binaries()
    become = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="aip-pg-", dir="/tmp"))
    if become is not None:
        owner = pwd.getpwnam("postgres" if any(p.pw_name == "postgres" for p in pwd.getpwall()) else "nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        folder.chmod(0o755)
    try:
        if not _reachable(binaries, become):
            # The wheel lies below a folder that the unprivileged user may not enter: a copy serves it.
            copy = folder / "pginstall"
            shutil.copytree(binaries.parent, copy, symlinks=True)
            binaries = copy / "bin"
        yield from _serve(binaries, folder, become)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(binaries: Path, become: Callable[[], None] | None) -> bool:
    try:
        subprocess.run([binaries / "postgres", "--version"], preexec_fn=become, check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _serve(binaries: Path, folder: Path, become: Callable[[], None] | None) -> Iterator[str]:
    data, port = folder / "data", _free_port()
    make: list[str | Path] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "aip",
        "--auth=trust",
        "-E",
        "UTF8",
        "--locale=C",
        "-N",
    ]
    done = subprocess.run(make, preexec_fn=become, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode != 0:
        raise SystemExit(f"initdb failed: {done.stderr[-800:]}")
    options = [part for option in FAST for part in ("-c", option)]
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-p", str(port), "-k", str(folder), "-h", "127.0.0.1", *options],
        preexec_fn=become,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    url = f"postgres://aip@127.0.0.1:{port}/postgres"
    try:
        _wait(url)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait(url: str) -> None:
    import psycopg

    end = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > end:
                raise SystemExit(f"PostgreSQL does not come up: {error}") from error
            time.sleep(0.1)
