"""Work on a storage that may not answer: a network mount that is gone can hold a thread for hours.

Nothing can wake such a thread, so it is left behind, and a page gets its error in time. While some are held, others are
refused at once instead of joining them.
"""

import contextvars
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from aipipeline.media.rooted import StorageAway

T = TypeVar("T")
SECONDS = 8.0
MOST_HELD = 4
_held: Counter[str] = Counter()
_lock = threading.Lock()


def within(folder: Path, work: Callable[[], T], seconds: float | None = None) -> T:
    """What `work` returns or raises; StorageAway when it takes longer, or when earlier work on `folder` still hangs.

    `work` runs in a thread of its own: it must not use the database.
    """
    key = str(folder)
    with _lock:
        if _held[key] >= MOST_HELD:
            raise _away(folder)
    outcome: dict[str, Any] = {}
    done = threading.Event()
    late = False

    def run() -> None:
        try:
            outcome["value"] = work()
        except BaseException as error:
            outcome["error"] = error
        finally:
            with _lock:
                done.set()
                if late:
                    _held[key] -= 1

    # The copied context carries the reader's language.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), daemon=True, name="storage").start()
    if not done.wait(SECONDS if seconds is None else seconds):
        with _lock:
            late = not done.is_set()
            if late:
                _held[key] += 1
    if not done.is_set():
        raise _away(folder)
    if "error" in outcome:
        raise outcome["error"]
    value: T = outcome["value"]
    return value


def _away(folder: Path) -> StorageAway:
    text = _(
        "The storage at %(folder)s does not answer. Check the disk, or the connection to the NAS; "
        "the studio asks again when the page is loaded again."
    )
    return StorageAway(text % {"folder": folder})
