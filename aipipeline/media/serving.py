"""Files to the browser with HTTP Range: a player seeks, a big download resumes. Django's own response cannot."""

import mimetypes
import os
import re
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _

from aipipeline.projects.errors import NotFound

CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


def serve_file(
    request: HttpRequest, path: Path, *, download_name: str = "", immutable: bool = False
) -> HttpResponseBase:
    """200 or 206 with the file, 304 when the browser has it, 416 for a range outside. NotFound when gone."""
    try:
        facts = path.stat()
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
        return HttpResponse(status=304, headers=headers)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    size = facts.st_size
    wanted = request.headers.get("Range", "")
    if wanted and request.headers.get("If-Range", etag) == etag:
        span = _span(wanted, size)
        if span is None:
            return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
        first, last = span
        response = StreamingHttpResponse(_read(path, first, last - first + 1), status=206, content_type=kind)
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
        response["Content-Length"] = str(last - first + 1)
    else:
        response = StreamingHttpResponse(_read(path, 0, size), content_type=kind)
        response["Content-Length"] = str(size)
    for name, value in headers.items():
        response[name] = value
    return response


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


def _read(path: Path, offset: int, length: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(offset, os.SEEK_SET)
        while length > 0:
            chunk = file.read(min(CHUNK, length))
            if not chunk:
                return
            length -= len(chunk)
            yield chunk
