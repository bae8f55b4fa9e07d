"""JSON in, with everything refused that a database or a worker would choke on later."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from aipipeline.projects.api.errors import TooLarge
from aipipeline.projects.checks import check_clean, json_object


class StrictJSONParser(BaseParser):
    """An object in UTF-8, no larger than DATA_UPLOAD_MAX_MEMORY_SIZE (TooLarge, 413); else as `json_object`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes] | None,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 12 * 1024 * 1024
        data = stream.read(limit + 1) if stream is not None else b""
        if len(data) > limit:
            raise TooLarge
        return json_object(data)


class StrictMultiPartParser(MultiPartParser):
    """Form fields with files; the fields pass the same checks as JSON."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        found: DataAndFiles[Any, Any] = super().parse(stream, media_type, parser_context)
        check_clean({name: found.data.getlist(name) for name in found.data})
        for name in found.files:
            for upload in found.files.getlist(name):
                check_clean(str(upload.name))
        return found
