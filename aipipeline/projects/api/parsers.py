"""JSON in, with everything refused that a database or a worker would choke on later."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from aipipeline.projects.api.errors import TooLarge

MAX_INTEGER = 2**63 - 1


class StrictJSONParser(BaseParser):
    """An object in UTF-8, no larger than DATA_UPLOAD_MAX_MEMORY_SIZE.

    ParseError (400) for what is no JSON; TooLarge (413); ValidationError (422) for NUL characters, half
    surrogates, numbers that are not finite or do not fit 64 bits, and anything but an object.
    """

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
        try:
            found = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The request is not valid JSON.")) from error
        if not isinstance(found, dict):
            raise ValidationError(_("The request must be a JSON object."))
        _check(found)
        return found


class StrictMultiPartParser(MultiPartParser):
    """Form fields with files; the fields pass the same checks as JSON."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        found: DataAndFiles[Any, Any] = super().parse(stream, media_type, parser_context)
        _check({name: found.data.getlist(name) for name in found.data})
        for name in found.files:
            for upload in found.files.getlist(name):
                _check_text(str(upload.name))
        return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _check(found: Any) -> None:
    """Walk without recursion: a body may nest as deep as the parser took it."""
    waiting = [found]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, dict):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif (isinstance(value, int) and abs(value) > MAX_INTEGER) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise ValidationError(_("A number is too large."))


def _check_text(value: str) -> None:
    if "\x00" in value:
        raise ValidationError(_("NUL characters are not allowed."))
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValidationError(_("A text is not valid Unicode.")) from error
