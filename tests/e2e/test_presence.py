"""Presence on the live socket: who is where in a table, told by the pages themselves."""

import time
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator

from aipipeline.events.presence import A_SECOND, read_place
from aipipeline.history.project_services import remove_member, set_member
from tests.e2e.test_live import apart, opened

pytestmark = [pytest.mark.django_db(transaction=True)]


async def listening(user: Any, topic: str) -> WebsocketCommunicator:
    socket = await opened(user)
    await socket.send_json_to({"type": "subscribe", "topic": topic})
    await socket.receive_json_from(timeout=5)
    return socket


def here(topic: str, tab: str, row: int | None = 5, field: str | None = "action") -> dict[str, Any]:
    place = {"table": "shots", "row": row, "field": field}
    return {"type": "here", "topic": topic, "tab": tab, "place": place}


def test_everybody_on_the_topic_hears_where_a_person_is(project: Any, admin_user: Any, artist: Any) -> None:
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    apart(_told(f"project:{project.pk}", admin_user, artist))


async def _told(topic: str, admin_user: Any, artist: Any) -> None:
    one, two = await listening(admin_user, topic), await listening(artist, topic)
    await two.send_json_to({**here(topic, "tab-2"), "user": {"id": 1, "name": "somebody else"}})
    for socket in (one, two):
        told = await socket.receive_json_from(timeout=5)
        assert told == {
            "type": "here",
            "topic": topic,
            "tab": "tab-2",
            "user": {"id": artist.pk, "name": str(artist)},
            "place": {"table": "shots", "row": 5, "field": "action"},
        }, "the name is the server's, whatever the page says"
    await one.send_json_to({**here(topic, "tab-1"), "place": None})
    assert (await two.receive_json_from(timeout=5))["place"] is None
    await one.disconnect()
    await two.disconnect()


def test_who_may_not_listen_cannot_speak(project: Any, admin_user: Any, artist: Any) -> None:
    apart(_refused(f"project:{project.pk}", admin_user, artist))


async def _refused(topic: str, admin_user: Any, stranger: Any) -> None:
    member, outside = await listening(admin_user, topic), await listening(stranger, topic)
    await outside.send_json_to(here(topic, "tab-2"))
    assert await outside.receive_json_from(timeout=5) == {"type": "denied", "topic": topic}
    await outside.send_json_to(here("project:999999", "tab-2"))
    assert (await outside.receive_json_from(timeout=5))["type"] == "denied"
    assert await member.receive_nothing(timeout=0.3)
    await member.send_json_to({"type": "unsubscribe", "topic": topic})
    await member.send_json_to(here(topic, "tab-1"))
    assert (await member.receive_json_from(timeout=5))["type"] == "denied", "nor who has left"
    await member.disconnect()
    await outside.disconnect()


def test_a_lost_membership_ends_it(project: Any, admin_user: Any, artist: Any) -> None:
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    apart(_ended(project, admin_user, artist))


async def _ended(project: Any, admin_user: Any, artist: Any) -> None:
    topic = f"project:{project.pk}"
    one, two = await listening(admin_user, topic), await listening(artist, topic)
    await database_sync_to_async(remove_member)(project=project, actor=admin_user, user=artist)
    while (await two.receive_json_from(timeout=5))["type"] != "denied":
        pass
    await two.send_json_to(here(topic, "tab-2"))
    assert (await two.receive_json_from(timeout=5))["type"] == "denied"
    while not await one.receive_nothing(timeout=0.3):
        assert (await one.receive_json_from(timeout=5))["type"] == "event"
    await one.disconnect()
    await two.disconnect()


def test_a_flood_is_thinned_and_ends_with_the_newest(project: Any, admin_user: Any) -> None:
    apart(_thinned(f"project:{project.pk}", admin_user))


async def _thinned(topic: str, admin_user: Any) -> None:
    sender, hearer = await listening(admin_user, topic), await listening(admin_user, topic)
    started = time.monotonic()
    for row in range(60):
        await sender.send_json_to(here(topic, "tab-1", row=row))
    rows = []
    while not rows or rows[-1] != 59:
        rows.append((await hearer.receive_json_from(timeout=5))["place"]["row"])
    seconds = time.monotonic() - started
    assert len(rows) <= A_SECOND * (int(seconds) + 1)
    assert rows == sorted(rows)
    assert await hearer.receive_nothing(timeout=0.3)
    await sender.disconnect()
    await hearer.disconnect()


@pytest.mark.parametrize(
    "content",
    [
        {"tab": "t", "place": {"table": "x" * 41, "row": 1, "field": "a"}},
        {"tab": "t", "place": {"table": "shots", "row": 1, "field": "x" * 81}},
        {"tab": "t", "place": {"table": "shots", "row": "1", "field": "a"}},
        {"tab": "t", "place": {"table": "shots", "row": True, "field": "a"}},
        {"tab": "t", "place": {"table": "shots", "row": 2**63, "field": "a"}},
        {"tab": "t", "place": {"table": "", "row": 1, "field": "a"}},
        {"tab": "t", "place": ["shots", 1, "a"]},
        {"tab": "t", "place": "shots"},
        {"tab": "", "place": None},
        {"tab": "x" * 65, "place": None},
        {"place": None},
    ],
)
def test_what_is_not_well_formed_goes_no_further(content: dict[str, Any]) -> None:
    assert read_place(content) is None


def test_nothing_but_the_place_is_passed_on() -> None:
    place = {"table": "shots", "row": 7, "field": None, "html": "<b>", "deep": [[]]}
    assert read_place({"tab": "t", "place": place}) == ("t", {"table": "shots", "row": 7, "field": None})
