"""The services that a single command needs: those of a running `up`, else its own for as long as it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from aipipeline.studio.launch import processes


def programs() -> list[processes.Program]:
    """Without pages; the workers are forks of one program (see farm.py)."""
    farm = processes.Program("farm", "python -m aipipeline.studio.launch.farm")
    return [*processes.wanted({"redis", "gpu"}), farm]


@contextmanager
def services() -> Iterator[bool]:
    """Yields True when it started them itself; then it stops them at the end, and only them.

    They come up while the caller goes on: it prepares the database, for which the workers wait.
    """
    if processes.running_pid():
        yield False
        return
    supervisor = processes.start(programs())
    try:
        yield True
    finally:
        processes.stop(supervisor)
