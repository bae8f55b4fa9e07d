"""What all HTTP handlers of the double share."""

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import tornado.web

from tests.doubles.comfyui.faults import Faults

if TYPE_CHECKING:
    from tests.doubles.comfyui.server import Double

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


async def misbehave(faults: Faults) -> None:
    if faults.answer_seconds:
        await asyncio.sleep(faults.answer_seconds)
    if faults.down:
        raise tornado.web.HTTPError(500)


class Base(tornado.web.RequestHandler):
    def initialize(self, double: "Double") -> None:
        self.double = double

    async def prepare(self) -> None:
        """A loopback Host takes an Origin only when it is literally the same host and port."""
        if not self.request.path.startswith("/_double"):
            await misbehave(self.double.faults)
        origin = self.request.headers.get("Origin")
        if not origin:
            return
        host = urlsplit(f"//{self.request.host}")
        if host.hostname in _LOOPBACK and urlsplit(origin).netloc != self.request.host:
            self.set_status(403)
            self.finish()

    def json(self, content: Any, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(content))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Plain text, never JSON."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("500 Internal Server Error" if status_code == 500 else f"{status_code}")

    def body(self) -> Any:
        return json.loads(self.request.body)
