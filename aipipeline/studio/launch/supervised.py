"""Supervisor in a process that ends, in order, together with the one that started it.

Its standard input is a pipe from the starter: when that one is gone, even by kill -9, the pipe ends, and the programs
are stopped as if it had asked. The lock on the data folder is held here, by whom it is about.
"""

import os
import signal
import sys
import threading

from supervisor import supervisord

from aipipeline.studio.launch import locks
from aipipeline.studio.launch.paths import data, redis_socket, say

TAKEN = 3
CONFIG = "supervisord.conf"


def main(purpose: str) -> int:
    """Run the programs of supervisord.conf until told to stop; TAKEN when others run on this data folder."""
    run = data() / "run"
    lock = locks.take(run / "supervisor.lock", note=f"{os.getpid()} {purpose}", seconds=2)
    if lock is None:
        say("Other processes run on this data folder.")
        return TAKEN
    with lock:
        redis_socket().unlink(missing_ok=True)
        threading.Thread(target=_end_with_the_starter, daemon=True).start()
        os.chdir(run.parent)
        supervisord.main(["-c", f"run/{CONFIG}"])
    return 0


def _end_with_the_starter() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
