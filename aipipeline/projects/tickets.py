"""One-use tickets that open the live socket for API clients: never a JWT in a URL."""

import secrets
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.core.cache import cache

TICKET_SECONDS = 30


def issue(user_id: int) -> str:
    """A ticket for this user, good once, for 30 seconds."""
    ticket = secrets.token_urlsafe(24)
    cache.set(f"ticket:{ticket}", user_id, timeout=TICKET_SECONDS)
    return ticket


def redeem(ticket: str) -> int | None:
    """The user's id, once; the second caller gets None."""
    key = f"ticket:{ticket}"
    user_id = cache.get(key)
    return int(user_id) if user_id is not None and cache.delete(key) else None


class TicketMiddleware:
    """Puts the ticket's user into the scope when the socket came without a session."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        user = scope.get("user")
        ticket = parse_qs(scope.get("query_string", b"").decode()).get("ticket", [""])[0]
        if ticket and not getattr(user, "is_authenticated", False):
            scope = {**scope, "user": await database_sync_to_async(_user_of)(ticket)}
        return await self.inner(scope, receive, send)


def _user_of(ticket: str) -> Any:
    from django.contrib.auth.models import AnonymousUser

    from aipipeline.projects.models import User

    user_id = redeem(ticket)
    found = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    return found or AnonymousUser()
