"""The live socket: a page subscribes to topics, gets their events, and tells the others where its person is."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from aipipeline.events.presence import Pace, read_place
from aipipeline.events.publishing import current_seq
from aipipeline.events.topics import group_name, may_subscribe

MAX_TOPICS = 32
RECHECK_SECONDS = 30


class LiveConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # the library has no types
    """Messages in: subscribe, unsubscribe (with topic), here (with tab and place), ping.

    Out: subscribed, denied, invalid, event, pong, and `here` of everybody on the topic,
    with the name that the server knows.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Who is not logged in is refused before the channel layer listens for them: a listener that is cancelled while
        it still connects to Redis may never end."""
        if getattr(scope.get("user"), "is_authenticated", False):
            await super().__call__(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": 4401})

    async def connect(self) -> None:
        self.topics: set[str] = set()
        self._recheck: asyncio.Task[None] | None = None
        self._pace = Pace(self._tell_here)
        self._stands: dict[str, str] = {}  # topic -> the page's tab, when it said where it is
        await self.accept()
        self._recheck = asyncio.create_task(self._recheck_loop())

    async def disconnect(self, code: int) -> None:
        if self._recheck:
            self._recheck.cancel()
        self._pace.stop()
        for topic in list(self.topics):
            await self._leave(topic)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if not isinstance(content, dict):
            await self.close(code=4400)
            return
        kind, topic = content.get("type"), str(content.get("topic", ""))[:100]
        if kind == "ping":
            await self.send_json({"type": "pong"})
        elif kind == "subscribe":
            await self._subscribe(topic)
        elif kind == "here":
            await self._here(topic, content)
        elif kind == "unsubscribe" and topic in self.topics:
            await self._leave(topic)

    async def _leave(self, topic: str) -> None:
        self.topics.discard(topic)
        self._pace.forget(topic)
        await self.channel_layer.group_discard(group_name(topic), self.channel_name)
        # A page that is closed, or falls from the network, cannot say itself that it is gone.
        if tab := self._stands.pop(topic, ""):
            await self._tell_here(topic, {"tab": tab, "place": None})

    async def _here(self, topic: str, content: dict[str, Any]) -> None:
        """Only who hears a topic speaks on it: subscribing asked for the permission, and it is asked again."""
        if topic not in self.topics:
            await self.send_json({"type": "denied", "topic": topic})
            return
        if (found := read_place(content)) is None:
            await self.send_json({"type": "invalid", "topic": topic})
            return
        tab, place = found
        self._stands[topic] = tab
        await self._pace.give(topic, {"tab": tab, "place": place})

    async def _tell_here(self, topic: str, message: Any) -> None:
        user = self.scope["user"]
        told = {"type": "topic.here", "topic": topic, "user": {"id": user.pk, "name": str(user)}, **message}
        await self.channel_layer.group_send(group_name(topic), told)

    async def topic_here(self, message: dict[str, Any]) -> None:
        """Somebody on the topic, this page itself too, says where they are."""
        if message["topic"] in self.topics:
            await self.send_json({**message, "type": "here"})

    async def _subscribe(self, topic: str) -> None:
        allowed = len(self.topics) < MAX_TOPICS and await self._may(topic)
        if not allowed:
            await self.send_json({"type": "denied", "topic": topic})
            return
        self.topics.add(topic)
        await self.channel_layer.group_add(group_name(topic), self.channel_name)
        seq = await database_sync_to_async(current_seq)(topic)
        await self.send_json({"type": "subscribed", "topic": topic, "seq": seq})

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _may(self, topic: str) -> bool:
        user = self.scope["user"]
        user.refresh_from_db()
        for name in [name for name in vars(user) if name.endswith("_perm_cache")]:
            delattr(user, name)
        return may_subscribe(user, topic)

    async def _recheck_loop(self) -> None:
        """A person who lost a membership, or was switched off, stops hearing within half a minute."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            await self.recheck_topics()

    async def recheck_topics(self) -> None:
        for topic in list(self.topics):
            if not await self._may(topic):
                await self._leave(topic)
                await self.send_json({"type": "denied", "topic": topic})

    async def topic_event(self, message: dict[str, Any]) -> None:
        if message["topic"] not in self.topics:
            return
        await self.send_json(
            {"type": "event", "topic": message["topic"], "seq": message["seq"], "event": message["event"]}
        )
        if message["event"].get("type") == "membership.changed":
            await self.recheck_topics()
