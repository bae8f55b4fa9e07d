"""The services that a single command needs: those of a running `up`, else its own for as long as it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from aipipeline.studio.launch import processes

NEEDED = {"redis", "worker", "system", "beat", "gpu"}


@contextmanager
def services() -> Iterator[bool]:
    """Yields True when it started them itself; then it stops them at the end, and only them."""
    if processes.running_pid():
        yield False
        return
    supervisor = processes.start(processes.wanted(NEEDED))
    try:
        processes.wait_for_redis()
        yield True
    finally:
        processes.stop(supervisor)
