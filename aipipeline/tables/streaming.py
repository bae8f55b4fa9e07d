"""A table as lines of JSON, compressed while it is read: the first rows are on their way before the last are read."""

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from aipipeline.media.serving import pieces_for

GZIP = 16 + zlib.MAX_WBITS


def line(value: Any) -> bytes:
    """One line of the stream."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def stream(request: HttpRequest, lines: Iterable[bytes]) -> StreamingHttpResponse:
    """Send these lines one by one, gzipped when the client takes it."""
    packed = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    pieces = _pack(lines) if packed else iter(lines)
    response = StreamingHttpResponse(pieces_for(request, pieces), content_type="application/x-ndjson")
    if packed:
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept-Encoding, Cookie"
    response["Cache-Control"] = "no-store"
    return response


def _pack(lines: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(3, zlib.DEFLATED, GZIP)
    for piece in lines:
        yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()
