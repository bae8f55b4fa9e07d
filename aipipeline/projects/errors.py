"""The root of every error that a user or an API caller may see, and its map to HTTP."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _


class PipelineError(Exception):
    """A refusal with a message that is safe to show and says what to do.

    `status` is the HTTP answer, `code` a stable id for callers, `fields` names what is wrong by field,
    `details` carries anything else that is JSON-safe.
    """

    status = 400
    code = "error"

    def __init__(
        self,
        message: Any,
        *,
        fields: Mapping[str, Any] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})
        self.details = dict(details or {})

    def __str__(self) -> str:
        return str(self.message)

    def as_json(self) -> dict[str, Any]:
        """The error body of the REST contract: type, message and fields or details."""
        body: dict[str, Any] = {"type": self.code, "message": str(self.message)}
        if self.fields:
            body["fields"] = self.fields
        if self.details:
            body["details"] = self.details
        return body


class Invalid(PipelineError):
    """The input is wrong; `fields` says where."""

    status = 422
    code = "invalid"


class Unreadable(PipelineError):
    """The request itself cannot be read: not JSON, not UTF-8."""

    status = 400
    code = "parse_error"


class NotAllowed(PipelineError):
    """The actor lacks the permission."""

    status = 403
    code = "not_allowed"

    def __init__(self, message: Any = _("You may not do this in this project.")) -> None:
        super().__init__(message)


class NotFound(PipelineError):
    """The thing does not exist, or the actor may not know that it does."""

    status = 404
    code = "not_found"


class Conflict(PipelineError):
    """Someone or something was faster; `details` shows both sides."""

    status = 409
    code = "conflict"
