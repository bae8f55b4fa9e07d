"""A reverse proxy as studios put it before a rendering machine: TLS of their own, a path, a password.

One request for each connection, so that bodies of any kind and websockets pass through byte by byte.
"""

import asyncio
import base64
import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

PREFIX = "/gpu1"
USER, PASSWORD = "rin", "p@ss"
_PIECE = 1 << 16


def certificate(folder: Path) -> tuple[Path, Path]:
    """Certificate and key of localhost, signed by itself."""
    cert, key = folder / "own.pem", folder / "own.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


class Proxy:
    """In front of the server at a port. `websockets` False: they are answered as by a proxy that knows none."""

    def __init__(self, port: int, *, cert: Path, key: Path, websockets: bool = True) -> None:
        self._port, self._websockets = port, websockets
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(cert, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"localhost:{self._listener.getsockname()[1]}"
        self.url = f"https://{USER}:{PASSWORD.replace('@', '%40')}@{self.address}{PREFIX}"
        self.refused = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._listener, ssl=self._tls))
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._listener.close()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            told = await reader.readuntil(b"\r\n\r\n")
            request, *lines = told.decode("latin-1").strip().split("\r\n")
            answer = self._refusal(request, lines)
            if answer:
                self.refused += 1
                writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            else:
                await self._pass_on(request, lines, reader, writer)
            writer.close()

    async def _pass_on(
        self, request: str, lines: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        method, path, protocol = request.split(" ")
        if not _named(lines, "upgrade"):
            lines = [line for line in lines if not line.lower().startswith("connection:")] + ["Connection: close"]
        back, there = await asyncio.open_connection("127.0.0.1", self._port)
        first = f"{method} {path.removeprefix(PREFIX)} {protocol}"
        there.write("\r\n".join([first, *lines]).encode("latin-1") + b"\r\n\r\n")
        sending = asyncio.ensure_future(_pump(reader, there))
        await _pump(back, writer)
        sending.cancel()
        there.close()

    def _refusal(self, request: str, lines: list[str]) -> str:
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if _named(lines, "authorization") != wanted:
            return "401 Unauthorized"
        if not request.split(" ")[1].startswith(f"{PREFIX}/"):
            return "404 Not Found"
        return "404 Not Found" if _named(lines, "upgrade") and not self._websockets else ""


def _named(lines: list[str], name: str) -> str:
    return next((line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name}:")), "")


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await source.read(_PIECE):
            target.write(piece)
            await target.drain()


@contextlib.contextmanager
def before(port: int, *, cert: Path, key: Path, websockets: bool = True) -> Iterator[Proxy]:
    """A proxy before a server of this computer, closed at the end of the block."""
    proxy = Proxy(port, cert=cert, key=key, websockets=websockets)
    try:
        yield proxy
    finally:
        proxy.close()
