"""Files to the browser with HTTP Range: a player seeks, a big download resumes. Django's own response cannot.

Nothing is held in memory as a whole, under ASGI too, and a file is closed when the reader goes away.
"""

import mimetypes
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _

from aipipeline.projects.errors import NotFound

CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class Pieces:
    """The body of a streamed answer: read piece by piece, and closed at the end or when the reader goes away."""

    def __init__(self, pieces: Iterator[bytes], close: Callable[[], None] | None = None) -> None:
        self._pieces = pieces
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        if self._close is not None:
            self._close()


class LaterPieces(Pieces):
    """The same for ASGI, where Django would read a plain iterator to its end before it sends the first byte."""

    __iter__ = None  # type: ignore[assignment]  # this is how Django tells one from the other

    async def __aiter__(self) -> AsyncIterator[bytes]:
        following = sync_to_async(lambda: next(self._pieces, None))
        while (piece := await following()) is not None:
            yield piece


def pieces_for(request: HttpRequest, pieces: Iterator[bytes], close: Callable[[], None] | None = None) -> Pieces:
    """The body for a StreamingHttpResponse, in the form that the server of this request reads as it sends."""
    asgi = isinstance(getattr(request, "_request", request), ASGIRequest)
    return LaterPieces(pieces, close) if asgi else Pieces(pieces, close)


def serve_file(
    request: HttpRequest, path: Path, *, download_name: str = "", immutable: bool = False, file: BinaryIO | None = None
) -> HttpResponseBase:
    """200 or 206 with the file, 304 when the browser has it, 416 for a range outside. NotFound when gone.

    `file`: the file itself, already open, whose path must not be followed again; it is closed here.
    """
    try:
        opened = file or open(path, "rb")  # noqa: SIM115  (the body of the answer closes it)
        facts = os.fstat(opened.fileno())
    except OSError as error:
        raise NotFound(_("This file is not on the storage any more.")) from error
    etag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Last-Modified": formatdate(facts.st_mtime, usegmt=True),
        "Cache-Control": "private, max-age=31536000, immutable" if immutable else "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    if download_name:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(download_name)}"
    if request.headers.get("If-None-Match") == etag:
        opened.close()
        return HttpResponse(status=304, headers=headers)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    size = facts.st_size
    first, last, status = 0, size - 1, 200
    wanted = request.headers.get("Range", "")
    if wanted and request.headers.get("If-Range", etag) == etag:
        span = _span(wanted, size)
        if span is None:
            opened.close()
            return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
        first, last = span
        status = 206
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    body = pieces_for(request, _read(opened, first, last - first + 1), opened.close)
    headers["Content-Length"] = str(last - first + 1)
    return StreamingHttpResponse(body, status=status, content_type=kind, headers=headers)


def _span(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a single range; several ranges are answered by the whole file's first."""
    match = _RANGE.match(header.split(",")[0].strip())
    if match is None:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) else None
    begin, end = int(first), min(int(last) if last else size - 1, size - 1)
    return (begin, end) if begin <= end else None


def _read(file: BinaryIO, offset: int, length: int) -> Iterator[bytes]:
    file.seek(offset, os.SEEK_SET)
    while length > 0:
        chunk = file.read(min(CHUNK, length))
        if not chunk:
            return
        length -= len(chunk)
        yield chunk
