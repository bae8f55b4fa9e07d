"""The services that a single command needs: those of a running `up`, else its own for as long as it runs."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aipipeline.studio.launch import processes
from aipipeline.studio.launch.paths import data, say
from aipipeline.studio.launch.setup import prepare, prepare_database
from aipipeline.studio.launch.supervised import TAKEN

LOOK_SECONDS = 1.0


def programs() -> list[processes.Program]:
    """Without pages; the workers are forks of one program (see farm.py)."""
    farm = processes.Program("farm", "python -m aipipeline.studio.launch.farm")
    return [*processes.wanted({"redis", "gpu"}), farm]


@contextmanager
def services() -> Iterator[None]:
    """Processes run while the block does: borrowed ones, and its own as soon as those are gone.

    The database is prepared in this process while they load; they wait for it. At the end it stops what it started,
    and only that.
    """
    keeper = _Keeper()
    watch = threading.Thread(target=keeper.watch, daemon=True)
    try:
        keeper.begin()
        prepare_database(here=True)
        keeper.ensure()
        watch.start()
        yield
    finally:
        keeper.ended.set()
        if watch.is_alive():
            watch.join()
        keeper.stop()


@contextmanager
def studio_at_work() -> Iterator[None]:
    """Everything set up, and processes at work, for one command."""
    prepare(database=False)
    with services():
        yield


class _Keeper:
    def __init__(self) -> None:
        self.ended = threading.Event()
        self.own: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start processes when none run, without waiting for them."""
        if processes.running() is None:
            self._start()

    def ensure(self) -> None:
        """Start processes when none run, and wait for them.

        Of two commands that try at once, one gets them and both use them.
        NotUp says where to look when they do not come up.
        """
        while not self.ended.is_set():
            self.begin()
            try:
                processes.wait_for_redis(ended=lambda: self.ended.is_set() or processes.running() is None)
                return
            except processes.NotUp:
                # Those of somebody else who just stopped them are no fault; the next round starts others.
                if not self.ended.is_set() and (processes.running() is not None or self.own is not None):
                    raise

    def _start(self) -> None:
        self.own = None
        child = processes.start(programs(), purpose="produce")
        while child.poll() is None and processes.running() is None:
            self.ended.wait(0.02)
        if child.poll() is None:
            self.own = child
        elif child.returncode != TAKEN:
            raise processes.NotUp(f"The processes do not start. See {data() / 'logs' / 'supervisor.out'}.")

    def watch(self) -> None:
        while not self.ended.wait(LOOK_SECONDS):
            if processes.running() is None:
                say("The processes in use were stopped; starting others to go on.")
                try:
                    self.ensure()
                except processes.NotUp as error:
                    say(str(error))  # and tried again at the next look

    def stop(self) -> None:
        if self.own is not None:
            processes.stop(self.own)
