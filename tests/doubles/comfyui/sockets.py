"""The websocket side: who listens under which client id, and what reaches them."""

import json
import struct
import uuid
from typing import Any

from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from tests.doubles.comfyui.execution import Executor
from tests.doubles.comfyui.faults import Faults


class Sockets:
    """One socket per client id: a second one takes the name over, and either's end silences it, as in the real one."""

    def __init__(self, loop: IOLoop, executor: Executor, faults: Faults) -> None:
        self.loop, self.executor, self.faults = loop, executor, faults
        self.by_id: dict[str, Socket] = {}

    def event(self, kind: str, data: dict[str, Any], client: str | None) -> None:
        """Called from the executing thread."""
        text = json.dumps({"type": kind, "data": data})
        self.loop.add_callback(self._send, text, client)

    def preview(self, metadata: dict[str, Any], jpeg: bytes, client: str | None) -> None:
        self.loop.add_callback(self._preview, metadata, jpeg, client)

    def _listeners(self, client: str | None) -> list["Socket"]:
        if self.faults.silent:
            return []
        if client is None:
            return list(self.by_id.values())
        return [self.by_id[client]] if client in self.by_id else []

    def _send(self, text: str, client: str | None) -> None:
        for socket in self._listeners(client):
            socket.say(text)

    def _preview(self, metadata: dict[str, Any], jpeg: bytes, client: str | None) -> None:
        for socket in self._listeners(client):
            if socket.wants_metadata:
                about = json.dumps(metadata).encode()
                socket.say(struct.pack(">II", 4, len(about)) + about + jpeg)
            else:
                socket.say(struct.pack(">II", 1, 1) + jpeg)

    def drop_all(self) -> None:
        """Cut every connection without a word, as a killed process does."""
        for socket in list(self.by_id.values()):
            stream = socket.ws_connection.stream if socket.ws_connection else None
            if stream is not None:
                stream.close()
        self.by_id.clear()


class Socket(WebSocketHandler):
    """`/ws`."""

    def initialize(self, sockets: Sockets) -> None:
        self.sockets = sockets
        self.sid = ""
        self.wants_metadata = False
        self._first = True

    def check_origin(self, origin: str) -> bool:
        return True  # `server.Base.prepare` has the real server's own rule

    def open(self, *args: str, **kwargs: str) -> None:
        self.sid = self.get_query_argument("clientId", "") or uuid.uuid4().hex
        self.sockets.by_id[self.sid] = self
        executor = self.sockets.executor
        status = {"exec_info": {"queue_remaining": executor.remaining()}}
        if self.sockets.faults.silent:
            return
        self.say(json.dumps({"type": "status", "data": {"status": status, "sid": self.sid}}))
        with executor.lock:
            mine = executor.running is not None and executor.running[3].get("client_id") == self.sid
            node = executor.node
        if mine and node is not None:
            self.say(json.dumps({"type": "executing", "data": {"node": node}}))

    def on_message(self, message: str | bytes) -> None:
        first, self._first = self._first, False
        try:
            content = json.loads(message)
        except ValueError:
            return
        if first and isinstance(content, dict) and content.get("type") == "feature_flags":
            self.wants_metadata = bool(content.get("data", {}).get("supports_preview_metadata"))
            flags = {"supports_preview_metadata": True, "max_upload_size": self.sockets.faults.max_upload}
            if not self.sockets.faults.silent:
                self.say(json.dumps({"type": "feature_flags", "data": flags}))

    def on_close(self) -> None:
        self.sockets.by_id.pop(self.sid, None)

    def say(self, content: str | bytes) -> None:
        try:
            self.write_message(content, binary=isinstance(content, bytes))
        except WebSocketClosedError:
            self.sockets.by_id.pop(self.sid, None)
