"""A Celery worker on a machine whose clock is AIP_CLOCK_SHIFT seconds off.

The shift is there before anything else is loaded, so that whatever asks Python for the time gets the wrong one.
"""

import datetime
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

_right = datetime.datetime


class _Kind(type):
    """What C code makes is of the old class, and counts as one of the new."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _right)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _right)


def shift(seconds: float) -> None:
    """Move this process's wall clock; the monotonic one goes on as it is."""
    off, now, local, utc = datetime.timedelta(seconds=seconds), time.time, time.localtime, time.gmtime

    class Wrong(_right, metaclass=_Kind):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return _right(*args, **kwargs)

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return _right.now(tz) + off

        @classmethod
        def utcnow(cls) -> Any:
            return _right.utcnow() + off

        @classmethod
        def today(cls) -> Any:
            return _right.today() + off

    datetime.datetime = Wrong  # type: ignore[misc]
    time.time = lambda: now() + seconds
    time.time_ns = lambda: int((now() + seconds) * 1e9)
    time.localtime = lambda at=None: local(now() + seconds if at is None else at)  # type: ignore[misc,assignment]
    time.gmtime = lambda at=None: utc(now() + seconds if at is None else at)  # type: ignore[misc,assignment]


def main(arguments: Sequence[str]) -> None:
    shift(float(os.environ["AIP_CLOCK_SHIFT"]))
    from celery_workers import app

    app.start(argv=list(arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
