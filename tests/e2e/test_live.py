"""The live socket: permission at subscribe, numbered events, a ticket used once."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from aipipeline.events import publish
from aipipeline.events.consumers import LiveConsumer
from aipipeline.projects import tickets

pytestmark = [pytest.mark.django_db(transaction=True)]


def apart(work: Coroutine[Any, Any, None]) -> None:
    """Run in a thread of its own: the browser's driver may hold a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


async def opened(user: Any) -> WebsocketCommunicator:
    socket = WebsocketCommunicator(LiveConsumer.as_asgi(), "/ws/")
    socket.scope["user"] = user
    connected, _code = await socket.connect()
    assert connected
    return socket


def test_events_are_numbered_and_reach_members_only(project: Any, admin_user: Any, artist: Any) -> None:
    apart(_numbered(project, admin_user, artist))


async def _numbered(project: Any, admin_user: Any, artist: Any) -> None:
    topic = f"project:{project.pk}"
    member, stranger = await opened(admin_user), await opened(artist)
    await member.send_json_to({"type": "subscribe", "topic": topic})
    await stranger.send_json_to({"type": "subscribe", "topic": topic})
    assert (await member.receive_json_from(timeout=5))["type"] == "subscribed"
    assert (await stranger.receive_json_from(timeout=5))["type"] == "denied"
    for number in range(3):
        await sync_to_async(publish)(topic, "shot.changed", ids=[number])
    seqs = [(await member.receive_json_from(timeout=5))["seq"] for _ in range(3)]
    assert seqs == [seqs[0], seqs[0] + 1, seqs[0] + 2]
    assert await stranger.receive_nothing(timeout=0.3)
    await member.disconnect()
    await stranger.disconnect()


def test_nobody_connects_without_a_login(db: None) -> None:
    apart(_refused())


async def _refused() -> None:
    from django.contrib.auth.models import AnonymousUser

    socket = WebsocketCommunicator(LiveConsumer.as_asgi(), "/ws/")
    socket.scope["user"] = AnonymousUser()
    connected, code = await socket.connect()
    assert (connected, code) == (False, 4401)


def test_a_ticket_opens_once(admin_user: Any) -> None:
    ticket = tickets.issue(admin_user.pk)
    assert tickets.redeem(ticket) == admin_user.pk
    assert tickets.redeem(ticket) is None
