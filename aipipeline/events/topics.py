"""Topics are "<family>:<id>" or "<family>"; each family has one permission check, registered by its app."""

from collections.abc import Callable
from typing import Any

_checks: dict[str, Callable[[Any, str], bool]] = {}


def register_topic(family: str, check: Callable[[Any, str], bool]) -> None:
    """`check(user, id)` says whether the user may listen (id is "" for a topic without one)."""
    _checks[family] = check


def may_subscribe(user: Any, topic: str) -> bool:
    """False for anybody who is not logged in and for families nobody registered."""
    family, _, identifier = topic.partition(":")
    check = _checks.get(family)
    return bool(check and getattr(user, "is_authenticated", False) and check(user, identifier))


def group_name(topic: str) -> str:
    """The channel-layer group: letters, digits, hyphen, underscore and full stop only."""
    return "t." + "".join(c if (c.isalnum() and c.isascii()) or c in "-_" else "." for c in topic)[:90]
