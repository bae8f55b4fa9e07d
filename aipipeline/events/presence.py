"""Where people are in a table: one page tells the others, through the socket; nobody keeps it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

TAB = 64
TABLE = 40
FIELD = 80
MOST_ROW = 2**63 - 1
# At most so many a second for each socket; of what is more, only the newest is sent.
A_SECOND = 5
# So many tables may one page stand in at once.
TOPICS = 8

Place = dict[str, Any]


def read_place(content: Mapping[str, Any]) -> tuple[str, Place | None] | None:
    """(tab, place) of a message, cut to what others need; None when it is not well formed."""
    tab, place = content.get("tab"), content.get("place")
    if not isinstance(tab, str) or not 0 < len(tab) <= TAB:
        return None
    if place is None:
        return tab, None
    if not isinstance(place, Mapping):
        return None
    table, row, field = place.get("table"), place.get("row"), place.get("field")
    if not isinstance(table, str) or not 0 < len(table) <= TABLE:
        return None
    if row is not None and (not isinstance(row, int) or isinstance(row, bool) or not 0 <= row <= MOST_ROW):
        return None
    if field is not None and (not isinstance(field, str) or len(field) > FIELD):
        return None
    return tab, {"table": table, "row": row, "field": field}


class Pace:
    """Lets messages through at most `A_SECOND` a second; a burst ends with its newest, by topic."""

    def __init__(self, send: Callable[[str, Any], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: dict[str, Any] = {}
        self._sent: list[float] = []
        self._later: asyncio.Task[None] | None = None

    async def give(self, topic: str, message: Any) -> None:
        """Send now, or when there is room again."""
        if topic not in self._waiting and len(self._waiting) >= TOPICS:
            return
        self._waiting[topic] = message
        if self._later is None or self._later.done():
            if (pause := self._pause()) > 0:
                self._later = asyncio.create_task(self._send_later(pause))
            else:
                await self._flush()

    def forget(self, topic: str) -> None:
        """What waits for this topic is not sent any more."""
        self._waiting.pop(topic, None)

    def stop(self) -> None:
        if self._later is not None:
            self._later.cancel()

    def _pause(self) -> float:
        """Seconds until there is room."""
        now = time.monotonic()
        self._sent = [moment for moment in self._sent if now - moment < 1.0]
        return 1.0 - (now - self._sent[0]) if len(self._sent) >= A_SECOND else 0.0

    async def _send_later(self, pause: float) -> None:
        while self._waiting:
            await asyncio.sleep(pause)
            await self._flush()
            pause = max(self._pause(), 0.01)

    async def _flush(self) -> None:
        while self._waiting and self._pause() <= 0:
            topic = next(iter(self._waiting))
            message = self._waiting.pop(topic)
            self._sent.append(time.monotonic())
            await self._send(topic, message)
