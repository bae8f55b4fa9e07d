"""Every API error in the form of the contract: type, message, and fields or details.

400 is a request that cannot be read (JSON that is none), 422 one that can be read but has wrong values.
"""

from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from aipipeline.projects.errors import PipelineError


class TooLarge(exceptions.APIException):
    """The body is larger than the studio reads into memory."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The request is too large.")
    default_code = "too_large"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None (a 500 with a log) only for defects."""
    if isinstance(error, PipelineError):
        set_rollback()
        return Response(error.as_json(), status=error.status)
    known = _as_api_error(error)
    if known is None:
        return None
    set_rollback()
    headers = {}
    if getattr(known, "auth_header", None):
        headers["WWW-Authenticate"] = str(known.auth_header)  # type: ignore[attr-defined]
    if getattr(known, "wait", None):
        headers["Retry-After"] = str(int(known.wait))  # type: ignore[attr-defined]
    code = known.status_code
    if isinstance(known, exceptions.ValidationError):
        code = status.HTTP_422_UNPROCESSABLE_ENTITY
    return Response(_body(known), status=code, headers=headers)


def _as_api_error(error: Exception) -> exceptions.APIException | None:
    match error:
        case exceptions.APIException():
            return error
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            return TooLarge()
        case SuspiciousOperation():
            return exceptions.ParseError()
        case DjangoValidationError():
            fields = getattr(error, "message_dict", None) or {"non_field_errors": error.messages}
            return exceptions.ValidationError(fields)
    return None


def _body(error: exceptions.APIException) -> dict[str, Any]:
    detail = error.detail
    if isinstance(error, exceptions.ValidationError):
        fields = detail if isinstance(detail, dict) else {"non_field_errors": detail}
        return {"type": "invalid", "message": _first(fields), "fields": fields}
    if isinstance(detail, dict):  # the token errors say what is wrong under "detail", with details beside it
        detail = detail.get("detail", detail)
    return {"type": str(error.default_code), "message": _first(detail)}


def _first(value: Any) -> str:
    while isinstance(value, (dict, list)) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return str(value)
