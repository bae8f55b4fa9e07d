"""One event loop in the background of each process, for synchronous code that must speak to an asynchronous API.

`async_to_sync` makes a loop for every call, and the channel layer a Redis connection for every loop: several
milliseconds of CPU for an event of a hundred bytes. Here loop and connection stay.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def run(work: Coroutine[Any, Any, None], *, seconds: float) -> None:
    """Run to the end and wait for it, at most so long. Raises what `work` raised, or TimeoutError."""
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        future.result(seconds)
    except BaseException:
        future.cancel()
        raise


def _loop() -> asyncio.AbstractEventLoop:
    # By process: threads do not survive a fork, so a worker's child starts its own.
    with _lock:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="events", daemon=True).start()
            _loops.clear()
            _loops[os.getpid()] = loop
        return loop


def _forget_lock() -> None:
    global _lock
    _lock = threading.Lock()


# A fork in the moment when another thread holds the lock would leave it held for ever in the child.
os.register_at_fork(after_in_child=_forget_lock)
