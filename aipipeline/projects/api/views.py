"""What every API view begins with, and the views of projects and tickets."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.contrib.auth.decorators import login_not_required
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from redis.exceptions import RedisError
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from aipipeline.projects import tickets
from aipipeline.projects.api.pagination import CursorPages
from aipipeline.projects.api.parsers import StrictJSONParser, StrictMultiPartParser
from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require

OBJECT = OpenApiTypes.OBJECT
MAX_ROWS = 1000
log = structlog.get_logger(__name__)


@method_decorator(login_not_required, name="dispatch")
@extend_schema(request=OBJECT, responses={200: OBJECT})
class Endpoint(APIView):
    """DRF answers 401 itself, in JSON: the page's login redirect stays away. Bodies are JSON objects."""

    parser_classes: Any = (StrictJSONParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        texts = [*kwargs.values(), *request.query_params.values()]
        if any(isinstance(value, str) and "\x00" in value for value in texts):
            raise NotFound(_("There is nothing at this address."))

    def project(self, code: str, operation: str) -> Project:
        """The live project of the URL, once the operation is allowed; NotFound for strangers."""
        found: Project | None = Project.objects.visible_to(self.request.user).filter(code=code).first()
        if found is None:
            raise NotFound(_("There is no such project, or you are not a member of it."))
        require(self.request.user, operation, found)
        return found

    @property
    def tab(self) -> str:
        """The browser tab or client that makes the request: undo goes by it."""
        return str(self.request.headers.get("X-AIP-Tab", "")).replace("\x00", "")[:64]

    def body(self) -> dict[str, Any]:
        """The body as an object; Invalid for lists and bare values."""
        data = self.request.data
        if not hasattr(data, "items"):
            raise Invalid(_("The body must be an object."))
        return {str(name): value for name, value in data.items()}

    def page(self, queryset: Any, serialize: Any, *, ordering: tuple[str, ...] = ("id",)) -> Response:
        """One page by cursor, in a unique order."""
        pages = CursorPages()
        pages.ordering = ordering  # type: ignore[assignment]
        rows: Any = pages.paginate_queryset(queryset, self.request, view=self)
        return pages.get_paginated_response(serialize(rows or []))


class UploadEndpoint(Endpoint):
    """An endpoint that takes files too."""

    parser_classes: Any = (StrictJSONParser, StrictMultiPartParser)


def integer(value: Any, name: str) -> int | None:
    """A whole number or None; Invalid names the field."""
    if value is None or value == "":
        return None
    found = whole_number(value)
    if found is None:
        raise Invalid(_("%(name)s: a whole number is needed.") % {"name": name}, fields={name: [_("not a number")]})
    return found


def integers(value: Any, name: str, *, limit: int = MAX_ROWS) -> list[int]:
    """A list of whole numbers, at most a thousand unless told otherwise."""
    if not isinstance(value, list) or len(value) > limit:
        raise Invalid(
            _("%(name)s: a list of at most %(limit)s ids is needed.") % {"name": name, "limit": limit},
            fields={name: [_("not a list")]},
        )
    return [found for found in (integer(part, name) for part in value) if found is not None]


def text(body: Mapping[str, Any], name: str, *, limit: int = 10_000) -> str:
    """A text of the body, "" when it is missing; Invalid for anything but a string, or when it is too long."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise Invalid(
            _("%(name)s: a text of at most %(limit)s characters is needed.") % {"name": name, "limit": limit},
            fields={name: [_("not a text")]},
        )
    return value


def only(body: Mapping[str, Any], *names: str) -> None:
    """Invalid when the body has other fields: a typing error must not look like success."""
    if unknown := [name for name in body if name not in names]:
        raise Invalid(
            _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)},
            fields={name: [_("unknown or read-only")] for name in unknown},
        )


class LoginThrottle(SimpleRateThrottle):
    """So many tries per address. It trusts the peer alone: a header that the client writes proves nothing."""

    scope = "login"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"throttle:login:{request.META.get('REMOTE_ADDR') or 'local'}"

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            return bool(super().allow_request(request, view))
        except (RedisError, OSError):
            # Without Redis nobody can be counted, and refusing would lock everybody out.
            log.warning("login_not_throttled", exc_info=True)
            return True


@method_decorator(login_not_required, name="dispatch")
class Token(TokenObtainPairView):  # type: ignore[misc]  # the library has no types
    """username and password to access and refresh tokens; ten tries a minute."""

    throttle_classes = (LoginThrottle,)
    parser_classes = (StrictJSONParser, FormParser)


@method_decorator(login_not_required, name="dispatch")
class Refresh(TokenRefreshView):  # type: ignore[misc]  # the library has no types
    """A refresh token to a new access token."""

    throttle_classes = (LoginThrottle,)
    parser_classes = (StrictJSONParser, FormParser)


class Ticket(Endpoint):
    """A one-use ticket that opens the live socket within 30 seconds."""

    def post(self, request: Request) -> Response:
        ticket = tickets.issue(int(request.user.pk or 0))
        return Response({"ticket": ticket, "seconds": tickets.TICKET_SECONDS}, status=201)


class Nowhere(Endpoint):
    """Any other address below /api/: the error in the form of the contract, not a page."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(_("There is nothing at this address."))
