"""Follow one prompt to its end: the websocket while it speaks, `/history` always.

Silence is not failure: a model may load for minutes, and a socket may go dumb for good. The history entry is the
only truth about the end; an `execution_error` event alone says nothing final.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import structlog
import websocket
from django.utils.translation import gettext as _

from comfy_adapters.comfyui import errors
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import Nodes
from comfy_adapters.comfyui.progress import Progress, as_jpeg, parse_preview
from renders.backends import JobCancelled, JobReporter, Stop

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Timing:
    """Seconds. `listen`: one wait on the socket, so also how soon a cancel is noticed. `poll`: between questions to
    `/history`. `grace`: how long a server may be away (it restarts) before the attempt is given up. `settle`: how
    long a cancel waits for the server to have stopped. `quiet`: silence after which the socket is opened anew.
    `preview`: the shortest time between two previews. `lost_after`: how long a prompt must be nowhere."""

    listen: float = 0.25
    poll: float = 1.0
    grace: float = 120.0
    settle: float = 15.0
    quiet: float = 30.0
    preview: float = 0.4
    lost_after: float = 3.0


class Watcher:
    """A context manager: open it before the submit, so that the first events are heard, then `wait`."""

    def __init__(
        self,
        client: ComfyClient,
        *,
        prompt_id: str,
        client_id: str,
        nodes: Nodes,
        reporter: JobReporter,
        timing: Timing,
    ) -> None:
        self.client, self.prompt_id, self.client_id = client, prompt_id, client_id
        self.reporter, self.timing = reporter, timing
        self.progress = Progress(nodes)
        self.started = False
        self.ended = False
        self.max_upload = 0
        self._socket: Any = None
        self._heard = self._shown = 0.0
        self._reconnect_at = 0.0
        self._backoff = 1.0

    def __enter__(self) -> "Watcher":
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def wait(self) -> dict[str, Any]:
        """The history entry once the prompt has ended, well or badly.

        JobCancelled after the prompt was taken from the server; ComfyError when the server forgot the prompt or
        stayed away for `grace` seconds.
        """
        answered = time.monotonic()
        next_poll, unknown_since = 0.0, None
        while True:
            if self.reporter.cancelled():
                self.stop()
                raise JobCancelled
            self._listen()
            now = time.monotonic()
            if now < next_poll and not self.ended:
                continue
            # The entry follows its event within milliseconds; one extra question is enough, then the usual pace.
            self.ended = False
            next_poll = now + self.timing.poll
            try:
                entry = self.client.history(self.prompt_id)
                if entry is not None:
                    return entry
                place = self._place(now)
            except ComfyError as error:
                if time.monotonic() - answered > self.timing.grace:
                    raise
                log.info("comfyui_silent", error=error.message)
                self.reporter.progress(self.progress.fraction, _("Waiting for the ComfyUI server"))
                continue
            answered = time.monotonic()
            unknown_since = (unknown_since or answered) if place == "unknown" else None
            if unknown_since is not None and answered - unknown_since >= self.timing.lost_after:
                raise errors.lost()

    def upload_limit(self, seconds: float = 2.0) -> int:
        """The largest file that the server takes, in bytes, as it says on the websocket or else by HTTP (not every
        proxy lets websockets through); 0 when it does not."""
        end = time.monotonic() + seconds
        while not self.max_upload and self._socket is not None and time.monotonic() < end:
            self._listen()
        return self.max_upload or self.client.upload_limit()

    def _place(self, now: float) -> str:
        """Where the prompt is; the queue lists whole graphs, so it is asked only when the socket says nothing."""
        if self.started and now - self._heard < 3 * self.timing.poll:
            return "running"
        place = self.client.locate(self.prompt_id)
        if place == "pending":
            queue = self.client.queue()
            ahead = len(queue.running) + (queue.pending.index(self.prompt_id) if self.prompt_id in queue.pending else 0)
            self.reporter.progress(
                0.0, _("Waiting in the server's queue: %(count)d before this one") % {"count": ahead}
            )
        return place

    # --- websocket ------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._close()
        try:
            self._socket = websocket.create_connection(
                self.client.websocket_url(self.client_id),
                timeout=self.client.timeout[0],
                header=self.client.authorization,
                suppress_origin=True,  # the server refuses an Origin that is not literally its own Host
                http_no_proxy=["*"],
                sslopt={"ca_certs": self.client.ca} if self.client.ca else None,
            )
            # Asks for previews that say which prompt they belong to; servers that do not know it ignore it.
            flags = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
            self._socket.send(json.dumps(flags))
            self._socket.settimeout(self.timing.listen)
            self._heard = time.monotonic()
        except (websocket.WebSocketException, OSError, ValueError) as error:
            log.info("comfyui_socket_closed", error=str(error)[:200])
            self._lose_socket()

    def _lose_socket(self) -> None:
        self._close()
        self._reconnect_at = time.monotonic() + self._backoff
        self._backoff = min(self._backoff * 2, 10.0)

    def _close(self) -> None:
        if self._socket is not None:
            socket, self._socket = self._socket, None
            try:
                socket.close(timeout=1)
            except (websocket.WebSocketException, OSError) as error:
                log.debug("comfyui_socket_close", error=str(error))

    def _listen(self) -> None:
        """Wait for one message, at most `listen` seconds."""
        now = time.monotonic()
        if self._socket is None:
            if now >= self._reconnect_at:
                self._connect()
            else:
                time.sleep(min(self.timing.listen, self._reconnect_at - now))
            return
        if now - self._heard > self.timing.quiet:
            # A second socket under the same id silences the first for ever; a new one hears again.
            self._connect()
            return
        try:
            code, data = self._socket.recv_data()
        except websocket.WebSocketTimeoutException:
            return
        except (websocket.WebSocketException, OSError) as error:
            log.info("comfyui_socket_closed", error=str(error)[:200])
            self._lose_socket()
            return
        if code == websocket.ABNF.OPCODE_TEXT:
            self._text(data)
        elif code == websocket.ABNF.OPCODE_BINARY:
            self._binary(data)
        elif code == websocket.ABNF.OPCODE_CLOSE:
            self._lose_socket()

    def _text(self, data: bytes) -> None:
        try:
            message = json.loads(data)
            kind, about = message["type"], message.get("data") or {}
        except (ValueError, KeyError, TypeError):
            return
        if kind == "feature_flags" and isinstance(about, Mapping):
            limit = about.get("max_upload_size")
            self.max_upload = int(limit) if isinstance(limit, int | float) else 0
            return
        # Others' prompts are heard too when they were posted without a client id.
        if not isinstance(about, Mapping) or about.get("prompt_id") != self.prompt_id:
            return
        self._heard, self._backoff = time.monotonic(), 1.0
        self.started = True
        if kind == "executing" and about.get("node") is None:
            self.ended = True
        elif self.progress.event(kind, about):
            self.reporter.progress(self.progress.fraction, self.progress.message)

    def _binary(self, data: bytes) -> None:
        found = parse_preview(data)
        now = time.monotonic()
        if found is None or now - self._shown < self.timing.preview:
            return
        metadata, image = found
        if metadata.get("prompt_id", self.prompt_id) != self.prompt_id or not self.started:
            return
        jpeg = as_jpeg(image)
        if jpeg:
            self._shown = self._heard = now
            self.reporter.preview(jpeg)

    # --- cancel ---------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Take the prompt from the server and see it gone, so that the next job does not meet it."""
        if self.reporter.stop() is Stop.LOST:  # another attempt follows the same prompt now
            return
        end = time.monotonic() + self.timing.settle
        while time.monotonic() < end:
            try:
                self.client.cancel(self.prompt_id)
                if self.client.locate(self.prompt_id) in ("finished", "unknown"):
                    return
            except ComfyError as error:
                log.warning("comfyui_cancel", prompt=self.prompt_id, error=error.message)
                if error.kind == "unreachable":
                    return
            time.sleep(self.timing.listen)
        log.warning("comfyui_cancel_slow", prompt=self.prompt_id)
