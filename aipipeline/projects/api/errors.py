"""Every API error in the form of the contract: type, message, and fields or details."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from aipipeline.projects.errors import PipelineError


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None (a 500 with a log) only for defects."""
    if isinstance(error, PipelineError):
        set_rollback()
        return Response(error.as_json(), status=error.status)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, DjangoValidationError):
        fields = getattr(error, "message_dict", None) or {"non_field_errors": error.messages}
        error = exceptions.ValidationError(fields)
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    return Response(_body(error), status=error.status_code, headers=headers)


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        detail = error.detail
        fields = detail if isinstance(detail, dict) else {"non_field_errors": detail}
        return {"type": "invalid", "message": _first(fields), "fields": fields}
    return {"type": str(error.default_code), "message": str(error.detail)}


def _first(value: Any) -> str:
    while isinstance(value, (dict, list)) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return str(value)
