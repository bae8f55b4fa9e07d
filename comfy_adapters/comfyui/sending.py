"""The body of an upload, read from the disk while it is sent: a clip of gigabytes takes no memory."""

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.utils.translation import gettext as _

from aipipeline.media.storage import storage_error
from comfy_adapters.comfyui.errors import ComfyError

CHUNK = 1 << 18


class FormBody:
    """A multipart form with one file, as `requests` sends it with a Content-Length (it asks for `len`).

    It can be sent again from the start. StorageError or ComfyError when the file cannot be read to its end: requests
    would take an OSError for one of the connection.
    """

    def __init__(self, field: str, name: str, path: Path, values: Mapping[str, str]) -> None:
        self._path, self._size = path, path.stat().st_size
        self._boundary = uuid.uuid4().hex
        parts = [
            f'--{self._boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in values.items()
        ]
        head = f'--{self._boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{_quoted(name)}"\r\n'
        self._before = ("".join(parts) + head + "Content-Type: application/octet-stream\r\n\r\n").encode()
        self._after = f"\r\n--{self._boundary}--\r\n".encode()

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self._boundary}"

    def __len__(self) -> int:
        return len(self._before) + self._size + len(self._after)

    def __iter__(self) -> Iterator[bytes]:
        yield self._before
        left = self._size
        try:
            with open(self._path, "rb") as file:
                while left:
                    chunk = file.read(min(CHUNK, left))
                    if not chunk:
                        raise EOFError("it became shorter")
                    left -= len(chunk)
                    yield chunk
        except (OSError, EOFError) as error:
            text = _("%(name)s cannot be read: %(why)s") % {"name": self._path.name, "why": error}
            raise storage_error(error, self._path.parent) or ComfyError(text, kind="refused") from error
        yield self._after


def _quoted(name: str) -> str:
    """As browsers write it; a line break or quote would end the header."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
