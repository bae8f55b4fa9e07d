"""The one way to publish: on commit, numbered per topic, and never able to break what was committed."""

from typing import Any

import structlog
from channels.layers import get_channel_layer
from django.core.cache import cache
from django.db import transaction

from aipipeline.events import loop
from aipipeline.events.topics import group_name

log = structlog.get_logger(__name__)
SEND_SECONDS = 5.0


def publish(topic: str, type: str, **payload: Any) -> None:
    """Send one small JSON event to a topic when the current transaction commits (at once outside of one)."""
    event = {"type": type, **payload}
    transaction.on_commit(lambda: _send(topic, event), robust=True)


def publish_progress(topic: str, type: str, **payload: Any) -> None:
    """Send at once: for numbers that are already true and that nobody will roll back."""
    _send(topic, {"type": type, **payload})


def current_seq(topic: str) -> int:
    """The number of the topic's newest event; 0 when there was none (or Redis was emptied)."""
    return int(cache.get(_seq_key(topic)) or 0)


def _seq_key(topic: str) -> str:
    return f"seq:{topic}"


def _next_seq(topic: str) -> int:
    key = _seq_key(topic)
    try:
        return int(cache.incr(key))
    except ValueError:
        # Not there yet. Of two who see that at once, the second `add` does nothing.
        cache.add(key, 0, timeout=None)
        return int(cache.incr(key))


def _send(topic: str, event: dict[str, Any]) -> None:
    # An event is a hint: the database is the truth, pages refetch on a gap and poll when nothing comes.
    # So a Redis that is away is logged, and the work that was committed stands.
    try:
        seq = _next_seq(topic)
        layer = get_channel_layer()
        if layer is not None:
            message = {"type": "topic.event", "topic": topic, "seq": seq, "event": event}
            loop.run(layer.group_send(group_name(topic), message), seconds=SEND_SECONDS)
    except Exception:
        log.warning("event_not_sent", topic=topic, event_type=event["type"], exc_info=True)
